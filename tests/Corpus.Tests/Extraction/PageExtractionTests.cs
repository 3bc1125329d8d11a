using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

public sealed class PageExtractionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Record(string uri, string status, string headers, byte[] body)
    {
        byte[] http = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}\r\n\r\n"), .. body];
        string length = http.Length.ToString(CultureInfo.InvariantCulture);
        byte[] record = [.. Encoding.ASCII.GetBytes($"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {uri}\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n"), .. http, .. "\r\n\r\n"u8];
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(record);
        return packed.ToArray();
    }

    private static byte[] Page(string text) => Encoding.UTF8.GetBytes($"<html><body><p>{text}</p></body></html>");

    private string Archive(int pages)
    {
        using FileStream file = File.Create(_folder["crawl.warc.gz"]);
        for (int number = 0; number < pages; number++)
            file.Write(Record($"https://example.org/{number}", "200 OK", "Content-Type: text/html", Page($"This is page {number}, and its sentence is long enough to be a text.")));
        return file.Name;
    }

    private List<JsonNode> Read(string name) => [.. File.ReadLines(_folder[name]).Select(line => JsonNode.Parse(line)!)];

    [Fact]
    public void Each_page_of_an_archive_is_a_line_in_its_order_whatever_the_threads()
    {
        string archive = Archive(600);
        ExtractionSummary summary = PageExtraction.Run(archive, _folder["one.jsonl"], markdown: false, threads: 1, cancellation: TestContext.Current.CancellationToken);
        PageExtraction.Run(archive, _folder["four.jsonl"], markdown: false, threads: 4, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(600, summary.Pages);
        Assert.Equal(File.ReadAllBytes(_folder["one.jsonl"]), File.ReadAllBytes(_folder["four.jsonl"]));
        List<JsonNode> lines = Read("one.jsonl");
        Assert.Equal(Enumerable.Range(0, 600).Select(number => $"https://example.org/{number}"), lines.Select(line => (string)line["id"]!));
        Assert.All(lines, line => Assert.StartsWith("This is page", (string)line["text"]!, StringComparison.Ordinal));
    }

    [Fact]
    public void Legacy_encodings_become_utf_8_and_what_is_no_page_is_counted()
    {
        using (FileStream file = File.Create(_folder["crawl.warc.gz"]))
        {
            file.Write(Record("https://example.org/a", "200 OK", "Content-Type: text/html; charset=iso-8859-2", [.. "<p>Pchn"u8, 0xB1, 0xE6, .. " w te oczy, a tak wyglada dalszy ciag zdania.</p>"u8]));
            file.Write(Record("https://example.org/b", "404 Not Found", "Content-Type: text/html", Page("Not here")));
            file.Write(Record("https://example.org/c", "200 OK", "Content-Type: image/png", [1, 2, 3]));
            file.Write(Record("https://example.org/d", "200 OK", "X: y", "<!doctype html><p>No type was given, but this is a page."u8.ToArray()));
            file.Write(Record("https://example.org/e", "200 OK", "Content-Type: text/html", "<ul><li><a href=1>One</a></ul>"u8.ToArray()));
        }
        ExtractionSummary summary = PageExtraction.Run(_folder["crawl.warc.gz"], _folder["out.jsonl"], markdown: false, threads: 2, cancellation: TestContext.Current.CancellationToken);
        List<JsonNode> lines = Read("out.jsonl");
        Assert.StartsWith("Pchnąć w te oczy", (string)lines[0]["text"]!, StringComparison.Ordinal);
        Assert.StartsWith("No type was given", (string)lines[1]["text"]!, StringComparison.Ordinal);
        Assert.Equal("", (string)lines[2]["text"]!);
        Assert.Equal((3, 1), (summary.Pages, summary.Empty));
        Assert.Equal([KeyValuePair.Create("not-found", 1L), KeyValuePair.Create("not-html", 1L)], summary.Skipped);
    }

    [Fact]
    public void A_folder_gives_its_files_in_the_order_of_their_names()
    {
        Directory.CreateDirectory(_folder["sub"]);
        _folder.Write("b.html", Encoding.UTF8.GetString(Page("The second page in order, with a sentence.")));
        _folder.Write("a.htm", Encoding.UTF8.GetString(Page("The first page in order, with a sentence.")));
        _folder.Write("notes.txt", "no page");
        File.WriteAllBytes(_folder["sub/c.html"], Page("The third page in order, with a sentence."));
        PageExtraction.Run(_folder.Path, _folder["out.jsonl"], markdown: true, threads: 2, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["a.htm", "b.html", "sub/c.html"], Read("out.jsonl").Select(line => (string)line["id"]!));
        PageExtraction.Run(_folder["b.html"], _folder["b.jsonl"], markdown: false, threads: 1, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("b.html", (string)Read("b.jsonl").Single()["id"]!);
    }

    [Fact]
    public void An_interrupted_run_leaves_nothing_and_a_killed_one_is_written_over()
    {
        string archive = Archive(50);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PageExtraction.Run(archive, _folder["out.jsonl"], markdown: false, threads: 1, cancellation: cancelled.Token));
        Assert.Equal(["crawl.warc.gz"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        _folder.Write("out.jsonl.partial", new string('x', 1_000_000));
        PageExtraction.Run(archive, _folder["out.jsonl"], markdown: false, threads: 1, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(50, Read("out.jsonl").Count);
        Assert.Equal(["crawl.warc.gz", "out.jsonl"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string first = File.ReadAllText(_folder["out.jsonl"]);
        Assert.Contains("exists already", Assert.Throws<UserErrorException>(() => PageExtraction.Run(archive, _folder["out.jsonl"], false, 1, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllText(_folder["out.jsonl"]));
    }

    [Fact]
    public void Missing_and_empty_inputs_are_refused_in_one_line()
    {
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => PageExtraction.Run(_folder["none"], _folder["o"], false, 1, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("expected names that end in", Assert.Throws<UserErrorException>(() => PageExtraction.Run(_folder.Path, _folder["o"], false, 1, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }
}
