using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Rights;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Tests.Rights;

public sealed class RightsReservedTests : IDisposable
{
    private const string Spring = "2026-03-01T12:00:00Z", Autumn = "2026-09-01T12:00:00Z";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Store(params string[] archives)
    {
        using PolicyStoreWriter writer = PolicyStoreWriter.Create(_folder["policies"]);
        foreach (string archive in archives)
            foreach (SiteFile file in SitePolicyReader.Read(archive)) writer.Add(file);
        writer.Commit();
        return _folder["policies"];
    }

    private Manifest Build(string name, string source, RightsReserved step) => CorpusStage.Run(
        new CorpusConfig(source, Languages: ["en"], Steps: [new LanguageIdentification(), step], HeldOutShare: 0), _folder[name], new LocalLauncher(2), cancellation: TestContext.Current.CancellationToken);

    private static Dictionary<string, long> Dropped(Manifest manifest) =>
        manifest.Counts.Where(count => count.Step == "rights-reserved" && CorpusReport.IsEnd(count)).GroupBy(count => count.Reason).ToDictionary(group => group.Key, group => group.Sum(count => count.Documents));

    private List<Document> Kept(string name) => [.. Directory.GetFiles(Path.Combine(_folder[name], "train")).SelectMany(file => File.ReadAllLines(file).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), file)))];

    /// <summary>In spring two sites allow everything; by autumn one has opted out in its robots.txt, with a new page, and the other has not.</summary>
    private (string Spring, string Autumn) TwoCrawls()
    {
        string spring = new Crawl(Spring)
            .Answer("https://opted-out.example/robots.txt", "User-agent: *\nAllow: /\n", "text/plain")
            .Answer("https://opted-out.example/a", Crawl.Html(1)).Answer("https://opted-out.example/b", Crawl.Html(2))
            .Answer("https://open.example/robots.txt", "User-agent: *\nDisallow:\n", "text/plain")
            .Answer("https://open.example/a", Crawl.Html(3)).Write(_folder["spring.warc.gz"]);
        string autumn = new Crawl(Autumn)
            .Answer("https://opted-out.example/robots.txt", "User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n", "text/plain")
            .Answer("https://opted-out.example/c", Crawl.Html(4))
            .Answer("https://open.example/robots.txt", "User-agent: *\nDisallow:\n", "text/plain")
            .Answer("https://open.example/b", Crawl.Html(5)).Write(_folder["autumn.warc"]);
        return (spring, autumn);
    }

    [Fact]
    public void A_site_that_opts_out_between_two_crawls_takes_its_older_pages_out_as_well()
    {
        (string spring, string autumn) = TwoCrawls();
        string before = Store(spring);
        Manifest first = Build("first", spring, new RightsReserved(before));
        Assert.Empty(Dropped(first));
        Assert.Equal(3, Kept("first").Count);

        string both = Store(autumn);   // added to what the first crawl said
        Manifest second = Build("second", spring, new RightsReserved(both));
        Assert.Equal(2, Dropped(second)["robots"]);
        Assert.Equal(2, second.Counts.Single(count => count.Reason == "found-robots").Documents);
        JsonNode[] ledger = [.. File.ReadAllLines(Path.Combine(_folder["second"], CorpusStage.LedgerFile)).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["outcome"] == "dropped: robots")];
        Assert.Equal(["https://opted-out.example/a", "https://opted-out.example/b"], ledger.Select(line => (string?)line["url"]));
        Assert.All(ledger, line => Assert.Contains(line["record"]!["signals"]!.AsArray(), signal => (string?)signal!["ruling"] == "deny" && ((string?)signal["sha256"])!.Length == 64));
        Assert.Equal("https://open.example/a", Assert.Single(Kept("second")).Url);
        Assert.Equal(1, Dropped(Build("third", autumn, new RightsReserved(both)))["robots"]);
        Assert.Equal("https://open.example/b", Assert.Single(Kept("third")).Url);

        Assert.Empty(Dropped(Build("fourth", spring, new RightsReserved(both, Retroactive: false))));
        Assert.Equal(1, Dropped(Build("fifth", autumn, new RightsReserved(both, Retroactive: false)))["robots"]);
    }

    [Fact]
    public void A_corpus_is_not_taken_for_finished_when_the_policies_have_changed()
    {
        (string spring, string autumn) = TwoCrawls();
        var step = new RightsReserved(Store(spring));
        string manifest = Build("out", spring, step).Sha256();
        Assert.Equal(manifest, Build("out", spring, step).Sha256());
        Store(autumn);
        Assert.Contains("holds a finished corpus of other settings", Assert.Throws<UserErrorException>(() => Build("out", spring, step with { })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_pages_say_in_headers_head_and_text_reaches_the_step_and_leaves_no_trace()
    {
        string archive = new Crawl(Spring)
            .Answer("https://a.example/1", Crawl.Html(1), headers: "X-Robots-Tag: noindex\r\nx-robots-tag: noai\r\n")
            .Answer("https://a.example/2", Crawl.Html(2, "<META CONTENT='NoAI, noimageai' NAME=Robots>"))
            .Answer("https://a.example/3", Crawl.Html(3), headers: "TDM-Reservation: 1\r\nTDM-Policy: https://a.example/p\r\n")
            .Answer("https://a.example/4", Crawl.Html(4, "<meta name=\"tdm-reservation\" content=\"1\">"))
            .Answer("https://a.example/5", Crawl.Html(5), headers: "Content-Usage: train-ai=n\r\n")
            .Answer("https://a.example/6", Crawl.Html(6, "<script type='application/json'>{\"label\":\"c2pa.training-mining\",\"data\":{\"entries\":{\"c2pa.ai_training\":{\"use\":\"notAllowed\"}}}}</script>"))
            .Answer("https://a.example/7", Crawl.Html(7, "<meta name=\"plus:DataMining\" content=\"DMI-PROHIBITED-AIMLTRAINING\">"))
            .Answer("https://a.example/8", Crawl.Html(8, "<link rel=\"license\" type=\"application/rsl+xml\" href=\"/rsl.xml\">"))
            .Answer("https://a.example/rsl.xml", "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license><prohibits type=\"usage\">ai-train</prohibits></license></content></rsl>", "application/rsl+xml")
            .Answer("https://a.example/9", Crawl.Html(9, foot: "<footer>The use of this page for training AI is prohibited.</footer>"))
            .Answer("https://a.example/10", "The harbour was quiet on that morning, and the fishermen spoke for a while about the weather before they went out to sea again.", "text/plain", headers: "X-Robots-Tag: ccbot: noai\r\n")
            .Answer("https://blocked.example/11", Crawl.Html(11))
            .Answer("https://a.example/12", Crawl.Html(12, foot: "<a rel=license href=\"https://creativecommons.org/licenses/by-nc/4.0/\">licence</a>"))
            .Write(_folder["crawl.warc.gz"]);
        var step = new RightsReserved(Store(archive), _folder.Write("blocked.txt", "blocked.example pirate copies\n"), DropLicenses: ["*/by-nc/*"]);
        Dictionary<string, long> dropped = Dropped(Build("out", archive, step));
        Assert.Equal(new Dictionary<string, long>
        {
            ["x-robots-tag"] = 2,
            ["meta-robots"] = 1,
            ["tdmrep"] = 2,
            ["content-usage"] = 1,
            ["c2pa"] = 1,
            ["data-mining"] = 1,
            ["rsl"] = 1,
            ["blocklist"] = 1,
            ["licence"] = 1,
        }.OrderBy(pair => pair.Key, StringComparer.Ordinal), dropped.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Document kept = Assert.Single(Kept("out"));
        Assert.Equal("https://a.example/9", kept.Url);
        Assert.False(kept.Metadata!.ContainsKey("rights"));
        Assert.DoesNotContain("prohibited", kept.Text, StringComparison.Ordinal);   // its footer is no main text, but was looked at
        ReviewedPage page = Assert.Single(PageReview.Pages(archive), page => page.Url == kept.Url);
        Assert.Equal((StatementSource.Text, "en"), (page.Rights.Statements[0].Source, page.Rights.Statements[0].Name));
    }

    [Fact]
    public void Files_that_speak_of_rights_are_no_texts_to_learn_from()
    {
        string archive = new Crawl(Spring).Answer("https://a.example/robots.txt", "User-agent: *\nAllow: /\n", "text/plain").Answer("https://a.example/trust.txt", "member=https://a.example", "text/plain")
            .Answer("https://a.example/1", Crawl.Html(1)).Write(_folder["crawl.warc"]);
        Manifest manifest = CorpusStage.Run(new CorpusConfig(archive, Languages: ["en"], Steps: [new LanguageIdentification()], HeldOutShare: 0), _folder["out"], new LocalLauncher(1), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(2, manifest.Counts.Single(count => count.Reason == "site-policy").Documents);
        Assert.Null(Assert.Single(Kept("out")).Metadata?["rights"]);   // nobody asked for rights
    }

    [Fact]
    public void The_ledger_gets_the_verdict_with_its_evidence_and_equal_settings_are_equal_steps()
    {
        var step = new RightsReserved(OverridingLicenses: ["cc0-*"]);
        var document = new Document("1", "text", "en", "web", "CC0-1.0", "https://a.example/", Metadata: new JsonObject
        {
            [PageRights.Field] = new PageRights(null, [RightsStatement.OfHeader("x-robots-tag", "noai")!.Value]).ToJson(),
            ["title"] = "t",
        });
        RightsVerdict verdict = step.RightsOf(document);
        Assert.Equal((false, "CC0-1.0"), (verdict.Excluded, verdict.License));
        JsonObject metadata = step.Judge(document).Replacement!.Metadata!;
        Assert.Equal("""{"title":"t","rightsLicense":"CC0-1.0"}""", metadata.ToJsonString());
        Assert.Equal("x-robots-tag", new RightsReserved().Judge(document).Reason);
        Assert.Equal(new RightsReserved("a"), new RightsReserved("a"));
        Document others = document with { Metadata = new JsonObject { ["rights"] = "© someone" } };
        Assert.Null(new RightsReserved().Judge(others).Replacement);
    }

    [Fact]
    public void A_store_or_list_that_is_missing_is_named()
    {
        (string spring, _) = TwoCrawls();
        Assert.Contains("none: holds no policy store", Assert.Throws<UserErrorException>(() => Build("out", spring, new RightsReserved(_folder["none"]))).Message, StringComparison.Ordinal);
        Assert.Contains("none.txt: not found", Assert.Throws<UserErrorException>(() => Build("out", spring, new RightsReserved(Blocklist: _folder["none.txt"]))).Message, StringComparison.Ordinal);
        Assert.Contains("protocol 'robot' is unknown; did you mean 'robots'?", Assert.Throws<UserErrorException>(() => Build("out", spring, new RightsReserved(Honour: ["robot"]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_robots_txt_of_fifty_megabytes_in_a_crawl_is_read_up_to_the_bound()
    {
        string archive = new Crawl(Spring).Answer("https://a.example/robots.txt", "User-agent: GPTBot\nDisallow: /closed\n" + new string('#', 50 << 20), "text/plain").Answer("https://a.example/closed", Crawl.Html(1)).Write(_folder["crawl.warc.gz"]);
        using PolicyStore store = PolicyStore.Open(Store(archive));
        Assert.Equal("robots", new RightsJudge(RightsPolicy.Default, store).Judge("https://a.example/closed", PageRights.Nothing).Reason);
    }
}
