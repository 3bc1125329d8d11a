using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class UsageStatementsTests
{
    [Theory]
    [InlineData("train-ai=n", RightsRuling.Deny)]
    [InlineData("train-ai=y, search=n", RightsRuling.Allow)]
    [InlineData("train-ai=y, train-ai", RightsRuling.Unset)]
    [InlineData("train-ai;allow=n, train-ai=y", RightsRuling.Allow)]
    [InlineData("Train-AI=n", RightsRuling.Unset)]
    [InlineData("train-ai=N", RightsRuling.Unset)]
    [InlineData("train-ai=\"n\"", RightsRuling.Unset)]
    [InlineData("train-ai=(n)", RightsRuling.Unset)]
    [InlineData("train-ai=?0", RightsRuling.Unset)]
    [InlineData("search=n", RightsRuling.Unset)]
    [InlineData("tdm=n", RightsRuling.Deny)]
    [InlineData("ai=n", RightsRuling.Deny)]
    [InlineData("genai=n", RightsRuling.Deny)]
    [InlineData("all=n", RightsRuling.Deny)]
    [InlineData("bots=n", RightsRuling.Deny)]
    [InlineData("train-genai=n", RightsRuling.Deny)]
    [InlineData("tdm=y", RightsRuling.Unset)]
    [InlineData("", RightsRuling.Unset)]
    [InlineData("  train-ai=n  ", RightsRuling.Deny)]
    [InlineData("train-ai=n,", RightsRuling.Unset)]
    [InlineData("train-ai=n search=y", RightsRuling.Unset)]
    [InlineData("train-ai = n", RightsRuling.Unset)]
    [InlineData("a=1, b=-1.5, c=\"x\\\"y\", d=:aGk=:, e=?1, f=@12, g=%\"caf%c3%a9\", h=(a \"b\" 3;p);q=z, *k, train-ai=n;x=1", RightsRuling.Deny)]
    public void A_dictionary_of_structured_fields_is_read_as_the_draft_says(string value, RightsRuling ruling) => Assert.Equal(ruling, UsageStatements.ContentUsage(value, out _));

    [Theory]
    [InlineData("1234567890123456", false)]
    [InlineData("123456789012345", true)]
    [InlineData("1234567890123.1", false)]
    [InlineData("1.1234", false)]
    [InlineData("1.", false)]
    [InlineData("-", false)]
    [InlineData("\"é\"", false)]
    [InlineData("\"open", false)]
    [InlineData(":b@d:", false)]
    [InlineData("@1.5", false)]
    [InlineData("%\"%C3\"", false)]
    [InlineData("?2", false)]
    [InlineData("(a", false)]
    [InlineData("(a\"b\")", false)]
    [InlineData("()", true)]
    [InlineData("*to/ken:x", true)]
    public void What_is_no_item_makes_the_whole_no_dictionary(string item, bool valid)
    {
        Assert.Equal(valid ? RightsRuling.Deny : RightsRuling.Unset, UsageStatements.ContentUsage($"train-ai=n, other={item}", out string? problem));
        Assert.Equal(valid, problem is null);
    }

    [Theory]
    [InlineData("search=yes,ai-train=no,ai-input=no,use=reference", RightsRuling.Deny)]
    [InlineData("search=yes, ai-train=yes", RightsRuling.Allow)]
    [InlineData("search=yes, ai-input=no", RightsRuling.Unset)]
    [InlineData("AI-Train = NO", RightsRuling.Deny)]
    [InlineData("ai-train=yes, ai-train=no", RightsRuling.Deny)]
    [InlineData("ai-train", RightsRuling.Unset)]
    [InlineData("", RightsRuling.Unset)]
    public void A_content_signal_denies_training_alone(string value, RightsRuling ruling) => Assert.Equal(ruling, UsageStatements.ContentSignal(value));

    [Theory]
    [InlineData("Content-Usage: train-ai=n", "/a", RightsRuling.Deny)]
    [InlineData("Content-Usage: /b train-ai=n", "/a", null)]
    [InlineData("Content-Usage: /a train-ai=n", "/a", RightsRuling.Deny)]
    [InlineData("Content-Usage: train-ai=n\nContent-Usage: /a train-ai=y", "/a/b", RightsRuling.Allow)]
    [InlineData("Content-Usage: /a train-ai=n\nContent-Usage: /*/b train-ai=y", "/a/b", RightsRuling.Allow)]
    [InlineData("Content-Usage: /a train-ai=n\nContent-Usage: /a train-ai=y", "/a", RightsRuling.Deny)]
    [InlineData("Content-Usage: train-ai=n # not us", "/a", RightsRuling.Deny)]
    [InlineData("Content-Usage: Train-AI=n", "/a", RightsRuling.Unset)]
    [InlineData("Content-Usage: /a", "/a", null)]
    public void A_rule_of_robots_txt_holds_for_its_paths(string rules, string path, RightsRuling? ruling)
    {
        PoliciesInMemory site = Sites.Of(Sites.File("https://example.org/robots.txt", "User-agent: *\nAllow: /\n" + rules));
        RightsVerdict verdict = Sites.Judge("https://example.org" + path, site);
        Assert.Equal(ruling, verdict.Signals.SingleOrDefault(signal => signal.Protocol == RightsProtocol.ContentUsage)?.Ruling);
        Assert.Equal(ruling == RightsRuling.Deny ? "content-usage" : null, verdict.Reason);
    }

    [Fact]
    public void A_statement_counts_in_groups_of_training_agents_and_only_for_paths_that_they_may_fetch()
    {
        PoliciesInMemory site = Sites.Of(Sites.File("https://example.org/robots.txt",
            "User-agent: Googlebot\nContent-Signal: ai-train=no\nAllow: /\n\nUser-agent: GPTBot\nContent-Signal: /a ai-train=no\nDisallow: /a/closed\n"));
        Assert.Null(Sites.Judge("https://example.org/b", site).Reason);
        RightsVerdict signal = Sites.Judge("https://example.org/a/open", site);
        Assert.Equal("content-signal", signal.Reason);
        Assert.Equal("User-agent: GPTBot\nContent-Signal: /a ai-train=no", signal.Decisive!.Raw);
        RightsVerdict closed = Sites.Judge("https://example.org/a/closed", site);
        Assert.Equal("robots", closed.Reason);
        Assert.DoesNotContain(closed.Signals, statement => statement.Protocol == RightsProtocol.ContentSignal);
    }

    [Fact]
    public void A_statement_before_any_group_does_not_count_but_is_shown()
    {
        RightsVerdict verdict = Sites.Judge("https://example.org/", Sites.Of(Sites.File("https://example.org/robots.txt", "Content-Signal: ai-train=no\nUser-agent: *\nAllow: /\n")));
        Assert.False(verdict.Excluded);
        Assert.Equal(RightsRuling.Flag, verdict.Only(RightsProtocol.ContentSignal).Ruling);
    }

    [Fact]
    public void Of_several_statements_a_denial_wins()
    {
        RightsVerdict verdict = Sites.Judge("https://example.org/", Sites.Of(Sites.File("https://example.org/robots.txt", "User-agent: *\nContent-Usage: train-ai=y\n")), said: [Sites.Header("Content-Usage", "train-ai=y"), Sites.Header("content-usage", "train-ai=n")]);
        Assert.Equal("content-usage", verdict.Reason);
        Assert.Equal("header content-usage", verdict.Decisive!.Source);
    }
}
