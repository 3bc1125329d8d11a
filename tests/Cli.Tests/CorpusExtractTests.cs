using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusExtractTests : IDisposable
{
    private const string Page = "<html lang=sl><title>Most</title><nav><a href=1>Domov</a></nav><h2>Reka</h2><p>Most čez reko so odprli včeraj, in prvi so šli čez pešci.</p></html>";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pages_become_a_line_each_with_what_they_say_about_themselves()
    {
        string page = _folder.Write("a.html", Page);
        string said = Oellm.Succeeds("corpus", "extract", page, "--out", _folder.At("out.jsonl")).Output;
        Assert.StartsWith("1 pages to ", said, StringComparison.Ordinal);
        JsonNode line = JsonNode.Parse(Assert.Single(File.ReadAllLines(_folder.At("out.jsonl"))))!;
        Assert.Equal(("a.html", "Most", "sl"), ((string)line["id"]!, (string)line["title"]!, (string)line["lang"]!));
        Assert.Equal("Reka\nMost čez reko so odprli včeraj, in prvi so šli čez pešci.", (string)line["text"]!);
    }

    [Fact]
    public void Markdown_is_written_when_asked_for_and_counts_as_json()
    {
        _folder.Write("pages/a.html", Page);
        _folder.Write("pages/b.html", "<ul><li><a href=1>One</a></ul>");
        JsonNode counts = JsonNode.Parse(Oellm.Succeeds("corpus", "extract", _folder.At("pages"), "--out", _folder.At("new", "out.jsonl"), "--markdown", "--threads", "2", "--json").Output)!;
        Assert.Equal((2, 1), ((int)counts["pages"]!, (int)counts["empty"]!));
        string text = (string)JsonNode.Parse(File.ReadLines(_folder.At("new", "out.jsonl")).First())!["text"]!;
        Assert.StartsWith("## Reka\n\nMost čez reko", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_page_is_unpacked_other_files_are_refused_and_the_input_is_never_written_over()
    {
        string packed = _folder.At("a.html.gz");
        using (var gzip = new System.IO.Compression.GZipStream(File.Create(packed), System.IO.Compression.CompressionLevel.Optimal)) gzip.Write(System.Text.Encoding.UTF8.GetBytes(Page));
        Oellm.Succeeds("corpus", "extract", packed, "--out", _folder.At("out.jsonl"));
        Assert.Equal("Most", (string?)JsonNode.Parse(File.ReadAllText(_folder.At("out.jsonl")))!["title"]);
        File.WriteAllBytes(_folder.At("cut.html.gz"), File.ReadAllBytes(packed)[..^20]);
        Oellm.Refuses(["corpus", "extract", _folder.At("cut.html.gz"), "--out", _folder.At("cut.jsonl")], "cut.html.gz", "fetch it again");
        Oellm.Refuses(["corpus", "extract", _folder.Write("notes.md", Page), "--out", _folder.At("o")], "notes.md: is neither a web archive nor an HTML file");
        string page = _folder.Write("b.html", Page);
        Oellm.Refuses(["corpus", "extract", page, "--out", page], "b.html: is one of the files that are read");
        Assert.Equal(Page, File.ReadAllText(page));
    }

    [Fact]
    public void Missing_inputs_and_outputs_that_cannot_be_written_are_refused()
    {
        Oellm.Refuses(["corpus", "extract", _folder.At("none"), "--out", _folder.At("o")], "not found", "web archive");
        Oellm.Refuses(["corpus", "extract", _folder.Root, "--out", _folder.At("o")], "expected names that end in");
        string page = _folder.Write("a.html", Page);
        Oellm.Refuses(["corpus", "extract", page, "--out", Path.Combine(page, "o")], page);
        Oellm.Refuses(["corpus", "extract", page, "--out", _folder.At("o"), "--threads", "0"], "--threads is 0");
    }

    [Fact]
    public void The_speed_is_measured_on_given_pages()
    {
        _folder.Write("a.html", string.Concat(Enumerable.Repeat(Page, 50)));
        JsonNode result = JsonNode.Parse(Oellm.Succeeds("bench", "corpus", _folder.Root, "--passes", "3", "--json").Output)!;
        Assert.Equal(("extract", 1, 3), ((string)result["part"]!, (int)result["pages"]!, (int)result["passes"]!));
        Assert.True((double)result["megabytesPerSecond"]! > 0);
        Oellm.Refuses(["bench", "corpus", _folder.At("none")], "not found");
        Oellm.Refuses(["bench", "corpus", _folder.Root, "--passes", "0"], "--passes is 0");
    }
}
