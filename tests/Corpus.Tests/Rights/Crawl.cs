using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace OpenEuroLLM.Corpus.Tests.Rights;

/// <summary>Writes small web archives for the tests.</summary>
internal sealed class Crawl(string time)
{
    private readonly List<byte[]> _records = [];

    /// <summary>Some prose that is taken for the main text of a page, different for each number.</summary>
    public static string Prose(int number) => string.Concat(Enumerable.Range(0, 6).Select(line =>
        $"<p>The harbour of town {number} was quiet on that morning, and the fishermen spoke for a while about the weather of day {line} before they went out to sea again.</p>\n"));

    public static string Html(int number, string head = "", string foot = "") => $"<!doctype html><html lang=\"en\"><head><title>Page {number}</title>{head}</head><body><main>{Prose(number)}</main>{foot}</body></html>";

    /// <summary>What a server answered.</summary>
    public Crawl Answer(string url, string body, string type = "text/html; charset=utf-8", int status = 200, string headers = "")
    {
        byte[] content = Encoding.UTF8.GetBytes(body);
        return Record("response", url, "application/http; msgtype=response", [.. Encoding.UTF8.GetBytes($"HTTP/1.1 {status} X\r\nContent-Type: {type}\r\n{headers}\r\n"), .. content]);
    }

    public Crawl Record(string kind, string url, string type, byte[] block)
    {
        _records.Add(Encoding.UTF8.GetBytes(
            $"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:{time}:{url}>\r\nWARC-Target-URI: {url}\r\nWARC-Date: {time}\r\nContent-Type: {type}\r\nContent-Length: {block.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n"));
        _records.Add(block);
        _records.Add("\r\n\r\n"u8.ToArray());
        return this;
    }

    /// <summary>Writes the archive, packed where its name says so.</summary>
    public string Write(string path)
    {
        using FileStream file = File.Create(path);
        using Stream archive = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        foreach (byte[] part in _records) archive.Write(part);
        return path;
    }
}
