using System.CommandLine;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench rights</c>: how fast verdicts about reserved rights are given.</summary>
internal static class BenchRights
{
    private const int RulesOfSite = 40;

    private static readonly string[] Agents = ["Googlebot", "GPTBot", "CCBot", "bingbot", "ClaudeBot", "Bytespider"];

    public static Command Create()
    {
        var sites = BenchCommand.Number("--sites", "Sites in the store, each with a robots.txt of 40 rules in 7 groups, every fifth with a tdmrep.json.", 20_000);
        var pages = BenchCommand.Number("--pages", "Pages judged in a pass, of all sites in turn.", 200_000);
        var passes = BenchCommand.Number("--passes", "Passes over all pages with policies in memory; the median counts.", 5);
        var json = BenchCommand.Json("part, sites, pages, excluded, passes, coldPerSecond, perSecond");
        var command = new Command("rights", "Measures verdicts about reserved rights on one thread, from a policy store made for the purpose: first with every policy read from the disk, then with policies in memory.\n" +
            "Example: oellm bench rights --sites 20000 --pages 200000") { sites, pages, passes, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            (int siteCount, int pageCount, int passCount) = (parsed.GetValue(sites), parsed.GetValue(pages), parsed.GetValue(passes));
            BenchCommand.RequireRange("--sites", siteCount, 1, 10_000_000);
            BenchCommand.RequireRange("--pages", pageCount, 1, 100_000_000);
            BenchCommand.RequireRange("--passes", passCount, 1, 1000);
            string folder = Directory.CreateTempSubdirectory("oellm-rights-").FullName;
            try
            {
                Measure(folder, siteCount, pageCount, passCount, parsed.GetValue(json), parsed.InvocationConfiguration.Output, cancellation);
            }
            finally
            {
                PhysicalFileSystem.Instance.Delete(folder);
            }
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Measure(string folder, int sites, int pages, int passes, bool json, TextWriter output, CancellationToken cancellation)
    {
        Write(folder, sites);
        using PolicyStore store = PolicyStore.Open(folder, cacheBytes: 2L << 30);
        var judge = new RightsJudge(RightsPolicy.Default, store);
        var said = new PageRights(Time, [RightsStatement.OfHeader("X-Robots-Tag", "noindex, max-snippet:-1")!.Value]);
        SystemClock clock = SystemClock.Instance;
        long excluded = 0;
        double Pass(int count)
        {
            cancellation.ThrowIfCancellationRequested();
            excluded = 0;
            long started = clock.Timestamp;
            for (int page = 0; page < count; page++)
                if (judge.Judge(FormattableString.Invariant($"https://www.site{page % sites}.example/news/2026/article-{page}.html?from=home"), said).Excluded) excluded++;
            return count / clock.SecondsSince(started);
        }
        double cold = Pass(Math.Min(sites, pages));
        double[] rates = [.. Enumerable.Range(0, passes).Select(_ => Pass(pages))];
        double rate = BenchCommand.Median(rates);
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                writer.WriteString("part", "rights");
                writer.WriteNumber("sites", sites);
                writer.WriteNumber("pages", pages);
                writer.WriteNumber("excluded", excluded);
                writer.WriteNumber("passes", passes);
                writer.WriteFigure("coldPerSecond", cold);
                writer.WriteFigure("perSecond", rate);
            })
            : FormattableString.Invariant($"rights  {rate:0} verdicts/s on one thread with policies in memory, {cold:0} when each is read from the disk ({sites} sites, {pages} pages of which {excluded} excluded, median of {passes} passes)"));
    }

    private static DateTimeOffset Time { get; } = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private static void Write(string folder, int sites)
    {
        var random = new CounterRandom(1, 0);
        using PolicyStoreWriter writer = PolicyStoreWriter.Create(folder);
        ulong drawn = 0;
        for (int site = 0; site < sites; site++)
        {
            string root = FormattableString.Invariant($"https://www.site{site}.example");
            var robots = new StringBuilder("Sitemap: ").Append(root).Append("/sitemap.xml\nUser-agent: *\n");
            for (int rule = 0; rule < RulesOfSite; rule++)
            {
                if (rule % 6 == 5) robots.Append("\nUser-agent: ").Append(Agents[rule / 6 % Agents.Length]).Append('\n');
                robots.Append(rule % 5 == 0 ? "Allow: /" : "Disallow: /").Append(rule % 3 == 0 ? "*" : "").Append(FormattableString.Invariant($"part-{random.Below(drawn++, 1000)}")).Append(rule % 4 == 0 ? "/*.pdf$" : "/").Append('\n');
            }
            if (site % 10 == 0) robots.Append("User-agent: GPTBot\nDisallow: /\n");
            Add(writer, root + "/robots.txt", SiteFileKind.Robots, robots.ToString());
            if (site % 5 == 0) Add(writer, root + "/.well-known/tdmrep.json", SiteFileKind.TdmRep, FormattableString.Invariant($"[{{\"location\": \"/archive/\", \"tdm-reservation\": 1}}, {{\"location\": \"/*\", \"tdm-reservation\": {(site % 25 == 0 ? 1 : 0)}}}]"));
        }
        writer.Commit();
    }

    private static void Add(PolicyStoreWriter writer, string url, SiteFileKind kind, string content) =>
        writer.Add(SiteFile.Of(WebAddress.Parse(url)!.Value, url, kind, Time, 200, null, Encoding.UTF8.GetBytes(content))!);
}
