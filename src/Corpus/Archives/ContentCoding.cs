using System.IO.Compression;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Undoes the encodings that HTTP packs content in. Source: RFC 9110, section 8.4.</summary>
internal static class ContentCoding
{
    /// <summary>Problem of a body that is not packed as it is said to be.</summary>
    public const string NotPacked = "not-packed";

    /// <summary>Reason of a body that cannot be unpacked here.</summary>
    public const string UnknownCoding = "unknown-coding";

    /// <summary>Unpacks a body. One that is not packed stays as it is (many archives unpack and keep the header); of one that is cut short or damaged
    /// stays what could be unpacked, as in a browser.</summary>
    /// <param name="coding">The encoding's name.</param>
    /// <param name="body">The packed content.</param>
    /// <param name="limits">What is read at most.</param>
    /// <param name="problem">What was wrong; null when nothing was.</param>
    /// <exception cref="DamagedDataException">The content unpacks to more than is allowed, or the encoding is unknown.</exception>
    public static ReadOnlyMemory<byte> Undo(string coding, ReadOnlyMemory<byte> body, ArchiveLimits limits, out string? problem)
    {
        problem = null;
        if (body.IsEmpty || coding is "identity" or "none" or "utf-8") return body;
        if (Open(coding, body, limits) is not { } unpacking)
        {
            problem = NotPacked;
            return body;
        }
        using (unpacking)
        {
            byte[] content = new byte[Math.Min(limits.PayloadBytes, Math.Max(1 << 16, body.Length * 4L))];
            int length = 0;
            try
            {
                while (true)
                {
                    int read = unpacking.Read(content, length, content.Length - length);
                    if (read == 0) break;
                    length += read;
                    limits.CheckRatio(body.Length, length);
                    if (length < content.Length) continue;
                    if (length == limits.PayloadBytes) throw new DamagedDataException(WarcReader.TooLarge, $"the content unpacks to more than {limits.PayloadBytes} bytes");
                    Array.Resize(ref content, (int)Math.Min(2L * content.Length, limits.PayloadBytes));
                }
            }
            catch (Exception error) when (error is InvalidDataException or IOException or InvalidOperationException || (error is DamagedDataException damage && IsPartial(damage)))
            {
                problem = length == 0 ? NotPacked : DamagedDataException.CutShort;
                if (length == 0) return body;
            }
            if (length == 0) problem = NotPacked;
            return length == 0 ? body : content.AsMemory(0, length);
        }
    }

    private static bool IsPartial(DamagedDataException damage) => damage.Reason is DamagedDataException.Damaged or DamagedDataException.CutShort;

    private static Stream? Open(string coding, ReadOnlyMemory<byte> body, ArchiveLimits limits)
    {
        ReadOnlySpan<byte> bytes = body.Span;
        MemoryStream Source() => MemoryMarshal.TryGetArray(body, out ArraySegment<byte> segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(body.ToArray(), writable: false);

        switch (coding)
        {
            case "gzip" or "x-gzip":
                return bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? new GZipStream(Source(), CompressionMode.Decompress) : null;
            case "deflate":   // the zlib form is meant, the bare one is sent as well
                bool isZlib = bytes.Length >= 2 && (bytes[0] & 15) == 8 && ((bytes[0] << 8) | bytes[1]) % 31 == 0;
                if (isZlib) return new ZLibStream(Source(), CompressionMode.Decompress);
                return bytes[0] is (byte)'<' or (byte)'{' ? null : new DeflateStream(Source(), CompressionMode.Decompress);
            case "br":
                return bytes[0] is (byte)'<' or (byte)'{' ? null : new BrotliStream(Source(), CompressionMode.Decompress);
            case "zstd":
                return !bytes.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? null
                    : Zstandard.IsAvailable ? new UnpackedStream(Source(), Packing.Zstandard, limits)
                    : throw new DamagedDataException(UnknownCoding, "libzstd is not on this machine");
            default:
                throw new DamagedDataException(UnknownCoding, $"the content encoding '{coding}' is unknown");
        }
    }
}
