using System.Buffers;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The borders of characters in UTF-8.</summary>
internal static class Utf8Characters
{
    /// <summary>The bytes of the first character; 1 for a byte that is no part of valid UTF-8.</summary>
    /// <param name="text">At least one byte.</param>
    public static int FirstLength(ReadOnlySpan<byte> text)
    {
        if (text[0] < 0x80)
            return 1;
        return Rune.DecodeFromUtf8(text, out _, out int length) == OperationStatus.Done ? length : 1;
    }

    /// <summary>How many characters there are; a byte that is no part of valid UTF-8 is one.</summary>
    public static int Count(ReadOnlySpan<byte> text)
    {
        int count = 0;
        for (; text.Length > 0; count++)
            text = text[FirstLength(text)..];
        return count;
    }
}
