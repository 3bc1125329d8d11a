using System.CommandLine;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Reporting;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus report</c>: what became of the texts.</summary>
internal static class CorpusReportCommand
{
    private const int SampleWidth = 100, MostOrigins = 60, MostReasons = 30, NamedDomains = 3, DomainsOfOne = 20, SamplesOfOutcome = 3;

    public static Command Create()
    {
        var corpus = new Argument<string>("dir") { Description = "The corpus folder." };
        var language = new Option<string[]>("--language") { Description = "Shows these languages alone, each step by step.", HelpName = "CODE", AllowMultipleArgumentsPerToken = true };
        var html = new Option<string?>("--html") { Description = "Writes a page with drawings, tables and samples of all languages.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print JSON objects, one a line; the field 'kind' is language, step, licence, source, domains, domain, sample, skipped or problem." };
        var command = new Command("report", "Shows language by language what became of the texts: read, moved, dropped and why, held out, kept for training; samples, domains, licences.\n" +
            "Example: oellm corpus report runs/quickstart/corpus --html corpus.html") { corpus, language, html, json };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(corpus)!;
            CorpusContents contents = CorpusContents.Read(PhysicalFileSystem.Instance, folder);
            string[] wanted = Wanted(contents, parsed.GetValue(language) ?? [], folder);
            if (parsed.GetValue(html) is string file) PageFile.Write(file, new CorpusReportPage(contents).Render());
            TextWriter output = parsed.InvocationConfiguration.Output;
            IEnumerable<string> lines = parsed.GetValue(json) ? CorpusReportJson.Lines(contents, code => wanted.Length == 0 || wanted.Contains(code))
                : wanted.Length == 0 ? Lines(contents) : wanted.SelectMany(code => Lines(contents, code));
            foreach (string line in lines) output.WriteLine(line);
            output.Flush();
            if (contents.Funnel.Problems is [string first, ..] problems)
                throw new UserErrorException($"{folder}: the counts do not add up: {first}{(problems.Count == 1 ? "" : FormattableString.Invariant($", and {problems.Count - 1} more"))}; build the corpus again.");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The row of each language: what a build prints, and the beginning of the report.</summary>
    public static void PrintLanguages(Manifest manifest, bool json, TextWriter output)
    {
        CorpusFunnel funnel = CorpusFunnel.Of(manifest);
        foreach (string line in json ? CorpusReport.Of(funnel).Select(CorpusReportJson.Line) : LanguageLines(funnel)) output.WriteLine(line);
    }

    private static IEnumerable<string> LanguageLines(CorpusFunnel funnel) => new CorpusReportTables(funnel).Languages(("dropped because", CorpusReportTables.Reasons)).ToLines();

    private static string[] Wanted(CorpusContents contents, string[] asked, string folder)
    {
        var known = contents.Funnel.Languages.Select(language => language.Language).ToHashSet();
        return [.. asked.Select(code => known.Contains(code) ? code
            : LanguageCatalog.TryFind(code) is { } language && known.Contains(language.Code) ? language.Code
            : throw new UserErrorException($"--language is '{code}'; expected one of {folder}: {string.Join(", ", contents.Funnel.Languages.Select(row => row.Language).Take(60))}.")).Distinct()];
    }

    private static IEnumerable<string> Lines(CorpusContents contents)
    {
        var tables = new CorpusReportTables(contents.Funnel);
        foreach (string line in LanguageLines(contents.Funnel)) yield return line;
        if (contents.Missing.Count > 0) yield return $"no document at all: {string.Join(' ', contents.Missing)}";
        foreach (string line in Titled(tables.Way(contents.Funnel.Together))) yield return line;
        foreach (string line in Titled(tables.Origins(contents.Licences, "Licences", "licence", MostOrigins))) yield return line;
        if (contents.Domains is not null)
            foreach (string line in Titled(CorpusReportTables.DomainCounts(contents.Domains, NamedDomains))) yield return line;
        foreach (string line in Titled(CorpusReportTables.Skipped(contents.Skipped, MostReasons))) yield return line;
        if (contents.Samples is not null)
            foreach (string line in Titled(SampleTable("Samples, one of each outcome", contents, contents.Samples, 1, byLanguage: false))) yield return line;
    }

    private static IEnumerable<string> Lines(CorpusContents contents, string code)
    {
        var tables = new CorpusReportTables(contents.Funnel);
        foreach (string line in Titled(tables.Way(contents.Funnel.Languages.First(language => language.Language == code)), first: true)) yield return line;
        foreach (string line in Titled(tables.Origins([.. contents.Licences.Where(row => row.Language == code)], "Licences", "licence", MostOrigins))) yield return line;
        foreach (string line in Titled(tables.Origins([.. contents.Sources.Where(row => row.Language == code)], "Sources", "source", MostOrigins))) yield return line;
        foreach (LanguageDomains domains in (contents.Domains ?? []).Where(domains => domains.Language == code))
            foreach (string line in Titled(CorpusReportTables.Domains(domains, DomainsOfOne))) yield return line;
        foreach (string line in Titled(SampleTable("Samples", contents, [.. (contents.Samples ?? []).Where(sample => sample.Language == code)], SamplesOfOutcome, byLanguage: true))) yield return line;
        yield return "";
    }

    private static IEnumerable<string> Titled(Table table, bool first = false)
    {
        if (table.Rows.Count == 0) yield break;
        if (!first) yield return "";
        yield return table.Caption;
        foreach (string line in table.ToLines()) yield return line;
    }

    private static Table SampleTable(string caption, CorpusContents contents, IReadOnlyList<CorpusSample> samples, int most, bool byLanguage)
    {
        string[] order = [.. contents.Funnel.Together.Steps.Select(step => step.Step)];
        return new Table(caption, ["step", "reason", "language", "bytes", "text"],
            [.. samples.GroupBy(sample => (sample.Step, sample.Reason, Language: byLanguage ? sample.Language : "")).OrderBy(group => Array.IndexOf(order, group.Key.Step))
                .ThenBy(group => group.Key.Step, StringComparer.Ordinal).ThenBy(group => group.Key.Reason, StringComparer.Ordinal).SelectMany(group => group.Take(most))
                .Select(sample => (IReadOnlyList<string>)[sample.Step, sample.Reason, sample.Language, CorpusReportTables.Whole(sample.Bytes), Beginning(sample.Text)])]);
    }

    private static string Beginning(string text)
    {
        var beginning = new StringBuilder();
        int runes = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (++runes > SampleWidth) return beginning.Append('…').ToString();
            beginning.Append(rune.ToString());
        }
        return beginning.ToString();
    }
}
