using System.Text;

namespace OpenEuroLLM.Corpus;

/// <summary>A part of a text that stands for the whole of it where its language is asked.</summary>
internal static class TextSample
{
    private const int Pieces = 3;

    [ThreadStatic]
    private static byte[]? _sample;

    /// <summary>At most so many bytes of UTF-8: the text, or pieces from its beginning, middle and end. Valid until the thread takes another.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<char> text, int bytes)
    {
        byte[] sample = _sample is { } kept && kept.Length >= bytes ? kept : _sample = new byte[bytes];
        return sample.AsSpan(0, Fill(text, sample.AsSpan(0, bytes)));
    }

    private static int Fill(ReadOnlySpan<char> text, Span<byte> sample)
    {
        if (text.Length <= sample.Length && Encoding.UTF8.TryGetBytes(text, sample, out int all)) return all;
        int length = 0, room = sample.Length / Pieces;
        for (int piece = 0; piece < Pieces; piece++)
        {
            int start = (int)((long)Math.Max(0, text.Length - room) * piece / (Pieces - 1));
            // As many whole characters as fit; the encoder leaves a character out rather than cutting it.
            Encoding.UTF8.GetEncoder().Convert(text.Slice(start, Math.Min(room, text.Length - start)), sample.Slice(length, room - 1), flush: true, out _, out int written, out _);
            length += written;
            sample[length++] = (byte)'\n';
        }
        return length;
    }
}
