using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus;

/// <summary>Shows what the step "near-duplicates" finds: a corpus is made of pairs of documents whose Jaccard similarity is known exactly, built with the step's
/// default settings, and read again.</summary>
/// <remarks>Documents are of random words of one language of the built-in sample. The second of a pair is the first with words replaced, with words left out and put
/// in, with one passage replaced, or with another beginning and end, in turn; it is divided into other sentences, which makes no difference to the step. The first documents of all pairs are
/// unrelated to one another and come before all second ones: one of them that is gone was taken for the duplicate of an unrelated document.</remarks>
public static class PlantedDuplicates
{
    /// <summary>A pair that is less alike and yet joined counts as falsely merged. Of two documents of equal length at 0.6, a quarter of either is in no way in the
    /// other: nobody would call them the same. Up to the settings' 0.72 lies the range in which estimates by 256 numbers of a signature err (their standard deviation at 0.6 is 0.03).</summary>
    public const double FalseBelow = 0.6;

    private const int PairsOfFile = 2_000;
    private const long SmallUnitBytes = 1 << 20;
    private const string First = "first-", Second = "second-";

    private static readonly double[] Levels = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>Makes the corpus, builds it twice, divided in different ways, and counts.</summary>
    /// <param name="pairs">Pairs at each level of similarity, at least 1.</param>
    /// <param name="seed">Decides the texts.</param>
    /// <param name="folder">Is made and used for texts and corpora, about 4 kB for each pair at each level, and removed again.</param>
    /// <param name="launcher">Runs the work.</param>
    /// <param name="cancellation">Stops it.</param>
    public static PlantedDuplicatesResult Run(int pairs, ulong seed, string folder, ILauncher launcher, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pairs, 1);
        PhysicalFileSystem files = PhysicalFileSystem.Instance;
        var step = new NearDuplicates();
        string texts = Path.Combine(folder, "texts"), one = Path.Combine(folder, "one"), other = Path.Combine(folder, "other");
        files.CreateDirectory(texts);
        try
        {
            double[] similarities = Plant(pairs, seed, step.ShingleWords, texts, launcher, cancellation);
            var config = new CorpusConfig(texts, PlantedText.Languages, [step], HeldOutShare: 0, HeldOutDocuments: 0);
            CorpusStage.Run(config, one, launcher, cancellation: cancellation);
            CorpusStage.Run(config with { UnitBytes = SmallUnitBytes }, other, new LocalLauncher(launcher.Workers + 1), cancellation: cancellation);
            return Count(pairs, similarities, Kept(one, pairs * Levels.Length), SameTexts(files, one, other));
        }
        finally
        {
            files.Delete(folder);
        }
    }

    /// <summary>Writes the texts, and returns the similarity of each pair; pairs of a level stand together.</summary>
    private static double[] Plant(int pairs, ulong seed, int shingleWords, string folder, ILauncher launcher, CancellationToken cancellation)
    {
        double[] similarities = new double[pairs * Levels.Length];
        int parts = (similarities.Length + PairsOfFile - 1) / PairsOfFile;
        launcher.Run(parts, part =>
        {
            string name = part.ToString("00000", CultureInfo.InvariantCulture);
            using FileStream first = File.Create(Path.Combine(folder, $"{First}{name}.jsonl")), second = File.Create(Path.Combine(folder, $"{Second}{name}.jsonl"));
            for (int pair = part * PairsOfFile; pair < Math.Min(similarities.Length, (part + 1) * PairsOfFile); pair++)
            {
                cancellation.ThrowIfCancellationRequested();
                PlantedText text = PlantedText.Of(seed, pair);
                (int[] changed, similarities[pair]) = text.Changed(Levels[pair / pairs], shingleWords);
                Write(first, First, pair, text, text.Words);
                Write(second, Second, pair, text, changed);
            }
        }, cancellation);
        return similarities;
    }

    private static void Write(Stream stream, string kind, int pair, PlantedText text, int[] words)
    {
        string id = kind + pair.ToString(CultureInfo.InvariantCulture);
        stream.Write(new Document(id, text.Written(words, kind), text.Language, "planted", "Apache-2.0").ToJsonLine());
        stream.WriteByte((byte)'\n');
    }

    /// <summary>Which documents are left of the firsts and of the seconds.</summary>
    private static (bool[] Firsts, bool[] Seconds) Kept(string corpus, int pairs)
    {
        bool[] firsts = new bool[pairs], seconds = new bool[pairs];
        foreach (string path in TextFiles(corpus).Select(name => Path.Combine(corpus, name)))
        {
            using FileStream stream = File.OpenRead(path);
            var lines = new LineReader(stream);
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                string id = Document.Parse(line.Span, path).Id;
                bool isFirst = id.StartsWith(First, StringComparison.Ordinal);
                (isFirst ? firsts : seconds)[int.Parse(id.AsSpan((isFirst ? First : Second).Length), CultureInfo.InvariantCulture)] = true;
            }
        }
        return (firsts, seconds);
    }

    private static PlantedDuplicatesResult Count(int pairs, double[] similarities, (bool[] Firsts, bool[] Seconds) kept, bool same)
    {
        var levels = new List<PlantedLevel>();
        int falseMerges = 0;
        for (int level = 0; level < Levels.Length; level++)
        {
            int joined = 0;
            double sum = 0;
            for (int pair = level * pairs; pair < (level + 1) * pairs; pair++)
            {
                sum += similarities[pair];
                if (kept.Seconds[pair]) continue;
                joined++;
                if (similarities[pair] < FalseBelow) falseMerges++;
            }
            levels.Add(new PlantedLevel(Levels[level], pairs, sum / pairs, joined));
        }
        return new PlantedDuplicatesResult(levels, 2L * similarities.Length, falseMerges, similarities.Length, kept.Firsts.Count(first => !first), same);
    }

    private static string[] TextFiles(string corpus) => [.. ((string[])["train", "heldout"])
        .SelectMany(side => Directory.EnumerateFiles(Path.Combine(corpus, side), "*.jsonl")).Select(path => Path.GetRelativePath(corpus, path)).Order(StringComparer.Ordinal)];

    private static bool SameTexts(PhysicalFileSystem files, string one, string other)
    {
        string[] names = TextFiles(one);
        return names.SequenceEqual(TextFiles(other))
            && names.All(name => Manifest.HashFile(files, Path.Combine(one, name)) == Manifest.HashFile(files, Path.Combine(other, name)));
    }
}

