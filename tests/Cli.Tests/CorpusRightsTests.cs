using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusRightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Crawl()
    {
        var archive = new StringBuilder();
        void Answer(string url, string body, string type, string headers = "")
        {
            string message = $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\n{headers}\r\n{body}";
            archive.Append(System.Globalization.CultureInfo.InvariantCulture, $"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:{url}>\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-03-01T12:00:00Z\r\nContent-Type: application/http\r\nContent-Length: {Encoding.UTF8.GetByteCount(message)}\r\n\r\n{message}\r\n\r\n");
        }
        Answer("https://a.example/robots.txt", "User-agent: GPTBot\nDisallow: /closed\n", "text/plain");
        Answer("https://a.example/closed/1", "<p>One page of some words.</p>", "text/html");
        Answer("https://a.example/open", "<p>Another. Do not use our texts to train AI.</p><script>alert(1)</script>", "text/html");
        Answer("https://b.example/x", "<p>Third.</p>", "text/html", "X-Robots-Tag: noai\r\n");
        Answer("https://b.example/picture", "GIF89a", "image/gif");
        return _folder.Write("crawl.warc", archive.ToString());
    }

    [Fact]
    public void The_pages_of_an_archive_are_judged_by_its_own_policies()
    {
        string said = Oellm.Succeeds("corpus", "rights", Crawl(), "--html", _folder.At("rights.html")).Output;
        string[] lines = said.TrimEnd().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal("excluded  robots          https://a.example/closed/1  User-agent: GPTBot Disallow: /closed", lines[0]);
        Assert.Equal("kept                      https://a.example/open", lines[1]);
        Assert.Equal("excluded  x-robots-tag    https://b.example/x  noai", lines[2]);
        Assert.Equal("3 pages: 1 kept, 2 excluded (robots 1, x-robots-tag 1); 1 to be looked at", lines[3]);
        string page = File.ReadAllText(_folder.At("rights.html"));
        foreach (string part in (string[])["Reserved rights", "https://a.example/closed/1", "Disallow: /closed", "plain-language", "Do not use our texts to train AI."]) Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_of_policies_answers_for_addresses_with_the_evidence()
    {
        string store = _folder.At("policies");
        Assert.Equal($"{store}: 1 sites; robots 2xx 1\n", Oellm.Succeeds("corpus", "policies", Crawl(), "--out", store).Output);
        string said = Oellm.Succeeds("corpus", "rights", "https://a.example/closed/2", "--policies", store).Output;
        Assert.StartsWith("excluded: robots\n", said, StringComparison.Ordinal);
        Assert.Contains("User-agent: GPTBot Disallow: /closed", said, StringComparison.Ordinal);
        JsonNode verdict = JsonNode.Parse(Oellm.Succeeds("corpus", "rights", "https://a.example/open", "--policies", store, "--json").Output)!;
        Assert.Equal((false, "unset", "https://a.example/robots.txt"), ((bool)verdict["excluded"]!, (string?)verdict["signals"]![0]!["ruling"], (string?)verdict["signals"]![0]!["source"]));
        Assert.StartsWith("kept\nNothing is known", Oellm.Succeeds("corpus", "rights", "https://c.example/", "--policies", store).Output, StringComparison.Ordinal);
        Assert.StartsWith("excluded: blocklist", Oellm.Succeeds("corpus", "rights", "https://c.example/", "--blocklist", _folder.Write("block.txt", "c.example\n")).Output, StringComparison.Ordinal);
        Assert.StartsWith("kept: contract 7 (held for a.example)", Oellm.Succeeds("corpus", "rights", "https://a.example/closed/2", "--policies", store, "--held-licenses", _folder.Write("held.txt", "a.example contract 7\n")).Output, StringComparison.Ordinal);
        Assert.StartsWith("kept", Oellm.Succeeds("corpus", "rights", "https://a.example/closed/2", "--policies", store, "--honour", "tdmrep", "rsl").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_fetched_otherwise_join_the_store_and_a_later_opt_out_counts()
    {
        string store = _folder.At("policies");
        Oellm.Succeeds("corpus", "policies", Crawl(), "--out", store);
        _folder.Write("fetched/a.json", """[{"location":"/","tdm-reservation":1}]""");
        string list = _folder.Write("fetched/list.tsv", "# address, time, status, file\nhttps://a.example/.well-known/tdmrep.json\t2026-06-01T00:00:00Z\t200\ta.json\nhttps://d.example/robots.txt\t2026-06-01\t503\n");
        JsonNode counts = JsonNode.Parse(Oellm.Succeeds("corpus", "policies", "--list", list, "--out", store, "--json").Output)!;
        Assert.Equal((2, 1, 1, 1), ((int)counts["sites"]!, (int)counts["files"]!["robots 2xx"]!, (int)counts["files"]!["robots 5xx"]!, (int)counts["files"]!["tdmrep 2xx"]!));
        Assert.Contains("excluded  tdmrep          https://a.example/open", Oellm.Succeeds("corpus", "rights", Crawl(), "--policies", store).Output, StringComparison.Ordinal);
        Assert.Contains("kept                      https://a.example/open", Oellm.Succeeds("corpus", "rights", Crawl(), "--policies", store, "--not-retroactive").Output, StringComparison.Ordinal);
        Assert.StartsWith("excluded: robots", Oellm.Succeeds("corpus", "rights", "https://d.example/", "--policies", store).Output, StringComparison.Ordinal);
        Oellm.Succeeds("verify", Path.Combine(store, "000002"));
    }

    [Fact]
    public void Mistakes_are_named()
    {
        Oellm.Refuses(["corpus", "rights", "no-such-file"], "neither an address of the web nor a file");
        Oellm.Refuses(["corpus", "rights", _folder.Write("notes.txt", "x")], "notes.txt: is no web archive");
        Oellm.Refuses(["corpus", "rights", "https://a.example/", "--policies", _folder.Root], "holds no policy store");
        Oellm.Refuses(["corpus", "rights", "https://a.example/", "--honour", "robot"], "did you mean 'robots'?");
        Oellm.Refuses(["corpus", "policies", "--out", _folder.At("p")], "neither an archive nor --list is given");
        Oellm.Refuses(["corpus", "policies", _folder.At("none"), "--out", _folder.At("p")], "not found");
        foreach ((string line, string message) in ((string, string)[])[("x", "has 1 cells"), ("x\ty\tz", "is no address"), ("https://a.example/robots.txt\tnow\t200", "is no time"),
            ("https://a.example/robots.txt\t2026-01-01\t99", "is no HTTP status"), ("https://a.example/page\t2026-01-01\t200", "none of the files"), ("https://a.example/robots.txt\t2026-01-01\t200\tnone.txt", "none.txt")])
            Oellm.Refuses(["corpus", "policies", "--list", _folder.Write("list.tsv", line), "--out", _folder.At("p")], message);
        Assert.False(Directory.Exists(_folder.At("p", "000001")));
    }

    [Fact]
    public void The_speed_of_verdicts_is_measured()
    {
        JsonNode result = JsonNode.Parse(Oellm.Succeeds("bench", "rights", "--sites", "50", "--pages", "500", "--passes", "1", "--json").Output)!;
        Assert.Equal(("rights", 50, 500), ((string?)result["part"], (int)result["sites"]!, (int)result["pages"]!));
        Assert.InRange((int)result["excluded"]!, 1, 499);
        Assert.True((double)result["perSecond"]! > 0);
    }
}
