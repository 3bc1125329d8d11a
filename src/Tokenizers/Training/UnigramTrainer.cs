using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Trains a Unigram model: pieces with probabilities under which the texts are most likely, found by expectation and maximization from many
/// pieces, of which those that explain least are taken away round by round. The result depends on the texts and the settings alone.</summary>
/// <remarks>Source: arXiv:1804.10959. All sums run in a fixed order over words sorted by their bytes, in a fixed number of parts, whatever the number of
/// threads.</remarks>
public static class UnigramTrainer
{
    private const int Parts = 16;
    private const int RoundsBetweenCuts = 2;
    private const double LeastExpected = 0.5;        // a piece that is expected less often is taken away
    private const double Surplus = 1.1;              // what is left for the last cut, which goes by probability
    private const int WeightUnit = 1024;
    private const string Unknown = "<unk>";
    private const string Space = "\u2581";

    /// <summary>Trains a tokenizer with this project's special tokens.</summary>
    /// <param name="texts">Read once, by one thread at a time.</param>
    /// <param name="config">The settings.</param>
    /// <param name="launcher">Where the work runs; its number of workers changes the time and not the result.</param>
    /// <param name="progress">Told now and then, from worker threads too.</param>
    /// <param name="cancellation">Stops between batches and rounds.</param>
    public static Tokenizer Train(
        IEnumerable<TrainingText> texts, UnigramTrainerConfig config, ILauncher launcher,
        IProgress<TokenizerTrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        Train([new TextsInput(texts)], config, launcher, TrainingMemory.Default, progress, cancellation).Tokenizer;

    internal static (Tokenizer Tokenizer, TrainingReport Report) Train(
        IReadOnlyList<ITrainingInput> inputs, UnigramTrainerConfig config, ILauncher launcher, TrainingMemory memory,
        IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(launcher);
        var control = ControlTokens.Of(config.Reserve, config.ReservedTokens);
        var split = TrainingSplit.Find(config.Split, config.Digits);
        var words = new WordCounting(split.Pattern, new SourceWeights(config.SourceWeights), memory).Run(inputs, launcher, progress, cancellation);
        long[] multipliers = BpeTrainer.FrequencyWeights(words.Languages, config.LanguageExponent);
        var unigramTexts = UnigramTexts.Of(words.Languages, multipliers, (double)WeightUnit * SourceWeights.Unit, config.CharacterCoverage);
        words.ReleaseLists();
        int wanted = config.VocabularySize - control.Count - 257;
        if (wanted < unigramTexts.Characters.Count)
            throw new UserErrorException($"The vocabulary size is {config.VocabularySize}; expected at least {unigramTexts.Characters.Count + control.Count + 257}: "
                + "every character of the text, 256 bytes and the control tokens. Give a lower character coverage, or more tokens.");
        var pieces = Learn(unigramTexts, wanted, config, launcher, progress, cancellation);
        return (Build(pieces, control, split.Pattern, split.Regex), TrainingReport.Of(words, [.. words.Languages.Select(_ => new LanguageContent(1, 0))], 0, null));
    }

    /// <summary>Finds the pieces with the logarithms of their probabilities, the most probable first.</summary>
    internal static List<UnigramPiece> Learn(
        UnigramTexts texts, int wanted, UnigramTrainerConfig config, ILauncher launcher, IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        var seeds = UnigramSeeds.Find(texts, Math.Max(config.SeedPieces, wanted), config.LongestPiece, cancellation);
        int characters = texts.Characters.Count;
        double all = seeds.Sum(seed => seed.Weight);
        var pieces = seeds.Select(seed => new UnigramPiece(seed.Text, Numerics.Log(seed.Weight) - Numerics.Log(all))).ToList();
        int enough = (int)Math.Max(wanted, Math.Ceiling(wanted * Surplus));
        while (true)
        {
            for (int round = 0; round < RoundsBetweenCuts; round++)
            {
                cancellation.ThrowIfCancellationRequested();
                pieces = Maximized(pieces, Expected(texts, pieces, launcher, cancellation).Counts, characters);
            }
            progress?.Report(new TokenizerTrainingProgress("pruning", Math.Max(0, seeds.Count - pieces.Count), Math.Max(1, seeds.Count - enough)));
            if (pieces.Count <= enough)
                break;
            int next = (int)Math.Max(enough, pieces.Count * config.ShrinkFactor);
            pieces = Pruned(texts, pieces, next, characters, launcher, cancellation);
        }
        // Characters stay whatever their probability: without them a word could not be written.
        var last = pieces.Take(characters).Concat(pieces.Skip(characters).OrderByDescending(piece => piece.Score)
            .ThenBy(piece => piece.Text, BytesInOrder).Take(wanted - characters));
        return [.. last.OrderByDescending(piece => piece.Score).ThenBy(piece => piece.Text, BytesInOrder)];
    }

    private static readonly Comparer<byte[]> BytesInOrder = Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y));

    /// <summary>How often each piece is expected, and the mean logarithm of a word's probability.</summary>
    internal static (double[] Counts, double MeanLogarithm) Expected(UnigramTexts texts, IReadOnlyList<UnigramPiece> pieces, ILauncher launcher, CancellationToken cancellation)
    {
        var trie = new ByteTrie(pieces.Select((piece, number) => (piece.Text, number)));
        double[] lifted = Lifted(pieces);
        double[] logarithms = new double[Parts];
        double[] weights = new double[Parts];
        double[] counts = SumOfParts(pieces.Count, launcher, (part, sums) =>
        {
            var lattice = new UnigramLattice(trie, lifted);
            for (int word = First(texts, part); word < First(texts, part + 1); word++)
            {
                if (lattice.AddExpected(texts[word], texts.Weights[word], sums) is not double logarithm)
                    continue;
                logarithms[part] += logarithm * texts.Weights[word];
                weights[part] += texts.Weights[word];
            }
        }, cancellation);
        return (counts, logarithms.Sum() / Math.Max(1, weights.Sum()));
    }

    /// <summary>New probabilities from expected counts: the digamma function takes more from rare pieces than their share, as a prior that likes few pieces does.</summary>
    private static List<UnigramPiece> Maximized(List<UnigramPiece> pieces, double[] expected, int characters)
    {
        var kept = new List<(byte[] Text, double Expected)>(pieces.Count);
        for (int i = 0; i < pieces.Count; i++)
            if (i < characters || expected[i] >= LeastExpected)
                kept.Add((pieces[i].Text, Math.Max(expected[i], LeastExpected)));
        double all = Digamma.Of(kept.Sum(piece => piece.Expected));
        return [.. kept.Select(piece => new UnigramPiece(piece.Text, Digamma.Of(piece.Expected) - all))];
    }

    /// <summary>Takes pieces away until so many are left: those first without which the texts lose least.</summary>
    private static List<UnigramPiece> Pruned(
        UnigramTexts texts, List<UnigramPiece> pieces, int wanted, int characters, ILauncher launcher, CancellationToken cancellation)
    {
        var trie = new ByteTrie(pieces.Select((piece, number) => (piece.Text, number)));
        double[] lifted = Lifted(pieces);
        double[] counts = SumOfParts(pieces.Count, launcher, (part, sums) =>
        {
            var lattice = new UnigramLattice(trie, lifted);
            var best = new List<int>();
            for (int word = First(texts, part); word < First(texts, part + 1); word++)
                if (lattice.TryBest(texts[word], best, allowWhole: true))
                    foreach (int piece in best)
                        sums[piece] += texts.Weights[word];
        }, cancellation);
        double all = counts.Sum();
        double[] losses = new double[pieces.Count];
        launcher.Run(Parts, part =>
        {
            var lattice = new UnigramLattice(trie, lifted);
            var without = new List<int>();
            for (int i = characters + part; i < pieces.Count; i += Parts)
                losses[i] = counts[i] == 0 ? 0 : lattice.TryBest(pieces[i].Text, without, allowWhole: false) ? Loss(counts, all, i, without) : double.PositiveInfinity;
        }, cancellation);
        return [.. pieces.Take(characters).Concat(Enumerable.Range(characters, pieces.Count - characters).OrderByDescending(i => losses[i]).ThenBy(i => i)
            .Take(wanted - characters).Order().Select(i => pieces[i]))];
    }

    /// <summary>What the texts lose in logarithms of probability when a piece is written by others from now on.</summary>
    private static double Loss(double[] counts, double all, int piece, List<int> others)
    {
        double count = counts[piece];
        double with = Numerics.Log(count) - Numerics.Log(all);
        double allWithout = Numerics.Log(all + count * (others.Count - 1));
        double without = others.Sum(other => Numerics.Log(counts[other] + count) - allWithout);
        return count * (with - without);
    }

    /// <summary>Sums over fixed parts of the words, added in their order: the bits do not depend on the number of threads.</summary>
    private static double[] SumOfParts(int length, ILauncher launcher, Action<int, double[]> add, CancellationToken cancellation)
    {
        var parts = new double[Parts][];
        launcher.Run(Parts, part => add(part, parts[part] = new double[length]), cancellation);
        double[] sum = parts[0];
        foreach (double[] part in parts[1..])
            for (int i = 0; i < length; i++)
                sum[i] += part[i];
        return sum;
    }

    private static int First(UnigramTexts texts, int part) => (int)((long)texts.Count * part / Parts);

    private static double[] Lifted(IReadOnlyList<UnigramPiece> pieces) =>
        [.. pieces.Select(piece => Numerics.Exp(piece.Score + UnigramLattice.LogarithmOfLift * piece.Text.Length))];

    private static Tokenizer Build(List<UnigramPiece> pieces, IReadOnlyList<string> control, ISplitPattern pattern, string regex)
    {
        double least = pieces.Min(piece => piece.Score);
        UnigramPiece[] all =
        [
            new(Encoding.UTF8.GetBytes(Unknown), least), .. Enumerable.Range(0, 256).Select(value => new UnigramPiece(Vocabulary.ByteTokenText((byte)value), least)), .. pieces,
        ];
        var added = control.Select((content, index) => new AddedToken(all.Length + index, content, Special: true)).ToList();
        if (VocabularyLint.Faults([.. all.Select(piece => piece.Text)], [], added) is [var fault, ..])
            throw new UserErrorException($"The vocabulary is not safe: {fault}; choose other names for control tokens.");
        var begin = added.Find(token => token.Content == SpecialTokens.BeginOfText)!;
        return new Tokenizer(new TokenizerParts(
            new UnigramSettings(all, UnknownId: 0, ByteFallback: true), added, null,
            new PreTokenizerSequence(
            [
                new SplitPreTokenizer(new TextPattern(regex, pattern), SplitBehavior.Isolated, Invert: false),
                new MetaspacePreTokenizer(Space, PrependScheme.Never, Splits: false),
            ]),
            TemplateProcessing.StartingWith(begin.Content, begin.Id),
            new DecoderSequence([new MetaspaceDecoder(Space, PrependScheme.Never, Splits: false), new ByteFallbackDecoder(), new FuseDecoder()])));
    }
}