/// <summary>What was found of planted pairs.</summary>
/// <param name="Levels">From the least alike to the most.</param>
/// <param name="Documents">All documents.</param>
/// <param name="FalseMerges">Joined pairs whose similarity is below <see cref="PlantedDuplicates.FalseBelow"/>.</param>
/// <param name="Unrelated">Documents that are unrelated to all before them.</param>
/// <param name="UnrelatedMerged">How many of these were dropped.</param>
/// <param name="SameWhenDividedOtherwise">Whether the corpus is the same byte for byte with other units of work and another number of workers.</param>
public sealed record PlantedDuplicatesResult(
    IReadOnlyList<PlantedLevel> Levels, long Documents, int FalseMerges, int Unrelated, int UnrelatedMerged, bool SameWhenDividedOtherwise)
{
    /// <summary>All joined pairs.</summary>
    public int Joined => Levels.Sum(level => level.Joined);

    /// <summary>Pairs and documents falsely merged, as a share of all that were dropped; 0 when nothing was.</summary>
    public double FalseShare => Joined + UnrelatedMerged == 0 ? 0 : (double)(FalseMerges + UnrelatedMerged) / (Joined + UnrelatedMerged);
}

/// <summary>The pairs of one similarity.</summary>
/// <param name="Jaccard">The least similarity of these pairs.</param>
/// <param name="Pairs">How many.</param>
/// <param name="MeanJaccard">Their similarity on average: words are whole, so that it lies a little higher.</param>
/// <param name="Joined">How many were joined.</param>
public sealed record PlantedLevel(double Jaccard, int Pairs, double MeanJaccard, int Joined)
{
    /// <summary>The share that was joined.</summary>
    public double Share => (double)Joined / Pairs;
}
