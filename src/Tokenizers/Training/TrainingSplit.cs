namespace OpenEuroLLM.Tokenizers;

/// <summary>The split patterns that a tokenizer can be trained with, by name.</summary>
public static class TrainingSplit
{
    /// <summary>The pattern taken when none is named.</summary>
    public const string Default = "llama-3";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["llama-3"];

    /// <summary>The pattern of a name, and its regular expression.</summary>
    internal static (ISplitPattern Pattern, string Regex) Find(string name, DigitPolicy digits) => (new Current(), SplitPattern.Regex);

    private sealed class Current : ISplitPattern
    {
        public bool TryMatch(ReadOnlySpan<byte> text, int from, out int start, out int end)
        {
            start = from;
            end = SplitPattern.WordEnd(text, from);
            return true;
        }
    }
}
