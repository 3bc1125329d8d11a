using System.Globalization;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Reporting;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary>The tables of a report on a corpus, for terminal and page alike.</summary>
internal sealed class CorpusReportTables(CorpusFunnel funnel)
{
    private const string Absent = "–";

    private bool Moves => funnel.Languages.Any(language => language.Steps.Any(step => step.MovedIn.Documents != 0 || step.MovedOut.Documents != 0));

    private bool Repeats => funnel.Languages.Any(language => language.Repeated.Documents != 0);

    /// <summary>A language's name with its code, or the code alone.</summary>
    public static string NameOf(string code) => LanguageCatalog.TryFind(code) is { } language ? $"{language.Name} ({code})" : code == "und" ? "no known language (und)" : code;

    /// <summary>A row for each language, all of them together last.</summary>
    /// <param name="ending">What is written behind the figures of a row.</param>
    public Table Languages((string Name, Func<LanguageFunnel, string> Of)? ending = null)
    {
        IEnumerable<string> Row(LanguageFunnel row) =>
        [
            row.Language, Whole(row.Read), Whole(row.MovedIn), Whole(row.MovedOut), Whole(row.Dropped.Values.Sum()), Whole(row.HeldOut), Whole(row.Train), .. Repeats ? [Whole(row.Repeated)] : (string[])[],
            Megabytes(row.TrainBytes), .. funnel.CountsTokens ? [row.Tokens is long tokens ? Whole(tokens) : Absent] : (string[])[], .. ending is null ? [] : (string[])[ending.Value.Of(row)],
        ];
        return new Table(
            "Documents by language: read + moved in − moved out − dropped − held out = train",
            ["language", "read", "moved in", "moved out", "dropped", "held out", "train", .. Repeats ? ["repeated"] : (string[])[], "train MB", .. funnel.CountsTokens ? ["train tokens"] : (string[])[], .. ending is null ? [] : (string[])[ending.Value.Name]],
            [.. CorpusReport.Of(funnel).Append(CorpusReport.Together(funnel)).Select(row => (IReadOnlyList<string>)[.. Row(row)])]);
    }

    /// <summary>The reasons of a row with their documents.</summary>
    public static string Reasons(LanguageFunnel row) => string.Join(", ", row.Dropped.Select(reason => FormattableString.Invariant($"{reason.Key} {reason.Value}")));

    /// <summary>The way of one language, a row for each step.</summary>
    public Table Way(LanguageAccount language)
    {
        bool moves = Moves && language.Language != CorpusFunnel.AllLanguages;
        return new Table(
            $"Step by step: {(language.Language == CorpusFunnel.AllLanguages ? "all languages" : NameOf(language.Language))}",
            Headers("step", moves, ["dropped because"]),
            [.. language.Steps.Select(step => (IReadOnlyList<string>)[step.Step, .. Figures(step, moves), string.Join(", ", step.Dropped.Select(reason => $"{reason.Key} {Whole(reason.Value.Documents)}"))])]);
    }

    /// <summary>What one step did in each language, all of them together last.</summary>
    public Table Step(int index)
    {
        LanguageAccount all = funnel.Together;
        string[] reasons = [.. all.Steps[index].Dropped.Keys];
        return new Table(
            $"{all.Steps[index].Step}, language by language",
            Headers("language", Moves, reasons),
            [.. funnel.Languages.Append(all).Where(language => language.Steps[index].In.Documents != 0 || language.Steps[index].MovedIn.Documents != 0 || language.Language == CorpusFunnel.AllLanguages)
                .Select(language => (IReadOnlyList<string>)[
                    language.Language, .. Figures(language.Steps[index], Moves),
                    .. reasons.Select(reason => language.Steps[index].Dropped.TryGetValue(reason, out Amount amount) ? Whole(amount.Documents) : Absent)])]);
    }

