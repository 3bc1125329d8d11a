using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class RobotsFileTests
{
    private static byte[] Path(string path) => PathPattern.NormalizePath(Encoding.UTF8.GetBytes(path));

    private static bool Allows(string robots, string agent, string path) => RobotsFile.Parse(Encoding.UTF8.GetBytes(robots)).ViewOf(agent).Allows(Path(path));

    [Theory]
    [InlineData("disallow: /x/page.html\nallow: /x/", "/x/page.html", false)]
    [InlineData("allow: /page\ndisallow: /*.html", "/page.html", false)]
    [InlineData("allow: /page\ndisallow: /*.html", "/page", true)]
    [InlineData("allow: /x/page.\ndisallow: /*.html", "/x/page.html", true)]
    [InlineData("allow: /x/page.\ndisallow: /*.html", "/x/y.html", false)]
    [InlineData("disallow: /x\nallow: /x/", "/x", false)]
    [InlineData("disallow: /x\nallow: /x/", "/x/", true)]
    [InlineData("disallow: /\nallow: /", "/anything", true)]
    [InlineData("disallow:", "/x", true)]
    [InlineData("disallow: /", "/robots.txt", true)]
    [InlineData("disallow: /x$", "/x", false)]
    [InlineData("disallow: /x$", "/xy", true)]
    [InlineData("disallow: /*.php$", "/a.php", false)]
    [InlineData("disallow: /*.php$", "/a.php?b=1", true)]
    [InlineData("disallow: /a*b*c", "/a1b2c3", false)]
    [InlineData("disallow: /a*b*c", "/acb", true)]
    [InlineData("disallow: /FISH", "/fish", true)]
    [InlineData("disallow: /a  # a comment", "/a", false)]
    [InlineData("disallow: /caf%C3%A9", "/café", false)]
    [InlineData("disallow: /café", "/caf%c3%a9", false)]
    [InlineData("disallow: /%7Ejoe", "/~joe", false)]
    [InlineData("disallow: /a%2fb", "/a/b", true)]
    [InlineData("disallow: /a%2Ab", "/a*b", false)]
    [InlineData("disallow: /a%2Ab", "/aXb", true)]
    [InlineData("disallow: /a%24", "/a$", false)]
    [InlineData("disallow: /a%24", "/a", true)]
    [InlineData("disallow: /a b", "/a%20b", false)]
    [InlineData("disallow: *", "/a", false)]
    [InlineData("disallow: /*$", "/a", false)]
    public void A_rule_matches_as_the_standard_says(string rules, string path, bool allowed) => Assert.Equal(allowed, Allows("user-agent: FooBot\n" + rules, "FooBot", path));

    [Fact]
    public void A_group_for_the_agent_counts_and_the_one_for_all_does_not()
    {
        const string Robots = "user-agent: *\ndisallow: /x/\nuser-agent: FooBot\ndisallow: /y/\n";
        Assert.True(Allows(Robots, "FooBot", "/x/page"));
        Assert.False(Allows(Robots, "FooBot", "/y/page"));
        Assert.False(Allows(Robots, "BarBot", "/x/page"));
    }

    [Fact]
    public void Groups_of_one_agent_are_one_and_consecutive_agents_share_a_group()
    {
        const string Robots = "User-Agent: a\nUser-Agent: FOOBOT/2.1\nSitemap: https://example.org/s.xml\nUser-agent: b\nDisallow: /1\n\nUser-agent: c\nDisallow: /2\n\nuser-agent: foobot\nDisallow: /3\n";
        foreach (string agent in (string[])["a", "FooBot", "b"]) Assert.False(Allows(Robots, agent, "/1"));
        Assert.False(Allows(Robots, "FooBot", "/3"));
        Assert.True(Allows(Robots, "FooBot", "/2"));
        Assert.True(Allows(Robots, "a", "/3"));
        Assert.True(Allows(Robots, "nobody", "/1"));
    }

    [Theory]
    [InlineData("\uFEFFuser-agent: FooBot\r\ndisallow: /x\r\n")]
    [InlineData("user-agent : FooBot\rdisallow : /x\r")]
    [InlineData("USERAGENT:FooBot\nDISALOW:/x")]
    [InlineData("disallow: /\n\n\nuser-agent: FooBot # us\n\n# nothing\ndisallow: /x # that\nnonsense\n: \n::\n")]
    [InlineData("user-agent: FooBot\nallow\ndisallow: /x\0\0")]
    public void Odd_files_are_read_as_they_are_meant(string robots)
    {
        Assert.False(Allows(robots, "FooBot", "/x"));
        Assert.True(Allows(robots, "FooBot", "/y"));
    }

    [Fact]
    public void A_name_with_a_blank_is_found_and_a_longer_name_is_another_agent()
    {
        Assert.False(Allows("user-agent: Kangaroo Bot\ndisallow: /", "Kangaroo Bot", "/a"));
        Assert.True(Allows("user-agent: Ai2Bot-Dolma\ndisallow: /", "AI2Bot", "/a"));
        Assert.False(Allows("user-agent: AI2Bot\ndisallow: /", "ai2bot", "/a"));
    }

    [Fact]
    public void A_file_of_fifty_megabytes_is_read_up_to_the_bound()
    {
        byte[] file = new byte[50 << 20];
        Encoding.ASCII.GetBytes("user-agent: FooBot\ndisallow: /first\n").CopyTo(file, 0);
        byte[] line = Encoding.ASCII.GetBytes("disallow: /some/path/of/a/site/*/with/a/star\n");
        int at = 36;
        for (; at < file.Length - line.Length; at += line.Length) line.CopyTo(file, at);
        Encoding.ASCII.GetBytes("disallow: /half").CopyTo(file, RobotsFile.MaxBytes - 15);   // the rest of the path lies behind the bound
        Encoding.ASCII.GetBytes("disallow: /within\n").CopyTo(file, (500 << 10) - 18);
        file[(500 << 10) - 19] = (byte)'\n';
        long started = Stopwatch.GetTimestamp();
        RobotsFile robots = RobotsFile.Parse(file);
        Assert.True(robots.IsTruncated);
        RobotsView view = robots.ViewOf("FooBot");
        Assert.False(view.Allows("/first"u8));
        Assert.False(view.Allows("/within"u8));
        Assert.True(view.Allows("/half-a-path"u8));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Patterns_that_bring_backtracking_matchers_to_a_standstill_take_no_time()
    {
        string stars = "/" + string.Concat(Enumerable.Repeat("a*", 2000)) + "b", long1 = "/*" + new string('a', 4000) + "b";
        byte[] path = Path("/" + new string('a', 8000));
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200; i++)
        {
            Assert.False(PathPattern.Parse(Encoding.ASCII.GetBytes(stars)).Matches(path));
            Assert.False(PathPattern.Parse(Encoding.ASCII.GetBytes(long1)).Matches(path));
        }
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));   // a hundredth of this when alone on a machine
    }

    [Fact]
    public void The_matcher_agrees_with_a_naive_one_on_random_patterns()
    {
        var random = new Random(7);
        int matched = 0;
        for (int i = 0; i < 60_000; i++)
        {
            string pattern = "/" + Letters(random, random.Next(8), "aab*/"), path = "/" + Letters(random, random.Next(14), "aab/");
            if (random.Next(4) == 0) pattern += "$";
            if (random.Next(50) == 0)
            {
                pattern = "/*" + new string('a', 20) + "b" + pattern;   // long enough for the other way of searching
                path += Letters(random, 40, "aaaaaaaaaaaaaaaaab");
            }
            bool expected = Naive(pattern.TrimEnd('$'), path, pattern.EndsWith('$'));
            if (expected) matched++;
            Assert.True(expected == PathPattern.Parse(Encoding.ASCII.GetBytes(pattern)).Matches(Path(path)), $"{pattern} on {path}");
        }
        Assert.InRange(matched, 5_000, 55_000);
    }

    [Fact]
    public void Choosing_a_rule_agrees_with_a_naive_choice_on_random_files()
    {
        var random = new Random(8);
        for (int i = 0; i < 3_000; i++)
        {
            var rules = Enumerable.Range(0, random.Next(1, 8)).Select(_ => (Allow: random.Next(2) == 0, Pattern: "/" + Letters(random, random.Next(4), "ab*"))).ToList();
            string robots = "user-agent: x\n" + string.Concat(rules.Select(rule => $"{(rule.Allow ? "allow" : "disallow")}: {rule.Pattern}\n"));
            string path = "/" + Letters(random, random.Next(5), "ab");
            bool expected = rules.Where(rule => Naive(rule.Pattern, path, ends: false)).OrderByDescending(rule => rule.Pattern.Length).ThenByDescending(rule => rule.Allow).Select(rule => rule.Allow).FirstOrDefault(true);
            Assert.True(expected == Allows(robots, "x", path), robots + path);
        }
    }

    private static string Letters(Random random, int count, string from) => string.Concat(Enumerable.Range(0, count).Select(_ => from[random.Next(from.Length)]));

    private static bool Naive(string pattern, string path, bool ends)
    {
        if (pattern.Length == 0) return !ends || path.Length == 0;
        if (pattern[0] == '*') return Enumerable.Range(0, path.Length + 1).Any(skipped => Naive(pattern[1..], path[skipped..], ends));
        return path.Length > 0 && path[0] == pattern[0] && Naive(pattern[1..], path[1..], ends);
    }
}
