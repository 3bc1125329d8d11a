using System.Text.Json.Nodes;
using System.Xml.Linq;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusReportTests : IDisposable
{
    private const string Hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>\u202E\u2066\u200F\u001B[31m&amp;'";

    private static readonly string[] Three = ["de", "el", "mt"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static List<JsonNode> Json(string output) => [.. output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!)];

    private static XElement MainOf(string html)
    {
        int start = html.IndexOf("<main>", StringComparison.Ordinal), end = html.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length;
        return XElement.Parse(html[start..end]);   // well formed also as XML
    }

    private string Page(string corpus)
    {
        Oellm.Succeeds("corpus", "report", corpus, "--html", _folder.At("page.html"));
        return File.ReadAllText(_folder.At("page.html"));
    }

    [Fact]
    public void The_terminal_shows_every_language_and_the_rows_add_up()
    {
        string[] lines = Oellm.Succeeds("corpus", "report", MadeUpCorpus.Write(_folder.At("corpus"), Three)).Output.Split('\n');
        Assert.Equal(["language", "de", "el", "mt", "und", "all"], lines.Take(6).Select(line => line.Split(' ')[0]));
        foreach (string line in lines.Skip(1).Take(5))
        {
            long[] n = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(6).Select(number => long.Parse(number, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Equal(n[5], n[0] + n[1] - n[2] - n[3] - n[4]);
        }
        Assert.Contains("no document at all: lb", lines);
        foreach (string title in (string[])["Step by step: all languages", "Licences", "Hosts of training documents by language", "Of the input passed over", "Samples, one of each outcome"]) Assert.Contains(title, lines);
        Assert.Contains(lines, line => line.StartsWith("quality ", StringComparison.Ordinal) && line.Contains("few-stop-words ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_language_is_shown_by_itself()
    {
        string corpus = MadeUpCorpus.Write(_folder.At("corpus"), Three);
        string shown = Oellm.Succeeds("corpus", "report", corpus, "--language", "ell").Output;
        Assert.StartsWith("Step by step: Greek (el)\n", shown);
        Assert.Contains("host0000.el.example", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("mt.example", shown, StringComparison.Ordinal);
        Assert.All(Json(Oellm.Succeeds("corpus", "report", corpus, "--language", "el", "--json").Output).Where(line => line["language"] is not null), line => Assert.Equal("el", (string?)line["language"]));
        Oellm.Refuses(["corpus", "report", corpus, "--language", "fr"], "--language is 'fr'", "de, el, mt, und");
    }

    [Fact]
    public void The_objects_tell_what_went_in_and_out_of_each_step()
    {
        var lines = Json(Oellm.Succeeds("corpus", "report", MadeUpCorpus.Write(_folder.At("corpus"), Three), "--json").Output);
        Assert.Equal(["language", "step", "licence", "source", "domains", "domain", "sample", "skipped"], lines.Select(line => (string)line["kind"]!).Distinct());
        var steps = lines.Where(line => (string?)line["kind"] == "step" && (string?)line["language"] == "el").ToList();
        Assert.Equal(["identification", "languages", .. MadeUpCorpus.Steps.Skip(1).Select(step => step.Name), "split"], steps.Select(step => (string)step["step"]!));
        for (int i = 0; i < steps.Count; i++)
        {
            var dropped = steps[i]["dropped"]!.AsObject();
            foreach (string unit in (string[])["documents", "bytes", "tokens"])
            {
                long ended = dropped.Sum(reason => (long)reason.Value![unit]!);
                long beside = unit == "documents" ? (long)steps[i]["movedIn"]! - (long)steps[i]["movedOut"]!
                    : unit == "bytes" ? (long)steps[i]["movedInBytes"]! - (long)steps[i]["movedOutBytes"]! - (long)steps[i]["changedBytes"]! + (long)steps[i]["becameBytes"]! : 0;
                Assert.Equal((long)steps[i][unit + "Out"]!, (long)steps[i][unit + "In"]! - ended + beside);
                if (i > 0) Assert.Equal((long)steps[i - 1][unit + "Out"]!, (long)steps[i][unit + "In"]!);
            }
        }
        var row = lines.Single(line => (string?)line["kind"] == "language" && (string?)line["language"] == "el");
        Assert.Equal((long)row["trainTokens"]!, (long)lines.Single(line => (string?)line["kind"] == "licence" && (string?)line["language"] == "el")["tokens"]!);
        Assert.Equal(50, lines.Count(line => (string?)line["kind"] == "domain" && (string?)line["language"] == "el"));
        Assert.Equal(200, (long)lines.Single(line => (string?)line["kind"] == "domains" && (string?)line["language"] == "el")["hosts"]!);
    }

    [Fact]
    public void The_page_is_a_function_of_the_folder_and_loads_and_runs_nothing()
    {
        string one = MadeUpCorpus.Write(_folder.At("one"), Three), moved = MadeUpCorpus.Write(_folder.At("elsewhere", "two"), Three);
        string html = Page(one);
        Assert.Equal(html, Page(moved));
        foreach (string loading in (string[])["<script", "src=", "url(", "@import", "<link", "<iframe", "<img"]) Assert.DoesNotContain(loading, html, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        var main = MainOf(html);
        var names = main.Elements("section").Select(section => section.Attribute("id")!.Value).ToHashSet();
        Assert.All(main.Descendants("a"), link => Assert.Contains(link.Attribute("href")!.Value[1..], names));
        Assert.All(main.Descendants("figure"), figure => Assert.Equal("div", figure.ElementsAfterSelf().First().Name.LocalName));   // the table beside it
        Assert.Equal(5, main.Descendants("figure").Count());   // each language and all
        Assert.Equal(main.Descendants("svg").Count(), main.Descendants("svg").Select(svg => svg.Attribute("aria-labelledby")!.Value).Distinct().Count());
    }

    [Fact]
    public void What_texts_hosts_sources_and_places_hold_is_shown_and_does_nothing()
    {
        string corpus = MadeUpCorpus.Write(_folder.At("corpus"), Three, hostile: Hostile);
        string html = Page(corpus);
        var main = MainOf(html);
        Assert.Empty(main.Descendants("script").Concat(main.Descendants("img")));
        Assert.DoesNotContain(main.DescendantsAndSelf().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain(html, letter => letter is '\u202E' or '\u2066' or '\u200F' or '\u001B');
        Assert.Contains(main.Descendants("blockquote"), quote => quote.Value.StartsWith("\"><script>alert(1)</script>", StringComparison.Ordinal));
        Assert.Contains(main.Descendants("th"), host => host.Value.EndsWith("host0000.de.example", StringComparison.Ordinal));
        Assert.All(main.Descendants("blockquote"), quote => Assert.Equal("auto", quote.Attribute("dir")!.Value));
        Assert.Equal(["de", "el", "mt", "und"], main.Descendants("blockquote").Select(quote => quote.Attribute("lang")!.Value).Distinct().Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Oellm.Succeeds("corpus", "report", corpus).Output, letter => letter is '\u202E' or '\u2066' or '\u200F' or '\u001B');
        Assert.DoesNotContain(Oellm.Succeeds("corpus", "report", corpus, "--language", "de").Output, letter => letter is '\u202E' or '\u2066' or '\u200F' or '\u001B');
    }

    [Fact]
    public void A_page_of_36_languages_and_15_steps_stays_small()
    {
        string html = Page(MadeUpCorpus.Write(_folder.At("corpus"), [.. LanguageCatalog.All.Select(language => language.Code)], samplesOfOutcome: 5, hosts: 300));
        long bytes = new FileInfo(_folder.At("page.html")).Length;
        Assert.InRange(bytes, 500_000, 2_200_000);
        var main = MainOf(html);
        Assert.Equal(LanguageCatalog.All.Count + 2, main.Descendants("figure").Count());
        var samples = main.Descendants("blockquote").GroupBy(quote => quote.Attribute("lang")!.Value).ToDictionary(group => group.Key, group => group.Count());
        Assert.All(LanguageCatalog.All, language => Assert.Equal(20, samples[language.Code]));   // one of each outcome: none is left out for want of room
    }

    [Fact]
    public void Counts_that_do_not_add_up_are_an_error_of_the_folder_and_shown()
    {
        string corpus = MadeUpCorpus.Write(_folder.At("corpus"), Three, spoil: counts => counts.RemoveAll(count => count is { Step: "quality", Reason: "symbols", Language: "el" }));
        var outcome = Oellm.Run("corpus", "report", corpus, "--html", _folder.At("page.html"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("the counts do not add up: language 'el': ", outcome.Said, StringComparison.Ordinal);
        Assert.Contains("\nel ", outcome.Output, StringComparison.Ordinal);
        var alert = Assert.Single(MainOf(File.ReadAllText(_folder.At("page.html"))).Elements("section"), section => section.Attribute("role")?.Value == "alert");
        Assert.Contains("language 'el'", alert.Value, StringComparison.Ordinal);
        Assert.Single(Json(Oellm.Run("corpus", "report", corpus, "--json").Output), line => (string?)line["kind"] == "problem");
    }

    [Theory]
    [InlineData("samples.jsonl", "{}\n", "samples.jsonl:1: ")]
    [InlineData("domains.tsv", "de\ta.example\t1\t1\nde a.example 1 1\n", "domains.tsv:2: ")]
    [InlineData("skipped.jsonl", "{\"place\":\"a\",\"reason\":\"b\"}\n\n", "skipped.jsonl:2: ")]
    public void A_damaged_file_of_the_folder_is_named_with_the_line(string name, string content, string said)
    {
        string corpus = MadeUpCorpus.Write(_folder.At("corpus"), ["mt"]);
        MadeUpCorpus.Replace(corpus, name, content);
        Oellm.Refuses(["corpus", "report", corpus], said);
    }

    [Fact]
    public void A_page_that_cannot_be_written_is_an_error_before_anything_is_printed() =>
        Oellm.Refuses(["corpus", "report", MadeUpCorpus.Write(_folder.At("corpus"), ["mt"]), "--html", _folder.At("nowhere", "page.html")], _folder.At("nowhere", "page.html"), "not found");
}
