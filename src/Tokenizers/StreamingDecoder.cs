using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Decodes tokens one by one. An incomplete character is held back until it is complete, so the pieces together are exactly what
/// <see cref="Tokenizer.Decode"/> gives for all tokens. Belongs to one stream.</summary>
/// <param name="tokenizer">The tokens' tokenizer.</param>
/// <param name="skipSpecial">Whether control tokens are left out.</param>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecial = true)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that has become certain with one more token; may be empty.</summary>
    public string Push(int id) => Convert(tokenizer.BytesOf(id, skipSpecial), flush: false);

    /// <summary>What is left at the end: an incomplete character becomes U+FFFD. The decoder can be used again afterwards.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        int count = _decoder.GetCharCount(bytes, flush);
        if (count == 0 && !flush && bytes.IsEmpty)
            return "";
        Span<char> text = count <= 256 ? stackalloc char[count] : new char[count];
        int written = _decoder.GetChars(bytes, text, flush);
        return text[..written].ToString();
    }
}
