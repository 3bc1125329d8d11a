namespace OpenEuroLLM.Tokenizers;

/// <summary>What a <c>tokenizer.ggml.pre</c> stands for.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Regex">The split pattern.</param>
/// <param name="SingleNumbers">Whether every number is split off before.</param>
/// <param name="WholeWords">Whether a word that is a token is taken at once, whatever its merges.</param>
internal sealed record GgufSplit(string Name, string Regex, bool SingleNumbers = false, bool WholeWords = false)
{
    /// <summary>The names that are known; of those that mean the same the first is written.</summary>
    public static IReadOnlyList<GgufSplit> Known { get; } =
    [
        new("llama-bpe", SplitPatterns.Llama3, WholeWords: true),
        new("llama3", SplitPatterns.Llama3, WholeWords: true),
        new("llama-v3", SplitPatterns.Llama3, WholeWords: true),
        new("dbrx", SplitPatterns.Llama3),
        new("smaug-bpe", SplitPatterns.Llama3),
        new("gpt-2", SplitPatterns.Gpt2),
        new("olmo", SplitPatterns.Gpt2),
        new("phi-2", SplitPatterns.Gpt2),
        new("qwen2", SplitPatterns.Qwen2),
        new("deepseek-r1-qwen", SplitPatterns.Qwen2),
        new("stablelm2", SplitPatterns.Qwen2),
        new("gpt-4o", SplitPatterns.O200k),
        new("llama4", SplitPatterns.O200k),
        new("tekken", SplitPatterns.Tekken, WholeWords: true),
        new("smollm", SplitPatterns.Gpt2, SingleNumbers: true),
        new("starcoder", SplitPatterns.Gpt2, SingleNumbers: true),
        new("refact", SplitPatterns.Gpt2, SingleNumbers: true),
        new("command-r", SplitPatterns.Gpt2, SingleNumbers: true),
    ];

    /// <summary>The steps of a tokenizer that split so.</summary>
    public IPreTokenizer Steps => SingleNumbers
        ? new PreTokenizerSequence([new DigitsPreTokenizer(Individual: true), new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: true, UseRegex: true)])
        : new PreTokenizerSequence(
        [
            new SplitPreTokenizer(new TextPattern(Regex, SplitPatterns.Compile(Regex, Name)), SplitBehavior.Isolated, Invert: false),
            new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: true, UseRegex: false),
        ]);

    /// <summary>The name for the steps of a tokenizer, or null. Of several the one whose readers treat whole words as the tokenizer does.</summary>
    public static GgufSplit? Of(IPreTokenizer? steps, bool wholeWords)
    {
        bool singleNumbers = false;
        var patterns = new List<ISplitPattern>();
        foreach (var step in steps is PreTokenizerSequence sequence ? sequence.Steps : steps is null ? [] : [steps])
        {
            switch (step)
            {
                case DigitsPreTokenizer { Individual: true } when patterns.Count == 0:
                    singleNumbers = true;
                    break;
                case SplitPreTokenizer { Behavior: SplitBehavior.Isolated, Invert: false, Pattern.Regex: { } regex }:
                    patterns.Add(regex);
                    break;
                case ByteLevelPreTokenizer { AddPrefixSpace: false } bytes:
                    if (bytes.UseRegex)
                        patterns.Add(SplitPatterns.Scanner.Gpt2);
                    break;
                default:
                    return null;
            }
        }
        // Spellings of one pattern share a scanner.
        return Known.Where(split => split.SingleNumbers == singleNumbers && patterns.Count == 1 && ReferenceEquals(SplitPatterns.Find(split.Regex), patterns[0]))
            .OrderByDescending(split => split.WholeWords == wholeWords).FirstOrDefault();
    }
}
