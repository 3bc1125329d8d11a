using System.Collections.Frozen;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

/// <summary>No bytes make a parser throw or hang: whole random bytes, and files as they should be with some bytes changed, cut or doubled.</summary>
public sealed class RightsFuzzTests
{
    private const int Rounds = 4_000;

    private static readonly string[] Good =
    [
        "\uFEFFUser-agent: GPTBot\nDisallow: /a*b$\nAllow: /é%2A\nContent-Usage: /x train-ai=n;a=\"b\"\nContent-Signal: ai-train=no\nLicense: https://example.org/l.xml\n",
        """[{"location": "/a/*.jpg$", "tdm-reservation": 1, "tdm-policy": "https://example.org/p.json"}, {"location": "*", "tdm-reservation": 0}]""",
        "googlebot: noindex, unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noai, max-snippet:-1",
        "train-ai=n, search=(a \"b\" 3;p);q=?1, c=:aGk=:, d=@12, e=%\"caf%c3%a9\", f=-1.5",
        """<?xml version="1.0"?><rsl xmlns="https://rslstandard.org/rsl"><content url="/a*"><license><permits type="usage">search</permits><prohibits type="usage">ai-train</prohibits><payment type="free"/></license></content></rsl>""",
        "# trust\ndatatrainingallowed=no\nmember=https://example.org",
        """<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"><meta property="tdm:reservation">1</meta></x:xmpmeta>""",
        """{"assertions":[{"label":"c2pa.training-mining","data":{"entries":{"c2pa.ai_training":{"use":"notAllowed"}}}}]}""",
        "</license.xml>; rel=\"license\"; type=\"application/rsl+xml\", <a>; rel=next",
        "<p>The use of our texts for training AI is prohibited.</p> &amp; Vytěžování textů a dat je vyhrazeno.",
        """{"fetched":"2026-03-01T12:00:00Z","said":[["header","x-robots-tag","noai"],["link","license","/l"]]}""",
        "https://user:password@www.example.org:8443/a/b;c?d=e&f#g",
    ];

    private static byte[] Mutant(Random random)
    {
        if (random.Next(10) == 0)
        {
            byte[] noise = new byte[random.Next(300)];
            random.NextBytes(noise);
            return noise;
        }
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(Good[random.Next(Good.Length)]));
        for (int change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count), length = random.Next(1, Math.Min(12, bytes.Count - at) + 1);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 3: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Good[random.Next(Good.Length)])); break;
                default: bytes[at] = (byte)"<>\"'{}[]=:;,#*$%\n\0"[random.Next(18)]; break;
            }
        }
        return [.. bytes];
    }

    [Fact]
    public void No_parser_throws_on_any_bytes()
    {
        var random = new Random(11);
        byte[] path = PathPattern.NormalizePath("/a/xb"u8);
        var page = new WebAddress("example.org", "/a/xb");
        long started = Stopwatch.GetTimestamp();
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = Mutant(random);
            string text = Encoding.UTF8.GetString(bytes);
            foreach ((RobotsView view, _) in RobotsFile.Parse(bytes, isAiText: round % 2 == 0).TrainingViews())
            {
                view.Allows(path);
                view.Usage(RightsProtocol.ContentUsage, path);
            }
            TdmRepFile.Parse(bytes).Find(path);
            RobotsTag.Read(text, mayNameAgents: true, FrozenSet<string>.Empty);
            UsageStatements.ContentUsage(text, out _);
            UsageStatements.ContentSignal(text);
            RslDocument.Parse(bytes).Find(page, path);
            TrustFile.Read(bytes);
            EmbeddedMarkers.OfXml(bytes);
            EmbeddedMarkers.OfJson(bytes);
            Assert.All(LinkHeader.RslLicenses(text), Assert.NotNull);
            PlainBans.Find(bytes, isHtml: round % 2 == 0);
            WebAddress.Parse(text);
            RightsStatement.IsMeta(bytes);
            PathPattern.Parse(bytes).Matches(path);
        }
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void No_site_and_no_page_makes_a_verdict_throw()
    {
        var random = new Random(12);
        string[] paths = ["robots.txt", ".well-known/tdmrep.json", "ai.txt", "trust.txt", "l.xml", "license.xml"];
        for (int round = 0; round < Rounds / 2; round++)
        {
            PoliciesInMemory site = Sites.Of([.. paths.Where(_ => random.Next(2) == 0).Select(path =>
                Sites.File("https://example.org/" + path, Mutant(random), Sites.Spring, random.Next(5) == 0 ? random.Next(600) : 200, Encoding.UTF8.GetString(Mutant(random))))]);
            RightsStatement[] said = [.. Enumerable.Range(0, random.Next(4)).Select(_ => new RightsStatement((StatementSource)random.Next(5), ((string[])["x-robots-tag", "content-usage", "link", "license", "robots", "tdm-reservation", "tdm-policy", "plus:datamining"])[random.Next(8)], Encoding.UTF8.GetString(Mutant(random))))];
            RightsVerdict verdict = Sites.Judge("https://example.org/" + Encoding.UTF8.GetString(Mutant(random)), site, fetched: random.Next(2) == 0 ? null : Sites.Autumn, said: said);
            Assert.NotNull(JsonNode.Parse(verdict.ToJson()));
        }
    }
}
