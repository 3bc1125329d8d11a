using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Trains byte-level byte-pair encoding: the most frequent pair of neighbouring tokens becomes a token, again and again; among
/// equally frequent pairs the one with the lower ids. The result depends on the texts and the settings alone.</summary>
/// <remarks>Source: arXiv:1508.07909. Words are summed before anything is decided, so neither their order nor the number of threads can matter;
/// memory matters only where the report says that rare words were left out for want of it.</remarks>
public static class BpeTrainer
{
    /// <summary>Longer words (long runs of letters without a space) are counted in pieces of this many bytes: each merge walks through
    /// the words that it changes.</summary>
    public const int LongestWordBytes = 256;

    /// <summary>Memory for training unless another is given: 4 GB.</summary>
    public const long DefaultMemoryBytes = 4_000_000_000;

    private const int WeightUnit = 1024;   // the weight of the largest language; whole weights add up exactly in any order

    /// <summary>Trains a tokenizer with this project's special tokens.</summary>
    /// <param name="texts">Read once, in pieces, by one thread at a time.</param>
    /// <param name="config">The settings.</param>
    /// <param name="launcher">Where counting runs; its number of workers changes the time and not the result.</param>
    /// <param name="progress">Told now and then, from worker threads too.</param>
    /// <param name="cancellation">Stops between batches and merges.</param>
    public static Tokenizer Train(
        IEnumerable<TrainingText> texts, BpeTrainerConfig config, ILauncher launcher,
        IProgress<TokenizerTrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Train([new TextsInput(texts)], config, launcher, TrainingMemory.Default, progress, cancellation).Tokenizer;
    }

    /// <summary>Trains a tokenizer from several inputs, which are read at the same time.</summary>
    /// <returns>The tokenizer, and what was measured on the way.</returns>
    internal static (Tokenizer Tokenizer, TrainingReport Report) Train(
        IReadOnlyList<ITrainingInput> inputs, BpeTrainerConfig config, ILauncher launcher, TrainingMemory memory,
        IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(launcher);
        var control = ControlTokens.Of(config.Reserve, config.ReservedTokens);
        int ordinary = config.VocabularySize - control.Count;
        if (ordinary < 256)
            throw new UserErrorException($"The vocabulary size is {config.VocabularySize}; expected at least {256 + control.Count}: every byte and the control tokens.");
        var split = TrainingSplit.Find(config.Split, config.Digits);
        var counting = new WordCounting(split.Pattern, new SourceWeights(config.SourceWeights, config.ParallelSources, config.HeldBackShare), memory);
        var words = counting.Run(inputs, launcher, progress, cancellation);
        var contents = LanguageContent.Estimate(words.Languages, counting.Parallel);
        long[] multipliers = FrequencyWeights(words.Languages, config.LanguageExponent);
        var balance = config.Parity == 0 ? null : new LanguageBalance(
            [.. words.Languages.Select((language, i) => contents[i].Balanced(language, multipliers[i]))], config.Parity);
        var rules = new MergeRules([.. control, .. config.Forbidden], config.LongestTokenBytes, config.SpaceRun > 0 ? config.SpaceRun : null);
        var merging = new BpeMerging(words.Languages, multipliers, rules, balance);
        words.ReleaseLists();
        if (words.SpilledRuns > 0)
            WordCounting.GiveBack();
        merging.Run(ordinary, config.MinimumPairCount, config.SpaceRun, progress, cancellation);
        var added = control.Select((content, index) => new AddedToken(merging.Tokens.Count + index, content, Special: true)).ToList();
        if (VocabularyLint.Faults(merging.Tokens, merging.Merges, added) is [var fault, ..])
            throw new UserErrorException($"The vocabulary is not safe: {fault}; choose other names for control tokens.");
        var begin = added.Find(token => token.Content == SpecialTokens.BeginOfText)!;
        var tokenizer = new Tokenizer(new TokenizerParts(
            new BpeSettings([.. merging.Tokens.Select(token => Encoding.UTF8.GetBytes(ByteAlphabet.ToText(token)))], merging.Merges), added, null, TrainingSplit.Steps(split.Pattern, split.Regex),
            TemplateProcessing.StartingWith(begin.Content, begin.Id), new ByteLevelDecoder()));
        return (tokenizer, TrainingReport.Of(words, contents, counting.Parallel.Documents, balance));
    }

    /// <summary>How much the words of each language count when languages are not balanced.</summary>
    internal static long[] FrequencyWeights(IReadOnlyList<LanguageWords> languages, double exponent)
    {
        long largest = languages.Select(language => language.Texts.WeightedBytes).DefaultIfEmpty().Max();
        return [.. languages.Select(language => language.Texts.WeightedBytes == 0 ? 0
            : (long)Math.Round(WeightUnit * Numerics.Pow((double)largest / language.Texts.WeightedBytes, 1 - exponent), MidpointRounding.ToEven))];
    }
}