    /// <summary>Licences, or sources, by language.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="caption">What the table shows.</param>
    /// <param name="name">Heading of the second column.</param>
    /// <param name="most">How many rows are shown; of more, those with most training text.</param>
    public Table Origins(IReadOnlyList<OriginAccount> rows, string caption, string name, int most)
    {
        var shown = rows.Index().OrderByDescending(row => row.Item.Train.Bytes).Take(most).OrderBy(row => row.Index).Select(row => row.Item);
        return new Table(
            rows.Count <= most ? caption : $"{caption}: {Whole(most)} of {Whole(rows.Count)} rows, those with most training text; manifest.json has all",
            ["language", name, "read", "held out", "train", .. Repeats ? ["repeated"] : (string[])[], "train MB", .. funnel.CountsTokens ? ["train tokens"] : (string[])[]],
            [.. shown.Select(row => (IReadOnlyList<string>)[
                row.Language, row.Name, Whole(row.Read.Documents), Whole(row.HeldOut.Documents), Whole(row.Train.Documents), .. Repeats ? [Whole(row.Repeated.Documents)] : (string[])[],
                Megabytes(row.Train.Bytes), .. funnel.CountsTokens ? [Whole(row.Train.Tokens)] : (string[])[]])]);
    }

    /// <summary>The largest hosts of a language.</summary>
    public static Table Domains(LanguageDomains language, int most) => new(
        $"{NameOf(language.Language)}: {(language.Hosts > most ? $"the {Whole(most)} largest of {Whole(language.Hosts)} hosts" : $"all {Whole(language.Hosts)} hosts")}",
        ["host", "documents", "MB", "share of the language"],
        [.. language.Largest.Take(most).Select(domain => (IReadOnlyList<string>)[domain.Host, Whole(domain.Documents), Megabytes(domain.Bytes), Share(domain.Bytes, language.Bytes)])]);

    /// <summary>How many hosts each language has, and which are the largest.</summary>
    public static Table DomainCounts(IReadOnlyList<LanguageDomains> languages, int named) => new(
        "Hosts of training documents by language", ["language", "hosts", "documents", "MB", "largest"],
        [.. languages.Select(language => (IReadOnlyList<string>)[
            language.Language, Whole(language.Hosts), Whole(language.Documents), Megabytes(language.Bytes),
            string.Join(", ", language.Largest.Take(named).Select(domain => $"{domain.Host} {Share(domain.Bytes, language.Bytes)}"))])]);

    /// <summary>What of the input was no document, and on what a step failed.</summary>
    public static Table Skipped(IReadOnlyList<SkippedReason> reasons, int most) => new(
        reasons.Count <= most ? "Of the input passed over" : $"Of the input passed over: {Whole(most)} of {Whole(reasons.Count)} reasons; skipped.jsonl has all",
        ["reason", "number", "listed in skipped.jsonl", "for instance"],
        [.. reasons.OrderByDescending(reason => reason.Count ?? reason.Listed).ThenBy(reason => reason.Reason, StringComparer.Ordinal).Take(most).Select(reason => (IReadOnlyList<string>)[
            reason.Reason, reason.Count is long number ? Whole(number) : Absent, Whole(reason.Listed), string.Join(", ", reason.Places)])]);

    /// <summary>A whole number as tables show it.</summary>
    public static string Whole(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Bytes as millions.</summary>
    public static string Megabytes(long bytes) => (bytes / 1e6).ToString("N3", CultureInfo.InvariantCulture);

    private static string Share(long part, long whole) => whole == 0 ? Absent : (100.0 * part / whole).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private string[] Headers(string first, bool moves, string[] last) =>
    [
        first, "in", .. moves ? ["moved in", "moved out"] : (string[])[], "dropped", "out", "changed", "MB in", "MB out", .. funnel.CountsTokens ? ["tokens in", "tokens out"] : (string[])[], .. last,
    ];

    private IEnumerable<string> Figures(StepAccount step, bool moves) =>
    [
        Whole(step.In.Documents), .. moves ? [Whole(step.MovedIn.Documents), Whole(step.MovedOut.Documents)] : (string[])[], Whole(step.Lost.Documents), Whole(step.Out.Documents),
        Whole(step.Changed.Documents), Megabytes(step.In.Bytes), Megabytes(step.Out.Bytes), .. funnel.CountsTokens ? [Whole(step.In.Tokens), Whole(step.Out.Tokens)] : (string[])[],
    ];
}
