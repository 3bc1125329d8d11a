using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Tests.Archives;

/// <summary>Writes archives for the tests.</summary>
internal static partial class ArchiveFile
{
    public static readonly ArchiveLimits Limits = ArchiveLimits.Default;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Record(int number, byte[] block, string type = "resource", string? length = null, string? extra = null) =>
    [
        .. Bytes($"WARC/1.0\r\nWARC-Type: {type}\r\nWARC-Record-ID: <urn:test:{number}>\r\nWARC-Target-URI: http://example.org/{number}\r\nContent-Type: text/plain\r\n{extra}Content-Length: {length ?? block.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)}\r\n\r\n"),
        .. block,
        .. Bytes("\r\n\r\n"),
    ];

    public static byte[] Record(int number, string block) => Record(number, Bytes(block));

    public static byte[][] Records(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(number => Record(number, string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(word => $"word{random.Next(1000)} "))))];
    }

    public static byte[] Gzip(byte[] content, CompressionLevel level = CompressionLevel.Optimal)
    {
        if (content.Length == 0) return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];   // the platform writes nothing at all
        using var packed = new MemoryStream();
        using (var packing = new GZipStream(packed, level)) packing.Write(content);
        return packed.ToArray();
    }

    public static byte[] Join(IEnumerable<byte[]> parts) => [.. parts.SelectMany(part => part)];

    public static (List<(string Id, long Offset, string Block)> Records, List<ArchiveDamage> Damage) Read(byte[] file, Packing packing, ArchiveLimits? limits = null, long from = 0, long to = long.MaxValue)
    {
        var damage = new List<ArchiveDamage>();
        using var stream = new MemoryStream(file);
        using var reader = new WarcReader(stream, packing, damage.Add, limits, from, to);
        return ([.. reader.Records().Select(record => (record.Id ?? "", record.Offset, Encoding.UTF8.GetString(record.Block.Span)))], damage);
    }

    public static int[] Numbers(byte[] file, Packing packing, ArchiveLimits? limits = null) => [.. Read(file, packing, limits).Records.Select(record => Number(record.Id))];

    public static int Number(string id) => int.Parse(id.Trim('<', '>').Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);

    public static byte[] Zstd(byte[] content, byte[]? dictionary = null)
    {
        byte[] packed = new byte[content.Length + 1024];
        nint context = ZSTD_createCCtx();
        nuint length = ZSTD_compress_usingDict(context, packed, (nuint)packed.Length, content, (nuint)content.Length, dictionary ?? [], (nuint)(dictionary?.Length ?? 0), 3);
        _ = ZSTD_freeCCtx(context);
        Assert.True(length <= (nuint)packed.Length);
        return packed[..(int)length];
    }

    public static byte[] Skippable(uint magic, byte[] content) => [.. BitConverter.GetBytes(magic), .. BitConverter.GetBytes(content.Length), .. content];

    [LibraryImport("libzstd.so.1")]
    private static partial nint ZSTD_createCCtx();

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_freeCCtx(nint context);

    [LibraryImport("libzstd.so.1")]
    private static partial nuint ZSTD_compress_usingDict(nint context, byte[] target, nuint capacity, byte[] source, nuint size, byte[] dictionary, nuint dictionarySize, int level);
}
