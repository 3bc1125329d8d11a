using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Counts the words of all texts in memory of a given size; what does not fit lies on disk as sorted runs until the end. The counts do not depend on
/// threads, memory or order.</summary>
/// <param name="pattern">What words are.</param>
/// <param name="sources">How much texts count.</param>
/// <param name="memory">What may be held, and where the rest lies.</param>
internal sealed class WordCounting(ISplitPattern pattern, SourceWeights sources, TrainingMemory memory)
{
    private const int BatchBytes = 1 << 18;
    private const long ProgramBytes = 192L << 20;      // the runtime, buffers, texts on their way

    // Measured: what merging holds for a word and for a byte of it, lists and pairs included.
    private const long MergingBytesPerWord = 184;
    private const long MergingBytesPerByte = 46;

    /// <summary>Parallel documents, seen while counting.</summary>
    public ParallelTexts Parallel { get; } = new();

    public TrainingWords Run(
        IReadOnlyList<ITrainingInput> inputs, ILauncher launcher, IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        using var runs = new WordRuns(memory.SpillFolder);
        using var reading = new SharedReading(inputs, progress);
        var workers = new Worker[launcher.Workers];
        // Tables grow by doubling: for a while there are the old one and the new one.
        long share = memory.TableBytes ?? Math.Max(1 << 20, (memory.Bytes - ProgramBytes) / 3 / launcher.Workers);
        launcher.Run(launcher.Workers, number =>
        {
            var worker = workers[number] = new Worker(this, runs, share);
            reading.Read(BatchBytes, worker.Add, cancellation);
        }, cancellation);
        var texts = new SortedDictionary<string, TextSums>(StringComparer.Ordinal);
        foreach (var (language, sums) in workers.Where(worker => worker is not null).SelectMany(worker => worker.Texts))
            texts[language] = texts.GetValueOrDefault(language) + sums;
        if (texts.Values.All(sums => sums.Bytes + sums.MeasuredBytes == 0))
            throw new UserErrorException("There is no text to train a tokenizer on; name files that hold some.");
        return runs.Written == 0 ? InMemory(workers, texts, launcher, cancellation) : FromDisk(runs, workers, texts, progress, cancellation);
    }

    private TrainingWords InMemory(Worker[] workers, SortedDictionary<string, TextSums> texts, ILauncher launcher, CancellationToken cancellation)
    {
        string[] languages = [.. texts.Keys];
        var counters = new WordCounter[languages.Length];
        launcher.Run(languages.Length, number =>
        {
            var parts = workers.Where(worker => worker is not null).Select(worker => worker.Words.GetValueOrDefault(languages[number]))
                .OfType<WordCounter>().OrderByDescending(part => part.Words).ToList();
            counters[number] = parts[0];
            foreach (var part in parts[1..])
                counters[number].Add(part);
        }, cancellation);
        var histogram = new CountHistogram();
        foreach (var words in counters)
            for (int number = 0; number < words.Words; number++)
                histogram.Add(words.Word(number).Length, words.Sum(number));
        var (minimum, droppedWords, droppedOccurrences) = histogram.Fit(MergingMemory, MergingBytesPerWord, MergingBytesPerByte);
        var lists = new WordList[languages.Length];
        launcher.Run(languages.Length, number =>
        {
            var words = counters[number];
            var list = lists[number] = new WordList(words.Words, words.Bytes);
            for (int word = 0; word < words.Words; word++)
                if (IsKept(words.Sum(word), minimum))
                    list.Add(words.Word(word), words.Sum(word));
            counters[number] = null!;
        }, cancellation);
        return new TrainingWords([.. languages.Select((language, number) => new LanguageWords(language, lists[number], texts[language]))], minimum, droppedWords, droppedOccurrences, 0);
    }

    private TrainingWords FromDisk(
        WordRuns runs, Worker[] workers, SortedDictionary<string, TextSums> texts, IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        foreach (var worker in workers)
            worker?.Spill();
        GiveBack();
        var histogram = new CountHistogram();
        runs.Join((word, sum) => histogram.Add(word.Length, sum), (done, total) => progress?.Report(new TokenizerTrainingProgress("joining", done, total)), cancellation);
        var (minimum, droppedWords, droppedOccurrences) = histogram.Fit(MergingMemory, MergingBytesPerWord, MergingBytesPerByte);
        var languages = new List<LanguageWords>();
        foreach (string language in texts.Keys)
        {
            cancellation.ThrowIfCancellationRequested();
            var list = new WordList();
            if (runs.Languages.Contains(language))
            {
                runs.Read(language, (word, sum) =>
                {
                    if (IsKept(sum, minimum))
                        list.Add(word, sum);
                });
            }
            languages.Add(new LanguageWords(language, list, texts[language]));
        }
        GiveBack();
        return new TrainingWords(languages, minimum, droppedWords, droppedOccurrences, runs.Written);
    }

    /// <summary>Gives what tables and lists left behind while they grew back to the system: the collector would keep it for later, and later has a limit too.</summary>
    internal static void GiveBack() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private long MergingMemory => memory.Bytes - ProgramBytes;

    /// <summary>Words that are only measured stay: what languages are compared on must not depend on memory.</summary>
    private static bool IsKept(WordSum sum, long minimum) => sum.Count >= minimum || sum.Count == 0;

    private sealed class Worker(WordCounting counting, WordRuns runs, long share)
    {
        private int _textsSinceCheck;

        public Dictionary<string, WordCounter> Words { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, TextSums> Texts { get; } = new(StringComparer.Ordinal);

        public void Add(TrainingText text)
        {
            var (weight, parallel) = counting.Sources.Of(text.Source);
            bool held = false;
            if (parallel && text.Id.Length > 0)
            {
                counting.Parallel.Add(text.Source, text.Id, text.Language, text.Utf8.Length);
                held = counting.Sources.IsHeldBack(text.Source, text.Id);
            }
            var sum = held ? new WordSum(0, 0, 1) : new WordSum(1, weight, 0);
            if (!Words.TryGetValue(text.Language, out var words))
                Words.Add(text.Language, words = new WordCounter());
            long bytes = text.Utf8.Length;
            Texts[text.Language] = Texts.GetValueOrDefault(text.Language)
                + (held ? new TextSums(0, 0, 0, 1, bytes) : new TextSums(1, bytes, bytes * weight, 0, 0));
            counting.Split(text.Utf8.Span, words, sum);
            if (++_textsSinceCheck >= 16 || bytes > BatchBytes)
            {
                _textsSinceCheck = 0;
                if (Words.Values.Sum(table => table.AllocatedBytes) > share)
                    Spill();
            }
        }

        public void Spill()
        {
            if (Words.Count == 0)
                return;
            runs.Write(Words);
            Words.Clear();
        }
    }

    private SourceWeights Sources => sources;

    private void Split(ReadOnlySpan<byte> text, WordCounter words, WordSum sum)
    {
        for (int start = 0; start < text.Length;)
        {
            // What lies between two matches is a word too.
            int end = pattern.TryMatch(text, start, out int matchStart, out int matchEnd) ? matchStart > start ? matchStart : matchEnd : text.Length;
            while (end - start > BpeTrainer.LongestWordBytes)
            {
                int cut = start + BpeTrainer.LongestWordBytes;
                for (int back = 0; back < 3 && (text[cut] & 0xC0) == 0x80; back++)      // between two characters, unless the text is no UTF-8
                    cut--;
                words.Add(text[start..cut], sum);
                start = cut;
            }
            words.Add(text[start..end], sum);
            start = end;
        }
    }
}
