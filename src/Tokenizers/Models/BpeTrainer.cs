using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Trains byte-level byte-pair encoding: the most frequent pair of neighbouring tokens becomes a token, again and again; among
/// equally frequent pairs the one with the lower ids. The result depends on the texts and the settings alone.</summary>
/// <remarks>Source: arXiv:1508.07909, over the words of the Llama 3 split pattern. Words are summed before anything is decided, so neither their order nor the
/// number of threads can matter.</remarks>
public static class BpeTrainer
{
    /// <summary>Longer words (long runs of letters without a space) are counted in pieces of this many bytes: each merge walks through
    /// the words that it changes.</summary>
    internal const int LongestWordBytes = 256;

    private const int BatchBytes = 1 << 18;
    private const int WeightUnit = 1024;   // the weight of the largest language; whole weights add up exactly in any order

    /// <summary>Trains a tokenizer with this project's special tokens.</summary>
    /// <param name="texts">Read once, in pieces, by one thread at a time.</param>
    /// <param name="config">The settings.</param>
    /// <param name="launcher">Where counting runs; its number of workers changes the time and not the result.</param>
    /// <param name="progress">Told now and then, from worker threads too.</param>
    /// <param name="cancellation">Stops between batches and merges.</param>
    public static Tokenizer Train(
        IEnumerable<TrainingText> texts, BpeTrainerConfig config, ILauncher launcher,
        IProgress<BpeTrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(launcher);
        int ordinary = config.VocabularySize - SpecialTokens.All.Count;
        if (ordinary < 256)
            throw new UserErrorException($"The vocabulary size is {config.VocabularySize}; expected at least {256 + SpecialTokens.All.Count}: every byte and the special tokens.");
        var words = WeightLanguages(CountWords(texts, launcher, progress, cancellation), config.LanguageExponent);
        var merging = new BpeMerging(words, SpecialTokens.All);
        merging.Run(ordinary, config.MinimumPairCount, progress, cancellation);
        var special = SpecialTokens.All.Select((content, index) => new AddedToken(merging.Tokens.Count + index, content, Special: true)).ToList();
        return new Tokenizer(
            new BpeModel([.. merging.Tokens], merging.Merges, ignoreMerges: false), special,
            new TokenizerSurroundings(TokenizerJson.StartingWith(special[0].Content, special[0].Id)));
    }

    private static SortedDictionary<string, LanguageCount> CountWords(
        IEnumerable<TrainingText> texts, ILauncher launcher, IProgress<BpeTrainingProgress>? progress, CancellationToken cancellation)
    {
        using var source = texts.GetEnumerator();
        var gate = new Lock();
        var counts = new Dictionary<string, LanguageCount>[launcher.Workers];
        long read = 0;
        launcher.Run(launcher.Workers, worker =>
        {
            var mine = counts[worker] = new Dictionary<string, LanguageCount>(StringComparer.Ordinal);
            var batch = new List<TrainingText>();
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                batch.Clear();
                lock (gate)
                {
                    int bytes = 0;
                    while (bytes < BatchBytes && source.MoveNext())
                    {
                        batch.Add(source.Current);
                        bytes += source.Current.Utf8.Length;
                    }
                    read += bytes;
                }
                if (batch.Count == 0)
                    break;
                foreach (var text in batch)
                {
                    if (!mine.TryGetValue(text.Language, out var language))
                        mine.Add(text.Language, language = new LanguageCount());
                    language.Add(text.Utf8.Span);
                }
                progress?.Report(new BpeTrainingProgress("counting", Interlocked.Read(ref read), null));
            }
        }, cancellation);

        var total = new SortedDictionary<string, LanguageCount>(StringComparer.Ordinal);
        foreach (var (language, count) in counts.Where(mine => mine is not null).SelectMany(mine => mine))
        {
            if (total.TryGetValue(language, out var sum))
                sum.Add(count);
            else
                total.Add(language, count);
        }
        return total;
    }

    private static WordCounter WeightLanguages(SortedDictionary<string, LanguageCount> languages, double exponent)
    {
        var words = new WordCounter();
        long largest = languages.Values.Select(language => language.TextBytes).DefaultIfEmpty().Max();
        foreach (var language in languages.Values)
        {
            long weight = language.TextBytes == 0 ? 0
                : (long)Math.Round(WeightUnit * Numerics.Pow((double)largest / language.TextBytes, 1 - exponent), MidpointRounding.ToEven);
            for (int number = 0; number < language.Words.Words; number++)
                words.Add(language.Words.Word(number), language.Words.Count(number), weight);
        }
        return words;
    }

    private sealed class LanguageCount
    {
        public WordCounter Words { get; } = new();

        public long TextBytes { get; private set; }

        public void Add(ReadOnlySpan<byte> text)
        {
            TextBytes += text.Length;
            for (int start = 0; start < text.Length;)
            {
                int end = SplitPattern.WordEnd(text, start);
                for (; end - start > LongestWordBytes; start += LongestWordBytes)
                    Words.Add(text.Slice(start, LongestWordBytes), 1);
                Words.Add(text[start..end], 1);
                start = end;
            }
        }

        public void Add(LanguageCount other)
        {
            TextBytes += other.TextBytes;
            for (int number = 0; number < other.Words.Words; number++)
                Words.Add(other.Words.Word(number), other.Words.Count(number));
        }
    }
}
