namespace OpenEuroLLM.Tokenizers;

/// <summary>The split pattern of the tokenizers that are trained here: the one of Llama 3.</summary>
internal static class SplitPattern
{
    /// <summary>The pattern as it stands in <c>tokenizer.json</c>.</summary>
    public const string Regex = SplitPatterns.Llama3;

    /// <summary>The end of the word that starts at a position inside the text.</summary>
    public static int WordEnd(ReadOnlySpan<byte> text, int start) => SplitPatterns.Scanner.Llama3.WordEnd(text, start);
}
