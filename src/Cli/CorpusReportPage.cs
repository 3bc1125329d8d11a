using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Reporting;
using OpenEuroLLM.Transparency;
using static OpenEuroLLM.Cli.CorpusReportTables;

namespace OpenEuroLLM.Cli;

/// <summary>The report on a corpus as a page.</summary>
internal sealed class CorpusReportPage(CorpusContents contents)
{
    /// <summary>Keeps the page of a large corpus near 2 MB; the folder has the rest.</summary>
    private const int SampleCharacters = 320_000, LeastOfSample = 60, MostOfSample = 280, MostOrigins = 400, MostDomains = 50, MostReasons = 100;

    private readonly CorpusFunnel _funnel = contents.Funnel;
    private readonly CorpusReportTables _tables = new(contents.Funnel);

    /// <summary>Writes the page; it holds nothing but what the folder says.</summary>
    public string Render() => SectionPage.Render("Corpus report", Introduction(), _funnel.Problems,
    [
        new PageSection("Languages", [new TablePart(_tables.Languages()), new TextPart(Missing())]),
        new PageSection("Way of the documents", Way()),
        new PageSection("Step by step", Steps()),
        new PageSection("Samples", Samples()),
        new PageSection("Licences", [new TextPart("Read is counted in the language that a document says, the rest in the language it was found to be."), new TablePart(_tables.Origins(contents.Licences, "Documents by language and licence", "licence", MostOrigins))]),
        new PageSection("Sources", [new TablePart(_tables.Origins(contents.Sources, "Documents by language and source", "source", MostOrigins))]),
        new PageSection("Domains", Domains()),
        new PageSection("Passed over", Skipped()),
        new PageSection("Settings", Settings()),
    ]);

    private string Introduction()
    {
        LanguageAccount all = _funnel.Together;
        long dropped = all.Steps.Sum(step => step.Lost.Documents);
        string tokens = _funnel.CountsTokens ? $" and {Whole(all.Train.Tokens)} tokens" : "";
        string repeated = all.Repeated.Documents == 0 ? "" : $" {Whole(all.Repeated.Documents)} of them are written again, so that small languages have their share.";
        return $"{Whole(all.Read.Documents)} documents with {Megabytes(all.Read.Bytes)} MB were read. {Whole(all.Train.Documents)} of them, with {Megabytes(all.Train.Bytes)} MB{tokens}, are training text, "
            + $"{Whole(all.HeldOut.Documents)} are held out, {Whole(dropped)} were dropped.{repeated} Every document read stands in exactly one of these.";
    }

    private string Missing() => contents.Missing.Count == 0 ? "" : $"No document at all, not even a dropped one: {string.Join(", ", contents.Missing.Select(NameOf))}.";

    private List<PagePart> Way()
    {
        LanguageAccount all = _funnel.Together;
        return
        [
            new TextPart("Thick bars are documents, thin ones their text in bytes. What a step drops is gone from the next row."
                + (_funnel.CountsTokens ? " A document's tokens are counted in the language it has where its way ends." : "")),
            Drawing(all),
            new TablePart(_tables.Way(all)),
            .. _funnel.Languages.Select(language => new FoldPart(
                $"{NameOf(language.Language)}: {Whole(language.Read.Documents)} read, {Whole(language.Train.Documents)} for training", [Drawing(language), new TablePart(_tables.Way(language))])),
        ];
    }

    private static FunnelPart Drawing(LanguageAccount language)
    {
        bool all = language.Language == CorpusFunnel.AllLanguages;
        string name = all ? "all languages" : NameOf(language.Language);
        return new FunnelPart(
            $"Way of the documents: {name}",
            $"From {Whole(language.Read.Documents)} documents read to {Whole(language.Train.Documents)} for training and {Whole(language.HeldOut.Documents)} held out, over {language.Steps.Count} steps; the table below has the figures.",
            [
                new FunnelBand("read", Size(language.Read)),
                // Among all languages together nothing moves.
                .. language.Steps.Select(step => all
                    ? new FunnelBand(step.Step, Size(step.Out), Lost: Size(step.Lost))
                    : new FunnelBand(step.Step, Size(step.Out - step.MovedIn), Size(step.MovedIn), Size(step.MovedOut), Size(step.Lost))),
                new FunnelBand("held out", Size(language.HeldOut), IsResult: true),
                new FunnelBand("training", Size(language.Train), IsResult: true),
            ]);
    }

