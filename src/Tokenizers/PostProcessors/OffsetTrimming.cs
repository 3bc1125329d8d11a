using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Leaves the white space at the ends of tokens out of their places.</summary>
internal static class OffsetTrimming
{
    private static ReadOnlySpan<byte> PrintedSpace => "\u0120"u8;   // a space in the byte alphabet

    /// <param name="tokens">The tokens of one text.</param>
    /// <param name="textOf">What a token is in the vocabulary, or the text that an added token was found as.</param>
    /// <param name="addPrefixSpace">Whether the pre-tokenizer has put a space before the text, which then is not in it.</param>
    public static void Apply(List<EncodedToken> tokens, Func<EncodedToken, byte[]> textOf, bool addPrefixSpace)
    {
        var span = CollectionsMarshal.AsSpan(tokens);
        for (int i = 0; i < span.Length; i++)
        {
            byte[] text = textOf(span[i]);
            var (start, end) = (span[i].Start, span[i].End);
            int leading = 0, characters = 0, trailing = 0;
            for (int position = 0; position < text.Length && IsSpace(text, position, out int length, out int bytes); position += length, characters++)
                leading += bytes;
            for (int position = text.Length; position > 0 && IsSpace(text, Characters.LastBefore(text, position), out int length, out int bytes); position -= length)
                trailing += bytes;
            if (leading > 0 && !((i == 0 || start == 0) && addPrefixSpace && characters == 1))
                start = Math.Min(start + leading, end);
            else if (leading > 0 && trailing == leading)
                end = start;        // the space that was put before the text, by itself, stands for nothing
            if (trailing > 0 && end >= trailing)
                end = Math.Max(end - trailing, start);
            span[i] = span[i] with { Start = start, End = end };
        }
    }

    /// <param name="text">A token.</param>
    /// <param name="position">Where its character begins.</param>
    /// <param name="length">The bytes of the character in the token.</param>
    /// <param name="bytes">The bytes it stands for in the text.</param>
    private static bool IsSpace(ReadOnlySpan<byte> text, int position, out int length, out int bytes)
    {
        length = bytes = Characters.Read(text, position, out int value);
        if (text[position..].StartsWith(PrintedSpace))
            bytes = 1;
        else if (!Characters.IsWhiteSpace(value))
            return false;
        return true;
    }
}
