using System.Runtime.CompilerServices;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads code points of UTF-8 text forwards and backwards. A byte that is no part of valid UTF-8 is one <see cref="CodePointSet.BrokenByte"/>.</summary>
internal static class CodePoints
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ReadOnlySpan<byte> text, int position, out int length)
    {
        byte first = text[position];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }
        return ReadLong(text, position, out length);
    }

    /// <summary>The character that ends at a position.</summary>
    public static int ReadBefore(ReadOnlySpan<byte> text, int position, out int length)
    {
        // A valid character begins at its first byte wherever reading began, so that both directions cut text alike.
        for (int start = position - 1; start >= Math.Max(0, position - 4); start--)
        {
            if ((text[start] & 0xC0) == 0x80)
                continue;
            int value = Read(text, start, out length);
            if (length == position - start)
                return value;
            break;
        }
        length = 1;
        return CodePointSet.BrokenByte;
    }

    private static int ReadLong(ReadOnlySpan<byte> text, int position, out int length)
    {
        if (Rune.DecodeFromUtf8(text[position..], out var rune, out length) == System.Buffers.OperationStatus.Done)
            return rune.Value;
        length = 1;
        return CodePointSet.BrokenByte;
    }
}
