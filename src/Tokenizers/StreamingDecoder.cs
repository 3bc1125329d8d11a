using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Decodes tokens one by one. What is not certain yet is held back (an incomplete character, a run of byte tokens, a space that may be dropped), so
/// the pieces together are exactly what <see cref="Tokenizer.Decode"/> gives for all tokens. The work for a token does not grow with the text. Belongs to one stream.</summary>
/// <param name="tokenizer">The tokens' tokenizer.</param>
/// <param name="skipSpecial">Whether control tokens are left out.</param>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecial = true)
{
    private readonly System.Text.Decoder _characters = Encoding.UTF8.GetDecoder();
    private readonly DecodedText _text = new();
    private DecoderStream? _steps;      // null before the first token

    /// <summary>The text that has become certain with one more token; may be empty.</summary>
    /// <exception cref="Core.UserErrorException">The id is not in the vocabulary.</exception>
    public string Push(int id)
    {
        if (tokenizer.DirectBytesOf(id) is { } bytes)
            return skipSpecial && tokenizer.IsSpecial(id) ? "" : Convert(bytes, flush: false);
        _steps ??= tokenizer.BeginDecoding(_text);
        tokenizer.PushTo(_steps, id, skipSpecial);
        return Take(flush: false);
    }

    /// <summary>What is left at the end: an incomplete character becomes U+FFFD. The decoder can be used again afterwards.</summary>
    public string Flush()
    {
        _steps?.End();
        _steps = null;
        return Take(flush: true);
    }

    private string Take(bool flush)
    {
        string taken = Convert(_text.Text, flush);
        _text.Clear();
        return taken;
    }

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        int count = _characters.GetCharCount(bytes, flush);
        if (count == 0 && !flush && bytes.IsEmpty)
            return "";
        Span<char> text = count <= 256 ? stackalloc char[count] : new char[count];
        int written = _characters.GetChars(bytes, text, flush);
        return text[..written].ToString();
    }
}
