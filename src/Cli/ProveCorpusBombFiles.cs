using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace OpenEuroLLM.Cli;

/// <summary>Makes files that are meant to exhaust memory or time, or are damaged.</summary>
internal static class ProveCorpusBombFiles
{
    private const int ChunkBytes = 1 << 20;
    private const int ZstandardBlock = 128 << 10;

    /// <summary>Writes one byte over and over behind a beginning.</summary>
    public static void LongLine(string path, string beginning, long bytes, char letter = 'a')
    {
        using FileStream file = File.Create(path);
        file.Write(Encoding.UTF8.GetBytes(beginning));
        Repeat(file, bytes, (byte)letter);
    }

    /// <summary>The same packed by gzip, in one member: about a thousandth of its size.</summary>
    public static void GzipBomb(string path, string beginning, long bytes, char letter = '\0')
    {
        using FileStream file = File.Create(path);
        using var gzip = new GZipStream(file, CompressionLevel.Optimal);
        gzip.Write(Encoding.UTF8.GetBytes(beginning));
        Repeat(gzip, bytes, (byte)letter);
    }

    /// <summary>The same as one Zstandard frame of blocks that each stand for one byte many times: four bytes for 128 kB. Source: RFC 8878, section 3.1.1.</summary>
    public static void ZstandardBomb(string path, string beginning, long bytes)
    {
        using FileStream file = File.Create(path);
        file.Write([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x50]);   // no length, no checksum, a window of 1 MiB
        if (beginning.Length > 0)
        {
            Block(file, 0, beginning.Length, last: false);
            file.Write(Encoding.ASCII.GetBytes(beginning));
        }
        for (long left = bytes; left > 0; left -= ZstandardBlock)
        {
            Block(file, 1, (int)Math.Min(left, ZstandardBlock), last: left <= ZstandardBlock);
            file.WriteByte(0);
        }
    }

    /// <summary>The header of a record, and of an answer in it where one is wanted.</summary>
    public static string Record(string length, int number, string http = "") => FormattableString.Invariant(
        $"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:D12}>\r\nWARC-Target-URI: https://bad.example/{number}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n{http}");

    /// <summary>A whole record of a small page, or one whose length is a lie.</summary>
    public static string Page(int number, Func<int, string>? length = null)
    {
        string block = FormattableString.Invariant($"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><p>Die Möwe Nummer {number} fliegt über das Meer, und zwölf Schiffe liegen im Hafen.</p></body></html>");
        int bytes = Encoding.UTF8.GetByteCount(block);
        return Record(length?.Invoke(bytes) ?? FormattableString.Invariant($"{bytes}"), number, block) + "\r\n\r\n";
    }

    /// <summary>Packs each part as a gzip member of its own.</summary>
    public static byte[] Members(params IEnumerable<string> parts)
    {
        using var all = new MemoryStream();
        foreach (string part in parts)
        {
            using var gzip = new GZipStream(all, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(Encoding.UTF8.GetBytes(part));
        }
        return all.ToArray();
    }

    private static void Block(FileStream file, int type, int size, bool last)
    {
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, (size << 3) | (type << 1) | (last ? 1 : 0));
        file.Write(header[..3]);
    }

    private static void Repeat(Stream target, long bytes, byte value)
    {
        byte[] chunk = new byte[(int)Math.Min(bytes, ChunkBytes)];
        Array.Fill(chunk, value);
        for (long left = bytes; left > 0; left -= chunk.Length) target.Write(chunk, 0, (int)Math.Min(left, chunk.Length));
    }
}
