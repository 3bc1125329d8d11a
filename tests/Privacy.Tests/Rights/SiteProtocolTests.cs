using System.Text;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class SiteProtocolTests
{
    private const string Vector = """[{"location": "/directory-a/", "tdm-reservation": 1, "tdm-policy": "/terms.json"}, {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0}]""";

    private static RightsVerdict WithTdm(string json, string path, params RightsStatement[] said) =>
        Sites.Judge("https://example.org" + path, Sites.Of(Sites.File("https://example.org/.well-known/tdmrep.json", json)), said: said);

    [Fact]
    public void The_first_rule_of_tdmrep_that_matches_counts()
    {
        RightsVerdict reserved = WithTdm(Vector, "/directory-a/x.pdf");
        Assert.Equal("tdmrep", reserved.Reason);
        Assert.Equal("https://example.org/terms.json", reserved.Decisive!.Policy);
        RightsVerdict free = WithTdm(Vector, "/directory-b/images/a.jpg");
        Assert.Equal((false, RightsRuling.Allow), (free.Excluded, free.Only(RightsProtocol.TdmRep).Ruling));
        Assert.Equal(RightsRuling.Unset, WithTdm(Vector, "/c").Only(RightsProtocol.TdmRep).Ruling);
        Assert.Equal(RightsRuling.Unset, WithTdm(Vector, "/Directory-A/").Only(RightsProtocol.TdmRep).Ruling);   // letter case counts
        Assert.Equal(RightsRuling.Allow, WithTdm("""[{"location":"/a$","tdm-reservation":0},{"location":"*","tdm-reservation":1}]""", "/a").Only(RightsProtocol.TdmRep).Ruling);
        Assert.Equal(RightsRuling.Deny, WithTdm("""[{"location":"/a$","tdm-reservation":0},{"location":"*","tdm-reservation":1}]""", "/ab").Only(RightsProtocol.TdmRep).Ruling);
    }

    [Theory]
    [InlineData("<html>not found</html>", "not JSON")]
    [InlineData("", "not JSON")]
    [InlineData("[", "not JSON")]
    [InlineData("{\"location\":\"/\",\"tdm-reservation\":1}", "not a list")]
    [InlineData("[{\"location\":\"\\ud800\",\"tdm-reservation\":1}]", "not JSON")]
    [InlineData("1", "not a list")]
    public void A_tdmrep_file_that_is_none_says_nothing_and_why(string content, string problem)
    {
        RightsVerdict verdict = WithTdm(content, "/");
        Assert.False(verdict.Excluded);
        Assert.Equal((RightsRuling.Unset, problem), (verdict.Only(RightsProtocol.TdmRep).Ruling, verdict.Only(RightsProtocol.TdmRep).Problem));
    }

    [Theory]
    [InlineData("""[1, null, "x", {}, {"location": 3}, {"location": "/", "tdm-reservation": 1}]""", RightsRuling.Deny)]
    [InlineData("""[{"location": "/", "tdm-reservation": "1"}]""", RightsRuling.Unset)]
    [InlineData("""[{"location": "/", "tdm-reservation": 2}, {"location": "/", "tdm-reservation": 1}]""", RightsRuling.Unset)]
    [InlineData("""[{"location": "/", "tdm-reservation": true}]""", RightsRuling.Unset)]
    public void Entries_that_are_no_rules_are_passed_over_and_other_values_say_nothing(string json, RightsRuling ruling) => Assert.Equal(ruling, WithTdm(json, "/").Only(RightsProtocol.TdmRep).Ruling);

    [Fact]
    public void Header_and_head_override_the_file_in_this_order_and_absence_resets_nothing()
    {
        Assert.Equal("tdmrep", WithTdm("[]", "/a", Sites.Header("TDM-Reservation", "1"), Sites.Header("tdm-policy", "https://example.org/p.json")).Reason);
        RightsVerdict header = WithTdm(Vector, "/directory-a/x", Sites.Header("tdm-reservation", "0"));
        Assert.False(header.Excluded);
        Assert.True(header.Signals.Single(signal => signal.Protocol == RightsProtocol.TdmRep && signal.Ruling == RightsRuling.Deny).IsSuperseded);
        Assert.True(WithTdm(Vector, "/directory-a/x", Sites.Header("tdm-reservation", "0"), Sites.Meta("TDM-Reservation", "1")).Excluded);
        Assert.True(WithTdm(Vector, "/directory-a/x", Sites.Header("tdm-reservation", "maybe")).Excluded);
        Assert.True(WithTdm(Vector, "/directory-a/x", Sites.Header("tdm-policy", "https://example.org/p.json")).Excluded);
        RightsVerdict policy = Sites.Judge("https://example.org/", null, said: [Sites.Meta("tdm-reservation", "1"), Sites.Meta("tdm-policy", "https://example.org/p.json")]);
        Assert.Equal("https://example.org/p.json", policy.Decisive!.Policy);
    }

    [Fact]
    public void Terms_that_were_captured_are_named_with_their_hash_and_lift_nothing()
    {
        const string Terms = """{"@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#"}], "@type": "Offer", "permission": [{"action": "tdm:mine"}]}""";
        PoliciesInMemory site = Sites.Of(Sites.File("https://example.org/.well-known/tdmrep.json", Vector), Sites.File("https://example.org/terms.json", Terms));
        RightsVerdict verdict = Sites.Judge("https://example.org/directory-a/", site);
        Assert.True(verdict.Excluded);
        Assert.Equal($"https://example.org/terms.json (sha256 {RightsSignal.Hash(Terms)})", verdict.Decisive!.Policy);
    }

    [Theory]
    [InlineData("noai", RightsRuling.Deny)]
    [InlineData("NoIndex, NOAI", RightsRuling.Deny)]
    [InlineData("noimageai", RightsRuling.Unset)]
    [InlineData("noindex, nofollow, none, noarchive", RightsRuling.Unset)]
    [InlineData("unavailable_after: 25 Jun 2010 15:00:00 PST, noai", RightsRuling.Deny)]
    [InlineData("unavailable_after: Wednesday, 25-Jun-10 15:00:00 UTC, noai", RightsRuling.Deny)]
    [InlineData("unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT", RightsRuling.Unset)]
    [InlineData("max-snippet:-1, max-image-preview:large, noai", RightsRuling.Deny)]
    [InlineData("GPTBot: noai", RightsRuling.Deny)]
    [InlineData("otherbot: noindex, noai", RightsRuling.Flag)]
    [InlineData("otherbot: noai, GPTBot: noai", RightsRuling.Deny)]
    [InlineData("googlebot: unavailable_after: 25 Jun 2010 15:00:00 PST, noindex", RightsRuling.Unset)]
    [InlineData("noai noimageai", RightsRuling.Deny)]
    [InlineData("noaim", RightsRuling.Unset)]
    [InlineData("", RightsRuling.Unset)]
    [InlineData(":,:,::,", RightsRuling.Unset)]
    public void Directives_of_a_robots_tag_are_told_apart(string value, RightsRuling ruling) =>
        Assert.Equal(ruling, Sites.Judge("https://example.org/", null, said: Sites.Header("X-Robots-Tag", value)).Only(RightsProtocol.RobotsTag).Ruling);

    [Fact]
    public void The_header_may_repeat_and_the_head_speaks_as_well()
    {
        Assert.Equal("x-robots-tag", Sites.Judge("https://example.org/", null, said: [Sites.Header("x-robots-tag", "noindex"), Sites.Header("X-ROBOTS-TAG", "noai")]).Reason);
        Assert.Equal("meta-robots", Sites.Judge("https://example.org/", null, said: Sites.Meta("Robots", "index, noai")).Reason);
        Assert.Equal("meta-robots", Sites.Judge("https://example.org/", null, said: Sites.Meta("CCBot", "noai")).Reason);
    }

    [Fact]
    public void Directives_for_search_engines_count_when_the_user_says_so()
    {
        var policy = new RightsPolicy(alsoDenied: ["noarchive"]);
        Assert.Equal("x-robots-tag", Sites.Judge("https://example.org/", null, policy, said: Sites.Header("x-robots-tag", "NOARCHIVE")).Reason);
        Assert.Null(Sites.Judge("https://example.org/", null, policy, said: Sites.Header("x-robots-tag", "noindex")).Reason);
    }

    [Theory]
    [InlineData("User-Agent: *\nDisallow: /", "/a", true)]
    [InlineData("# Prevent datasets\nUser-Agent: *\nDisallow: *.txt\nDisallow: *.pdf\nAllow: *.html", "/a/b.pdf", true)]
    [InlineData("User-Agent: *\nDisallow: *.pdf", "/a/b.pdf?download=1", true)]
    [InlineData("User-Agent: *\nDisallow: *.pdf", "/a.pdf/b", false)]
    [InlineData("User-Agent: *\nDisallow: *.htm", "/a.html", false)]
    [InlineData("User-Agent: *\nDisallow: images/", "/images/a", true)]
    [InlineData("User-Agent: OtherBot\nDisallow: /", "/a", false)]
    [InlineData("User-Agent: *\nDisallow: /\nAllow: /open", "/open/a", false)]
    [InlineData("# Our site\n\n> A shop.\n\n## Policy\n- Disallow training\n- User-agent: *\nDisallow: /\n", "/a", false)]
    [InlineData("version: 1\nagents:\n  - name: x\n    disallow: /\npolicy:\n  training: no\nUser-agent: *\nDisallow: /", "/a", false)]
    public void An_ai_txt_of_the_robots_form_denies(string content, string path, bool denied) =>
        Assert.Equal(denied ? "ai-txt" : null, Sites.Judge("https://example.org" + path, Sites.Of(Sites.File("https://example.org/ai.txt", content))).Reason);

    [Theory]
    [InlineData("# hello\ndatatrainingallowed=no\n", RightsRuling.Deny)]
    [InlineData("DataTrainingAllowed = No # really", RightsRuling.Deny)]
    [InlineData("datatrainingallowed=yes\r\ndatatrainingallowed=no", RightsRuling.Deny)]
    [InlineData("datatrainingallowed=yes", RightsRuling.Allow)]
    [InlineData("datatrainingallowed=perhaps", RightsRuling.Unset)]
    [InlineData("member=https://example.org\n", RightsRuling.Unset)]
    public void A_trust_txt_denies_or_allows(string content, RightsRuling ruling)
    {
        foreach (string place in (string[])["trust.txt", ".well-known/trust.txt"])
            Assert.Equal(ruling, Sites.Judge("https://example.org/x", Sites.Of(Sites.File("https://example.org/" + place, content))).Only(RightsProtocol.TrustText).Ruling);
    }

    [Theory]
    [InlineData("DMI-PROHIBITED", RightsRuling.Deny)]
    [InlineData("http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING", RightsRuling.Deny)]
    [InlineData("http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING", RightsRuling.Deny)]
    [InlineData("DMI-ALLOWED", RightsRuling.Allow)]
    [InlineData("DMI-UNSPECIFIED", RightsRuling.Unset)]
    public void The_data_mining_property_is_read_from_xmp_in_both_its_forms(string value, RightsRuling ruling)
    {
        const string Open = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">""", Close = "</rdf:RDF></x:xmpmeta>";
        foreach (string form in (string[])[$"""<rdf:Description plus:DataMining="{value}"/>""", $"<rdf:Description><plus:DataMining>{value}</plus:DataMining></rdf:Description>", $"""<rdf:Description><plus:DataMining rdf:resource="{value}"/></rdf:Description>"""])
        {
            IReadOnlyList<RightsStatement> said = EmbeddedMarkers.OfXml(Encoding.UTF8.GetBytes(Open + form + Close));
            Assert.Equal(ruling, Sites.Judge("https://example.org/a.xmp", null, said: [.. said]).Only(RightsProtocol.DataMining).Ruling);
        }
    }

    [Theory]
    [InlineData("""<package xmlns="http://www.idpf.org/2007/opf"><metadata><meta name="tdm:reservation" content="1"/><meta name="tdm:policy" content="https://example.org/p"/></metadata></package>""", "https://example.org/p")]
    [InlineData("""<package xmlns="http://www.idpf.org/2007/opf" prefix="tdm: http://www.w3.org/ns/tdmrep#"><metadata><meta property="tdm:reservation">1</meta></metadata></package>""", null)]
    [InlineData("""<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1" tdm:policy="https://example.org/p"/>""", "https://example.org/p")]
    public void A_tdm_reservation_is_read_from_books_and_xmp(string xml, string? policy)
    {
        RightsVerdict verdict = Sites.Judge("https://example.org/a", null, said: [.. EmbeddedMarkers.OfXml(Encoding.UTF8.GetBytes(xml))]);
        Assert.Equal(("tdmrep", policy), (verdict.Reason, verdict.Decisive!.Policy));
    }

    [Theory]
    [InlineData("""{"assertions":[{"label":"c2pa.training-mining","data":{"entries":{"c2pa.ai_training":{"use":"notAllowed"}}}}]}""", true)]
    [InlineData("""{"assertion_store":{"cawg.training-mining":{"entries":{"cawg.data_mining":{"use":"constrained","constraint_info":"ask"}}}}}""", true)]
    [InlineData("""{"assertions":[{"label":"c2pa.training-mining__2","data":{"entries":{"c2pa.ai_generative_training":{"use":"notAllowed"}}}}]}""", true)]
    [InlineData("""{"assertions":[{"label":"c2pa.training-mining","data":{"entries":{"c2pa.ai_inference":{"use":"notAllowed"},"c2pa.ai_training":{"use":"allowed"}}}}]}""", false)]
    [InlineData("""{"assertions":[{"label":"c2pa.actions","data":{"entries":{"c2pa.ai_training":{"use":"notAllowed"}}}}]}""", false)]
    [InlineData("not json", false)]
    public void A_c2pa_assertion_as_json_denies(string json, bool denied) =>
        Assert.Equal(denied ? "c2pa" : null, Sites.Judge("https://example.org/a", null, said: [.. EmbeddedMarkers.OfJson(Encoding.UTF8.GetBytes(json))]).Reason);
}