    private static FunnelSize Size(Amount amount) => new(amount.Documents, amount.Bytes);

    private List<PagePart> Steps()
    {
        IReadOnlyList<StepAccount> steps = _funnel.Together.Steps;
        return [.. steps.Select((step, i) => new FoldPart($"{step.Step}: {Whole(step.In.Documents)} in, {Whole(step.Lost.Documents)} dropped", [new TablePart(_tables.Step(i))]))];
    }

    private List<PagePart> Samples()
    {
        if (contents.Samples is null) return [new TextPart("The folder has no samples.")];
        IReadOnlyList<CorpusSample> shown = CorpusSamples.Choose(contents.Samples, SampleCharacters, LeastOfSample, MostOfSample);
        string[] order = [.. _funnel.Together.Steps.Select(step => step.Step)];
        var parts = new List<PagePart>
        {
            new TextPart($"Beginnings of documents as they were found on the way, {Whole(shown.Count)}{(shown.Count < contents.Samples.Count ? $" of the {Whole(contents.Samples.Count)} in samples.jsonl" : "")}: they are texts of others, not of this report."),
        };
        if (shown.Any(sample => sample.IsKept)) parts.Add(new FoldPart("Kept for training", [Texts(shown.Where(sample => sample.IsKept))]));
        foreach (var step in shown.Where(sample => !sample.IsKept).GroupBy(sample => sample.Step).OrderBy(group => Array.IndexOf(order, group.Key)).ThenBy(group => group.Key, StringComparer.Ordinal))
        {
            parts.Add(new FoldPart($"{step.Key}: {(step.Key == CorpusReport.SplitStep ? "held out or dropped" : "dropped")}",
                [.. step.GroupBy(sample => sample.Reason).OrderBy(group => group.Key, StringComparer.Ordinal).Select(reason => new FoldPart(reason.Key, [Texts(reason)]))]));
        }
        return parts;
    }

    private static SamplesPart Texts(IEnumerable<CorpusSample> samples) => new([.. samples.OrderBy(sample => sample.Language, StringComparer.Ordinal).Select(sample => new TextSample(
        sample.Language, string.Join(" · ", new[] { sample.Language, sample.Url ?? sample.Id, sample.Source, sample.License, $"{Whole(sample.Bytes)} bytes" }.Where(part => !string.IsNullOrEmpty(part))), sample.Text))]);

    private List<PagePart> Domains()
    {
        if (contents.Domains is null) return [new TextPart("The folder has no list of domains.")];
        return
        [
            new TextPart("Hosts of the training documents that have an address. domains.tsv has them all."),
            new TablePart(DomainCounts(contents.Domains, 3)),
            .. contents.Domains.Select(language => new FoldPart($"{NameOf(language.Language)}: {Whole(language.Hosts)} hosts", [new TablePart(CorpusReportTables.Domains(language, MostDomains))])),
        ];
    }

    private List<PagePart> Skipped() => contents.Skipped.Count == 0
        ? [new TextPart("Everything in the input was a document.")]
        : [new TextPart("What of the input was no document, or could not be read as one; reasons without a number are documents on which a step failed, counted there. skipped.jsonl has the places, of every reason the first ones."), new TablePart(CorpusReportTables.Skipped(contents.Skipped, MostReasons))];

    private List<PagePart> Settings()
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach ((string key, JsonNode? value) in contents.Manifest.Settings.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (key == "steps" && value is JsonArray steps) rows.AddRange(steps.Select((step, i) => (IReadOnlyList<string>)[FormattableString.Invariant($"steps[{i}]"), Json(step)]));
            else rows.Add([key, value is JsonValue ? value.ToString() : Json(value)]);
        }
        rows.Add(["manifest SHA-256", contents.Manifest.Sha256()]);
        rows.Add(["made by version", contents.Manifest.CodeVersion]);
        return [new FoldPart("Settings of the stage, and what identifies the folder", [new TablePart(new Table("Settings", ["setting", "value"], rows))])];
    }

    private static string Json(JsonNode? value) => value is null ? "null" : JsonLine.OfValue(writer => value.WriteTo(writer));
}
