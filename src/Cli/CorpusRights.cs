using System.CommandLine;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Rights;
using OpenEuroLLM.Privacy.Rights;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus rights</c>: whether pages may be learned from, who says so, and where.</summary>
internal static class CorpusRights
{
    private const int MostRows = 5_000;

    private sealed record Settings(string Subject, string? Policies, RightsPolicy Policy, string? Html, bool Json);

    public static Command Create()
    {
        var subject = new Argument<string>("page") { Description = "An address, or a web archive (.warc, plain or with .gz or .zst behind) whose pages are judged." };
        var policies = new Option<string?>("--policies") { Description = "The store of site policies, made by 'oellm corpus policies'. Default for an archive: the policies in it.", HelpName = "DIR" };
        var blocklist = new Option<string?>("--blocklist") { Description = "A file of domains that are left out, one a line.", HelpName = "FILE" };
        var held = new Option<string?>("--held-licenses") { Description = "A file of domains for whose texts a licence is held, with its name behind the domain.", HelpName = "FILE" };
        var honour = new Option<string[]>("--honour") { Description = $"Only these protocols count: {string.Join(", ", RightsNames.All)}.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        var sinceFetched = new Option<bool>("--not-retroactive") { Description = "What a site says holds for pages fetched since, and not for older ones." };
        var html = new Option<string?>("--html") { Description = "Writes a page with the verdicts and their evidence.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a page: verdict, reason, and every statement with its evidence." };
        var command = new Command("rights", "Says for each page whether the rights to learn from it are reserved, by which protocol, and where that is written. Nothing is fetched.\n" +
            "Example: oellm corpus rights https://example.org/page --policies policies") { subject, policies, blocklist, held, honour, sinceFetched, html, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var policy = new RightsPolicy(parsed.GetValue(honour) is { Length: > 0 } names ? names : null)
            {
                Retroactive = !parsed.GetValue(sinceFetched),
                Blocklist = parsed.GetValue(blocklist) is { } blocked ? DomainList.Load(blocked) : null,
                HeldLicenses = parsed.GetValue(held) is { } licensed ? DomainList.Load(licensed) : null,
            };
            var settings = new Settings(parsed.GetValue(subject)!, parsed.GetValue(policies), policy, parsed.GetValue(html), parsed.GetValue(json));
            return Run(settings, parsed.InvocationConfiguration.Output, new StatusLine(parsed.InvocationConfiguration.Error, quiet: false), cancellation);
        }, CancellationToken.None));
        return command;
    }

    private static int Run(Settings settings, TextWriter output, StatusLine status, CancellationToken cancellation)
    {
        using PolicyStore? store = settings.Policies is null ? null : PolicyStore.Open(settings.Policies);
        bool isAddress = WebAddress.Parse(settings.Subject) is not null;
        if (!isAddress && !File.Exists(settings.Subject)) throw new UserErrorException($"'{settings.Subject}' is neither an address of the web nor a file; expected https://... or a web archive.");
        PolicySource? source = store;
        if (!isAddress && source is null) source = OwnPolicies(settings.Subject, status);
        var judge = new RightsJudge(settings.Policy, source);
        var pages = isAddress ? [new ReviewedPage(settings.Subject, PageRights.Nothing, [])] : PageReview.Pages(settings.Subject, (where, reason) => status.Say($"rights      {where}: {reason}"));
        var report = new Report(settings.Subject);
        foreach (ReviewedPage page in pages)
        {
            cancellation.ThrowIfCancellationRequested();
            RightsVerdict verdict = judge.Judge(page.Url, page.Rights, page.Licenses);
            report.Add(page, verdict, keeps: settings.Html is not null);
            if (settings.Json) output.WriteLine(ToJson(page, verdict));
            else if (isAddress) WriteAll(verdict, output);
            else WriteLine(page, verdict, output);
        }
        if (!isAddress && !settings.Json) output.WriteLine(report.Summary());
        if (settings.Html is { } file) Write(file, report.ToHtml());
        return ExitCode.Success;
    }

    /// <summary>The policies that the archive itself holds.</summary>
    private static PoliciesInMemory OwnPolicies(string archive, StatusLine status)
    {
        var own = new PoliciesInMemory();
        foreach (SiteFile file in SitePolicyReader.Read(archive)) own.Add(file);
        status.Say(FormattableString.Invariant($"rights      {own.Count} site policies in the archive"));
        return own;
    }

    private static void WriteAll(RightsVerdict verdict, TextWriter output)
    {
        output.WriteLine(verdict.Excluded ? $"excluded: {verdict.Reason}" : verdict.License is { } license ? $"kept: {license}" : "kept");
        if (verdict.Signals.Count > 0)
            foreach (string line in Report.Signals(null, verdict.Signals).ToLines()) output.WriteLine(line);
        else output.WriteLine("Nothing is known of this site.");
    }

    private static void WriteLine(ReviewedPage page, RightsVerdict verdict, TextWriter output)
    {
        IReadOnlyList<string> row = Report.Row(page, verdict);
        output.WriteLine(Table.Line($"{row[1],-8}  {row[2],-14}  {row[0]}  {row[3]}").TrimEnd());
    }

    private static string ToJson(ReviewedPage page, RightsVerdict verdict) => JsonLine.Of(writer =>
    {
        writer.WriteString("url", page.Url);
        if (page.Rights.Fetched is { } fetched) writer.WriteString("fetched", Timestamp.Write(fetched));
        verdict.WriteFields(writer);
    });

    private static void Write(string file, string page)
    {
        try
        {
            File.WriteAllText(file, page, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, file);
        }
    }

    /// <summary>Counts verdicts, and keeps as many rows as a page can show.</summary>
    private sealed class Report(string subject)
    {
        private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);
        private readonly List<IReadOnlyList<string>> _rows = [];
        private readonly List<IReadOnlyList<string>> _signals = [];
        private long _kept, _flagged;
        private string _rules = "";

        public void Add(ReviewedPage page, RightsVerdict verdict, bool keeps)
        {
            _rules = verdict.Rules;
            if (verdict.Reason is { } reason) _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
            else _kept++;
            if (verdict.Signals.Any(signal => signal.Ruling == RightsRuling.Flag)) _flagged++;
            if (!keeps) return;
            if (_rows.Count < MostRows) _rows.Add(Row(page, verdict));
            if (_signals.Count < MostRows) _signals.AddRange(Signals(page.Url, verdict.Signals).Rows);
        }

        public string Summary() => FormattableString.Invariant($"{_kept + _reasons.Values.Sum()} pages: {_kept} kept, {_reasons.Values.Sum()} excluded{(_reasons.Count == 0 ? "" : $" ({string.Join(", ", _reasons.Select(reason => FormattableString.Invariant($"{reason.Key} {reason.Value}")))})")}; {_flagged} to be looked at");

        public string ToHtml()
        {
            string cut = _rows.Count == MostRows ? FormattableString.Invariant($" The tables show the first {MostRows} pages and statements; --json gives all.") : "";
            return SectionPage.Render("Reserved rights", $"{subject}: {Summary()}. Rules: {_rules}.{cut}", [],
            [
                new PageSection("Verdicts", [new TablePart(new Table("Pages by verdict", ["Verdict", "Pages"], [["kept", Whole(_kept)], .. _reasons.Select(reason => (IReadOnlyList<string>)[$"excluded: {reason.Key}", Whole(reason.Value)])]))]),
                new PageSection("Pages", [new TablePart(new Table("What decides about each page", ["Page", "Verdict", "Reason", "Rule", "Where"], _rows))]),
                new PageSection("Statements", [new TablePart(new Table("Everything that was said, with its evidence", ["Page", "Protocol", "Says", "Statement", "Where", "Fetched", "SHA-256", "Remark"], _signals))]),
            ]);
        }

        public static IReadOnlyList<string> Row(ReviewedPage page, RightsVerdict verdict) =>
            [page.Url, verdict.Excluded ? "excluded" : "kept", verdict.Reason ?? "", verdict.License is { } license ? $"licence: {license}" : verdict.Decisive?.Raw ?? "", verdict.Decisive?.Source ?? ""];

        /// <summary>The statements as rows, with the page where there are several.</summary>
        public static Table Signals(string? page, IReadOnlyList<RightsSignal> signals) => new("Statements",
            [.. page is null ? [] : (string[])["Page"], "Protocol", "Says", "Statement", "Where", "Fetched", "SHA-256", "Remark"],
            [.. signals.Select(signal => (IReadOnlyList<string>)[
                .. page is null ? [] : (string[])[page], RightsNames.Of(signal.Protocol), RightsNames.Of(signal.Ruling), signal.Raw, signal.Source,
                signal.Fetched is { } fetched ? Timestamp.Write(fetched) : "", signal.Raw.Length > 0 ? signal.Sha256 : signal.DocumentSha256 ?? "",
                signal.IsSuperseded ? "superseded by a later statement" : signal.Problem ?? (signal.Policy is { } policy ? $"terms: {policy}" : "")])]);

        private static string Whole(long count) => count.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
