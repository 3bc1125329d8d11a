using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Corpus.Archives;
using static OpenEuroLLM.Corpus.Tests.Archives.ArchiveFile;

namespace OpenEuroLLM.Corpus.Tests.Archives;

public sealed class HttpMessageTests
{
    [Fact]
    public void A_message_is_taken_apart()
    {
        HttpMessage message = Parse("HTTP/1.1 404 Not Found\r\nContent-Type: Text/HTML; charset=\"ISO-8859-2\"\r\nX: 1\r\n  2\r\n\r\nbody");
        Assert.Equal((404, "text/html", "ISO-8859-2", "body"), (message.Status, message.MediaType, message.Charset, Text(message)));
        Assert.Equal("", Text(Parse("HTTP/2 200\r\nA: b\r\n")));
        Assert.Null(HttpMessage.Parse(Bytes("<html>"), ArchiveFile.Limits));
        Assert.Null(HttpMessage.Parse(Bytes("HTTP/1.1 none\r\n\r\n"), ArchiveFile.Limits));
        Assert.Null(HttpMessage.Parse(Bytes("HTTP/1.1 200 OK\r\n" + new string('x', 100_000)), ArchiveFile.Limits));
    }

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello", null)]
    [InlineData("5;name=value\r\nhello\r\n 6 \r\n world\r\n0\r\nTrailer: x\r\n\r\n", "hello world", null)]
    [InlineData("5\nhello\n0\n\n", "hello", null)]
    [InlineData("<html>", "<html>", "not-chunked")]
    [InlineData("5\r\nhello\r\nxyz\r\nrest", "helloxyz\r\nrest", "wrong-chunk")]
    [InlineData("ff\r\nhello", "hello", "cut-short")]
    [InlineData("7fffffffffffffff\r\nhello", "7fffffffffffffff\r\nhello", "not-chunked")]
    [InlineData("5\r\nhello\r\n", "hello", null)]
    [InlineData("", "", "not-chunked")]
    public void Chunks_are_joined_leniently(string body, string text, string? problem)
    {
        HttpMessage message = Parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
        Assert.Equal((text, problem), (Text(message), message.Problem));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("bare deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void Packed_bodies_are_unpacked_and_plain_and_damaged_ones_kept_as_far_as_they_go(string coding)
    {
        Assert.SkipUnless(coding != "zstd" || Zstandard.IsAvailable, "needs libzstd");
        string text = string.Join(' ', Enumerable.Range(0, 20_000));
        byte[] packed = Pack(coding, Bytes(text));
        Assert.Equal(text, Text(Parse(coding, packed)));
        Assert.Equal(("<html>", "not-packed"), (Text(Parse(coding, Bytes("<html>"))), Parse(coding, Bytes("<html>")).Problem));
        string start = Text(Parse(coding, packed[..(packed.Length / 2)]));
        if (coding is not ("br" or "zstd")) Assert.StartsWith("0 1 2 3", start, StringComparison.Ordinal);
        var random = new Random(5);
        for (int turn = 0; turn < 100; turn++)
        {
            byte[] spoilt = [.. packed];
            for (int change = 0; change < 3; change++) spoilt[random.Next(spoilt.Length)] = (byte)random.Next(256);
            Parse(coding, spoilt);
        }
    }

    [Fact]
    public void A_body_that_unpacks_to_too_much_is_refused()
    {
        var limits = new ArchiveLimits(PayloadBytes: 1 << 20, Ratio: 100, RatioFreeBytes: 1 << 18);
        byte[] zeros = Gzip(new byte[10 << 20]);
        Assert.Equal("bomb", Assert.Throws<DamagedDataException>(() => HttpMessage.Parse(Message("gzip", zeros), limits)).Reason);
        byte[] noise = new byte[3 << 20];
        new Random(1).NextBytes(noise);
        Assert.Equal("too-large", Assert.Throws<DamagedDataException>(() => HttpMessage.Parse(Message("gzip", Gzip(noise)), limits)).Reason);
        Assert.Equal("unknown-coding", Assert.Throws<DamagedDataException>(() => Parse("compress", [1, 2])).Reason);
    }

    [Fact]
    public void Encodings_are_undone_from_the_last_to_the_first()
    {
        byte[] twice = Pack("br", Gzip(Bytes("text")));
        Assert.Equal("text", Text(HttpMessage.Parse(Message("gzip, br", twice), ArchiveFile.Limits)!));
    }

    private static HttpMessage Parse(string message) => HttpMessage.Parse(Bytes(message), ArchiveFile.Limits)!;

    private static HttpMessage Parse(string coding, byte[] body) => HttpMessage.Parse(Message(coding.Split(' ')[^1], body), ArchiveFile.Limits)!;

    private static byte[] Message(string coding, byte[] body) => [.. Bytes($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n"), .. body];

    private static string Text(HttpMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    private static byte[] Pack(string coding, byte[] content)
    {
        if (coding == "gzip") return Gzip(content);
        if (coding == "zstd") return Zstd(content);
        using var packed = new MemoryStream();
        using (Stream packing = coding switch { "deflate" => new ZLibStream(packed, CompressionLevel.Optimal), "br" => new BrotliStream(packed, CompressionLevel.Optimal), _ => new DeflateStream(packed, CompressionLevel.Optimal) })
            packing.Write(content);
        return packed.ToArray();
    }
}
