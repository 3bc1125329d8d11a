using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class RightsJudgeTests
{
    private const string Robots = "https://example.org/robots.txt", Page = "https://example.org/page", Closed = "User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n", Open = "User-agent: *\nAllow: /\n";

    public static TheoryData<string> Agents => [.. RightsData.TrainingAgents];

    [Theory]
    [MemberData(nameof(Agents))]
    public void A_disallow_for_any_training_agent_denies(string agent)
    {
        Assert.Equal("robots", Sites.Judge(Page, Sites.Of(Sites.File(Robots, $"User-agent: {agent.ToUpperInvariant()}\nDisallow: /p\n"))).Reason);
        Assert.Null(Sites.Judge(Page, Sites.Of(Sites.File(Robots, $"User-agent: {agent}\nDisallow: /q\n"))).Reason);
    }

    [Theory]
    [InlineData("ChatGPT-User")]
    [InlineData("Claude-User")]
    [InlineData("Perplexity-User")]
    [InlineData("Googlebot")]
    public void A_disallow_for_another_agent_does_not(string agent) => Assert.False(Sites.Judge(Page, Sites.Of(Sites.File(Robots, $"User-agent: {agent}\nDisallow: /\n"))).Excluded);

    [Fact]
    public void A_disallow_for_everybody_holds_for_training_agents_that_are_not_named()
    {
        RightsVerdict verdict = Sites.Judge(Page, Sites.Of(Sites.File(Robots, "User-agent: *\nDisallow: /\nUser-agent: GPTBot\nAllow: /\n")));
        Assert.Equal("User-agent: *\nDisallow: /", verdict.Decisive!.Raw);
    }

    [Fact]
    public void The_evidence_names_the_rule_its_agents_its_file_and_when_that_was_fetched()
    {
        RightsSignal signal = Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed))).Decisive!;
        Assert.Equal("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /", signal.Raw);
        Assert.Equal((RightsSignal.Hash(signal.Raw), Robots, Sites.Spring, RightsSignal.Hash(Closed)), (signal.Sha256, signal.Source, signal.Fetched, signal.DocumentSha256));
    }

    [Fact]
    public void A_file_that_says_nothing_is_evidence_too()
    {
        RightsVerdict verdict = Sites.Judge(Page, Sites.Of(Sites.File(Robots, Open)));
        Assert.Equal((RightsRuling.Unset, RightsSignal.Hash(Open)), (verdict.Only(RightsProtocol.Robots).Ruling, verdict.Only(RightsProtocol.Robots).DocumentSha256));
        Assert.Empty(Sites.Judge("https://other.example/", Sites.Of(Sites.File(Robots, Open))).Signals);
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(204, true)]
    [InlineData(404, false)]
    [InlineData(403, false)]
    [InlineData(429, false)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    [InlineData(0, true)]
    [InlineData(301, false)]
    public void The_status_of_robots_txt_decides_what_it_means(int status, bool excluded) => Assert.Equal(excluded, Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed, status: status))).Excluded);

    [Fact]
    public void A_redirection_is_followed_to_what_was_captured_up_to_five_times()
    {
        PoliciesInMemory Chain(int hops) => Sites.Of([.. Enumerable.Range(0, hops).Select(hop => Sites.File($"https://{(hop == 0 ? "example.org" : $"h{hop}.example")}/robots.txt", "", status: 301, location: $"https://h{hop + 1}.example/robots.txt")),
            Sites.File($"https://h{hops}.example/robots.txt", Closed)]);
        Assert.True(Sites.Judge(Page, Chain(1)).Excluded);
        Assert.True(Sites.Judge(Page, Chain(5)).Excluded);
        Assert.False(Sites.Judge(Page, Chain(6)).Excluded);
        Assert.NotNull(Sites.Judge(Page, Chain(6)).Only(RightsProtocol.Robots).Problem);
        Assert.False(Sites.Judge(Page, Sites.Of(Sites.File(Robots, "", status: 301, location: Robots))).Excluded);
    }

    [Fact]
    public void What_a_site_says_last_holds_for_its_older_pages()
    {
        PoliciesInMemory optsOut = Sites.Of(Sites.File(Robots, Open, Sites.Spring), Sites.File("http://example.org/robots.txt", Closed, Sites.Summer));
        PoliciesInMemory optsIn = Sites.Of(Sites.File(Robots, Closed, Sites.Spring), Sites.File(Robots, Open, Sites.Summer));
        var sinceThen = new RightsPolicy { Retroactive = false };
        Assert.True(Sites.Judge(Page, optsOut, fetched: Sites.Spring).Excluded);
        Assert.False(Sites.Judge(Page, optsOut, sinceThen, Sites.Spring).Excluded);
        Assert.True(Sites.Judge(Page, optsOut, sinceThen, Sites.Summer).Excluded);
        Assert.False(Sites.Judge(Page, optsIn, fetched: Sites.Spring).Excluded);
        Assert.True(Sites.Judge(Page, optsIn, sinceThen, Sites.Spring.AddDays(1)).Excluded);
        Assert.Empty(Sites.Judge(Page, optsIn, sinceThen, Sites.Spring.AddDays(-1)).Signals);
        Assert.True(Sites.Judge(Page, optsOut).Excluded);
    }

    [Fact]
    public void A_server_that_fails_closes_the_site_for_new_pages_and_takes_nothing_back_for_old_ones()
    {
        PoliciesInMemory fails = Sites.Of(Sites.File(Robots, Open, Sites.Spring), Sites.File(Robots, "", Sites.Summer, status: 503));
        Assert.False(Sites.Judge(Page, fails, fetched: Sites.Spring).Excluded);
        Assert.True(Sites.Judge(Page, fails, fetched: Sites.Summer).Excluded);
        Assert.True(Sites.Judge(Page, fails, fetched: Sites.Autumn).Excluded);
        Assert.False(Sites.Judge(Page, fails, new RightsPolicy { ServerErrorDays = 30 }, Sites.Autumn).Excluded);
        Assert.True(Sites.Judge(Page, fails, new RightsPolicy { ServerErrorDays = 30 }, Sites.Summer.AddDays(30)).Excluded);
        PoliciesInMemory recovers = Sites.Of(Sites.File(Robots, "", Sites.Spring, status: 500), Sites.File(Robots, Open, Sites.Summer));
        Assert.False(Sites.Judge(Page, recovers, fetched: Sites.Spring).Excluded);
        Assert.True(Sites.Judge(Page, Sites.Of(Sites.File(Robots, "", Sites.Summer, status: 0)), fetched: Sites.Spring).Excluded);
    }

    [Fact]
    public void Any_denial_wins_over_everything_that_allows()
    {
        PoliciesInMemory site = Sites.Of(
            Sites.File(Robots, "User-agent: *\nAllow: /\nContent-Signal: ai-train=yes\nContent-Usage: train-ai=y\n"), Sites.File("https://example.org/trust.txt", "datatrainingallowed=yes"),
            Sites.File("https://example.org/.well-known/tdmrep.json", """[{"location":"/","tdm-reservation":0}]"""), Sites.File("https://example.org/ai.txt", "User-Agent: *\nDisallow: /\n"));
        RightsVerdict verdict = Sites.Judge(Page, site);
        Assert.Equal("ai-txt", verdict.Reason);
        Assert.Equal(4, verdict.Signals.Count(signal => signal.Ruling == RightsRuling.Allow));
    }

    [Fact]
    public void What_a_page_said_before_its_site_opted_out_does_not_count_against_that()
    {
        PoliciesInMemory site = Sites.Of(Sites.File("https://example.org/.well-known/tdmrep.json", """[{"location":"/","tdm-reservation":1}]""", Sites.Summer));
        RightsStatement free = Sites.Header("tdm-reservation", "0");
        Assert.True(Sites.Judge(Page, site, fetched: Sites.Spring, said: free).Excluded);
        Assert.False(Sites.Judge(Page, site, fetched: Sites.Autumn, said: free).Excluded);
    }

    [Fact]
    public void Protocols_that_are_not_honoured_are_shown_and_exclude_nothing()
    {
        var policy = new RightsPolicy(honour: ["tdmrep", "x-robots-tag"]);
        RightsVerdict verdict = Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed)), policy);
        Assert.Equal((false, RightsRuling.Flag), (verdict.Excluded, verdict.Only(RightsProtocol.Robots).Ruling));
        Assert.True(Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed)), policy, said: Sites.Header("x-robots-tag", "noai")).Excluded);
        Assert.Contains("did you mean 'tdmrep'", Assert.Throws<UserErrorException>(() => new RightsPolicy(honour: ["tdmrap"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Licences_are_kept_dropped_and_may_lift_a_reservation()
    {
        string[] free = ["unknown", "https://creativecommons.org/licenses/by/4.0/"], limited = ["https://creativecommons.org/licenses/by-nc/4.0/"];
        var drops = new RightsPolicy { DropLicenses = ["*/by-nc/*", "*/by-nd/*"] };
        Assert.Equal("licence", Sites.Judge(Page, null, drops, licenses: limited).Reason);
        Assert.False(Sites.Judge(Page, null, drops, licenses: free).Excluded);
        var keeps = new RightsPolicy { KeepLicenses = ["CC0-1.0", "*creativecommons.org/licenses/by/*"] };
        Assert.False(Sites.Judge(Page, null, keeps, licenses: free).Excluded);
        Assert.False(Sites.Judge(Page, null, keeps, licenses: ["cc0-1.0"]).Excluded);
        Assert.Equal("licence", Sites.Judge(Page, null, keeps, licenses: limited).Reason);
        Assert.Equal("licence", Sites.Judge(Page, null, keeps).Reason);
        var lifts = new RightsPolicy { OverridingLicenses = ["*/licenses/by/*"], Blocklist = DomainList.Read(new StringReader("blocked.example"), "b") };
        RightsVerdict verdict = Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed)), lifts, licenses: free);
        Assert.Equal((false, free[1], true), (verdict.Excluded, verdict.License, verdict.Decisive is not null));
        Assert.Equal("blocklist", Sites.Judge("https://blocked.example/", null, lifts, licenses: free).Reason);
    }

    [Fact]
    public void The_entry_of_the_ledger_is_compact_and_complete()
    {
        RightsVerdict verdict = Sites.Judge(Page, Sites.Of(Sites.File(Robots, Closed)), said: Sites.Header("x-robots-tag", "noindex"));
        string json = verdict.ToJson();
        Assert.DoesNotContain("\n", json, StringComparison.Ordinal);
        JsonNode entry = JsonNode.Parse(json)!;
        Assert.Equal((true, "robots", RightsData.Version), ((bool)entry["excluded"]!, (string?)entry["reason"], (string?)entry["rules"]));
        JsonNode robots = entry["signals"]![0]!;
        Assert.Equal(("robots", "deny", Robots, "2026-03-01T12:00:00Z"), ((string?)robots["protocol"], (string?)robots["ruling"], (string?)robots["source"], (string?)robots["fetched"]));
        Assert.Equal(RightsSignal.Hash("noindex"), (string?)entry["signals"]![1]!["sha256"]);
        Assert.Contains("agents 2026-11-25", verdict.Rules, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_page_says_travels_with_its_document()
    {
        var said = new PageRights(Sites.Spring, [Sites.Header("X-Robots-Tag", "noai"), Sites.Meta("robots", "a\"b"), RightsStatement.OfLink("/l"), new RightsStatement(StatementSource.Text, "mt", "ħ"), new RightsStatement(StatementSource.Embedded, "c2pa.ai_training", "allowed")]);
        PageRights back = PageRights.Read(JsonNode.Parse(said.ToJson().ToJsonString()));
        Assert.Equal(said.Fetched, back.Fetched);
        Assert.Equal(said.Statements, back.Statements);
        foreach (string other in (string[])["[]", "1", "{}", """{"said":1}""", """{"said":[1,[],["header","a"],["header","a",1],["elsewhere","a","b"]],"fetched":3}"""])
            Assert.Equal((null, 0), (PageRights.Read(JsonNode.Parse(other)).Fetched, PageRights.Read(JsonNode.Parse(other)).Statements.Count));
    }

    [Theory]
    [InlineData("2026-03-01T12:00:00Z", true)]
    [InlineData("2026-03-01T12:00:00.123456789Z", true)]
    [InlineData("2026-03-01T14:00:00+02:00", true)]
    [InlineData("20260301120000", true)]
    [InlineData("yesterday", false)]
    [InlineData(null, false)]
    public void Times_are_read_as_archives_write_them(string? text, bool known) => Assert.Equal(known ? Sites.Spring : null, Timestamp.Read(text));
}
