using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class RslTests
{
    private const string License = "https://example.org/license.xml";

    private static string Rsl(string contents) => $"""<?xml version="1.0"?><rsl xmlns="https://rslstandard.org/rsl">{contents}</rsl>""";

    private static string Content(string licenses, string url = "/") => $"""<content url="{url}">{licenses}</content>""";

    private static RightsSignal Said(string xml, string path = "/a") => Sites.Judge(
        "https://example.org" + path, Sites.Of(Sites.File("https://example.org/robots.txt", "License: /license.xml\nUser-agent: *\nAllow: /\n"), Sites.File(License, xml))).Only(RightsProtocol.Rsl);

    [Theory]
    [InlineData("""<license><prohibits type="usage">ai-train</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><prohibits type="usage">ai-all</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><prohibits type="usage">all</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><prohibits type="usage">search ai-train</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><prohibits type="usage">search</prohibits></license>""", RightsRuling.Unset)]
    [InlineData("""<license><prohibits type="user">ai-train</prohibits></license>""", RightsRuling.Unset)]
    [InlineData("""<license><permits type="usage">search</permits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><permits type="usage"/></license>""", RightsRuling.Deny)]
    [InlineData("""<license><permits type="usage">search, ai-train</permits></license>""", RightsRuling.Allow)]
    [InlineData("""<license><permits type="usage">ai-all</permits><prohibits type="usage">ai-train</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><payment type="purchase"/></license>""", RightsRuling.Deny)]
    [InlineData("""<license><permits type="usage">ai-train</permits><payment type="training"><amount currency="EUR">1</amount></payment></license>""", RightsRuling.Deny)]
    [InlineData("""<license><permits type="usage">ai-train</permits><payment type="free"/></license>""", RightsRuling.Allow)]
    [InlineData("""<license><permits type="usage">ai-train</permits><payment type="purchase"/></license><license><permits type="usage">ai-train</permits><payment type="attribution"/></license>""", RightsRuling.Allow)]
    [InlineData("""<license><permits type="usage">search</permits></license><license><prohibits type="usage">ai-train</prohibits></license>""", RightsRuling.Deny)]
    [InlineData("""<license><payment type="free"/></license>""", RightsRuling.Unset)]
    [InlineData("", RightsRuling.Unset)]
    public void A_licence_denies_by_prohibition_by_leaving_out_or_by_price(string licenses, RightsRuling ruling) => Assert.Equal(ruling, Said(Rsl(Content(licenses))).Ruling);

    [Fact]
    public void The_content_with_the_longest_address_counts_and_other_sites_do_not()
    {
        string prohibits = """<license><prohibits type="usage">ai-train</prohibits></license>""", permits = """<license><permits type="usage">ai-train</permits></license>""";
        string xml = Rsl(Content(prohibits) + Content(permits, "/open/*") + Content(prohibits, "https://example.org/open/but/not/this") + Content(permits, "https://example.com/"));
        Assert.Equal(RightsRuling.Deny, Said(xml, "/a").Ruling);
        Assert.Equal(RightsRuling.Allow, Said(xml, "/open/a").Ruling);
        Assert.Equal(RightsRuling.Deny, Said(xml, "/open/but/not/this").Ruling);
        Assert.Equal(RightsRuling.Unset, Said(Rsl(Content(prohibits, "https://example.com/")), "/a").Ruling);
        Assert.Equal(RightsRuling.Deny, Said(Rsl($"<content>{prohibits}</content>"), "/a").Ruling);
    }

    [Fact]
    public void A_licence_is_named_by_robots_txt_a_header_or_the_head_and_one_that_was_not_captured_is_flagged()
    {
        PoliciesInMemory site = Sites.Of(Sites.File(License, Rsl(Content("""<license><prohibits type="usage">ai-train</prohibits></license>"""))));
        Assert.Equal("rsl", Sites.Judge("https://example.org/a/b", site, said: Sites.Header("Link", "<a>; rel=next, </license.xml>; title=\"a, b\"; rel=\"license\"; type=\"application/rsl+xml\"")).Reason);
        Assert.Equal("rsl", Sites.Judge("https://example.org/a/b", site, said: RightsStatement.OfLink("../license.xml")).Reason);
        Assert.Null(RightsStatement.OfHeader("Link", "</license.xml>; rel=\"license\""));
        Assert.Equal(RightsRuling.Flag, Sites.Judge("https://example.org/a", site, said: RightsStatement.OfLink("https://other.example/rsl")).Only(RightsProtocol.Rsl).Ruling);
        Assert.Equal(RightsRuling.Flag, Sites.Judge("https://example.org/a", null, said: RightsStatement.OfLink("https://other.example/rsl")).Only(RightsProtocol.Rsl).Ruling);
    }

    [Fact]
    public void A_licence_held_lifts_the_reservation_and_is_named()
    {
        PoliciesInMemory site = Sites.Of(Sites.File("https://example.org/robots.txt", "License: /license.xml"), Sites.File(License, Rsl(Content("""<license><payment type="purchase"/></license>"""))));
        var held = new RightsPolicy { HeldLicenses = DomainList.Read(new StringReader("example.org contract 17/2026"), "held.txt") };
        RightsVerdict verdict = Sites.Judge("https://example.org/a", site, held);
        Assert.Equal((false, "contract 17/2026 (held for example.org)"), (verdict.Excluded, verdict.License));
        Assert.Equal(RightsRuling.Deny, verdict.Only(RightsProtocol.Rsl).Ruling);
        Assert.True(Sites.Judge("https://example.org/a", site).Excluded);
    }

    [Theory]
    [InlineData("<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\">")]
    [InlineData("<other/>")]
    [InlineData("")]
    [InlineData("\u0000\u0001")]
    [InlineData("<?xml version=\"1.0\" encoding=\"no-such\"?><rsl xmlns=\"https://rslstandard.org/rsl\"/>")]
    [InlineData("<!DOCTYPE rsl SYSTEM \"file:///etc/passwd\"><rsl xmlns=\"https://rslstandard.org/rsl\"/>")]
    [InlineData("<!DOCTYPE a [<!ENTITY a \"1234567890\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><rsl xmlns=\"https://rslstandard.org/rsl\">&c;</rsl>")]
    public void A_document_that_is_none_says_nothing_and_why(string xml)
    {
        RightsSignal signal = Said(xml);
        Assert.Equal(RightsRuling.Unset, signal.Ruling);
        Assert.NotNull(signal.Problem);
    }

    [Fact]
    public void Xml_that_is_deep_or_full_of_attributes_is_left_soon()
    {
        long started = Stopwatch.GetTimestamp();
        string deep = string.Concat(Enumerable.Repeat("<a>", 300_000));
        Assert.Equal("nested too deep", RslDocument.Parse(Encoding.UTF8.GetBytes(Rsl(deep))).Problem);
        string wide = $"<a {string.Concat(Enumerable.Range(0, 60_000).Select(number => $"b{number}='' "))}/>";
        Assert.Null(RslDocument.Parse(Encoding.UTF8.GetBytes(Rsl(wide))).Problem);
        string many = Rsl(string.Concat(Enumerable.Repeat(Content("""<license><prohibits type="usage">ai-train</prohibits></license>"""), 50_000)));
        Assert.NotNull(RslDocument.Parse(Encoding.UTF8.GetBytes(many)).Problem);   // longer than what is read of a document
        Assert.Empty(EmbeddedMarkers.OfXml(Encoding.UTF8.GetBytes(deep)));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
    }
}
