using System.Globalization;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Undoes the chunked transfer encoding. Source: RFC 9112, section 7.1.</summary>
internal static class ChunkedBody
{
    private const int LongestSizeLine = 4096;

    /// <summary>Joins the chunks. A body that is not in chunks at all stays as it is (many archives undo the encoding and keep the header); where a later chunk is
    /// wrong, what is left stays as it is.</summary>
    /// <param name="body">The body as it was sent.</param>
    /// <param name="problem">What was wrong; null when nothing was.</param>
    public static ReadOnlyMemory<byte> Undo(ReadOnlyMemory<byte> body, out string? problem)
    {
        problem = null;
        ReadOnlySpan<byte> rest = body.Span;
        if (TakeSize(ref rest) is null)
        {
            problem = "not-chunked";
            return body;
        }
        byte[] joined = new byte[body.Length];
        int length = 0;
        rest = body.Span;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> before = rest;
            if (TakeSize(ref rest) is not { } size)
            {
                problem = "wrong-chunk";
                before.CopyTo(joined.AsSpan(length));
                length += before.Length;
                break;
            }
            if (size == 0) break;
            int count = (int)Math.Min(size, rest.Length);
            if (count < size) problem = "cut-short";
            rest[..count].CopyTo(joined.AsSpan(length));
            length += count;
            rest = rest[count..];
            if (rest.StartsWith("\r\n"u8)) rest = rest[2..];
            else if (rest.StartsWith("\n"u8)) rest = rest[1..];
        }
        return joined.AsMemory(0, length);
    }

    private static long? TakeSize(ref ReadOnlySpan<byte> rest)
    {
        int end = rest[..Math.Min(rest.Length, LongestSizeLine)].IndexOf((byte)'\n');
        if (end < 0) return null;
        ReadOnlySpan<byte> line = rest[..end];
        int extension = line.IndexOf((byte)';');
        ReadOnlySpan<byte> digits = (extension < 0 ? line : line[..extension]).Trim(" \t\r"u8);
        if (digits.Length is 0 or > 15 || !long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long size)) return null;
        rest = rest[(end + 1)..];
        return size;
    }
}
