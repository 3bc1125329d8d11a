using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Transparency.Charts;

namespace OpenEuroLLM.Transparency;

/// <summary>The two forms of a report.</summary>
/// <param name="Markdown">For reading as text.</param>
/// <param name="Html">One page with inline charts; it loads nothing and runs nothing.</param>
public sealed record ReportPages(string Markdown, string Html);

/// <summary>The report of a run: results, the course of the training, the way of the documents, time and energy.</summary>
/// <remarks>A pure function of the manifests, run records and results in the run folder: equal ones give equal bytes.</remarks>
public static class Report
{
    private const int CurvePoints = 360, CurveRows = 12;

    private const string Style = """
        :root { color-scheme: light dark; --page: #fff; --ink: #1c2430; --soft: #5b6675; --line: #d5dae1; --main: #1f5fbf; --second: #c2571a; --good: #2b7a4b; }
        @media (prefers-color-scheme: dark) { :root { --page: #12161c; --ink: #e6eaf0; --soft: #9aa6b5; --line: #313a46; --main: #7fb0ff; --second: #ffab70; --good: #77cf9b; } }
        body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
        figure, .scroll { margin: 1rem 0; overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; }
        caption { text-align: left; color: var(--soft); padding: .3rem 0; }
        th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        .n { text-align: right; font-variant-numeric: tabular-nums; }
        svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
        text { fill: var(--ink); } .end { text-anchor: end; } .middle { text-anchor: middle; }
        polyline { fill: none; stroke-width: 1; stroke: var(--soft); opacity: .5; } .main { stroke: var(--main); stroke-width: 2; opacity: 1; }
        .grid { stroke: var(--line); } .bar { fill: var(--main); } .lost { fill: var(--second); } .kept { fill: var(--good); }
        """;

    /// <summary>Writes the report.</summary>
    /// <param name="runFolder">The folder that holds the stage folders of a run.</param>
    /// <exception cref="UserErrorException">The run is not finished, or a file does not match its manifest.</exception>
    public static ReportPages Render(string runFolder)
    {
        var lineage = Lineage.OfRun(runFolder);
        var training = lineage["training"]!;
        string metrics = Path.Combine(runFolder, "training", "metrics.jsonl");
        var curve = training.Manifest.Outputs.Any(output => output.Path == "metrics.jsonl")
            ? TrainingCurve.Parse(Lineage.CoveredBytes(training, metrics, "metrics.jsonl"), metrics)
            : null;
        string title = "Report: " + ModelCard.Name(lineage);
        var sections = Sections(lineage, curve);
        return new ReportPages(ToMarkdown(title, sections), ToHtml(title, sections));
    }

    private sealed record Section(string Title, string Text, string Chart, string TextChart, IReadOnlyList<Table> Tables);

    private static List<Section> Sections(Lineage lineage, TrainingCurve? curve)
    {
        var bits = lineage.Scores.Where(pair => pair.Value.BitsPerByte is not null).Select(pair => new Bar(pair.Key, pair.Value.BitsPerByte!.Value, Figure.Fixed(pair.Value.BitsPerByte, 3))).ToList();
        var funnel = CorpusFacts.Funnel(lineage).Select(row => new Bar(
            row.Step == row.Reason ? row.Step : $"{row.Step}: {row.Reason}", row.Documents, Figure.Whole(row.Documents),
            row.Step == "read" ? "bar" : row.Step == "split" && row.Reason is "train" or "held-out" ? "kept" : "lost")).ToList();
        var all = new List<Section>
        {
            new("Results",
                lineage.Scores.Count == 0 ? "No evaluation was recorded." : "One row per language. Bits per byte on held-out text: lower is better. Accuracy by likelihood with 95 % intervals; chance is what guessing gives.",
                BarChart.Render("bits", "Bits per byte per language", $"One bar per language, {Extent(bits)}; the table below has the values.", 48, bits), TextBars(bits), [Tables.Scores(lineage)]),
            new("Course of the training", CurveText(curve), curve is null ? "" : LineChart.Render(
                "loss", "Loss over the steps", CurveDescription(curve), "step", "nats per token",
                [.. curve.HeldOut.Select(pair => new Line($"held-out, {pair.Key}", "heldout", [.. pair.Value.Select(point => ((double)point.Step, point.Loss))])), new Line("training", "main", curve.Smoothed(CurvePoints))]),
                "", curve is null ? [] : [curve.ToTable(CurveRows), HeldOutTable(curve)]),
            new("Way of the documents", funnel.Count == 0 ? "No counts were recorded." : "Every document read is dropped for one reason, held out, or training text.",
                BarChart.Render("funnel", "Documents by step and reason", "One bar per outcome; the table below has the values.", 220, funnel), TextBars(funnel), [Tables.Funnel(lineage), Tables.Data(lineage)]),
            new("Model", "", "", "", [Tables.Model(lineage), Tables.Dial(lineage)]),
            new("Time and energy", "Energy of the processor packages where the machine shows counters.", "", "", [Tables.Runs(lineage)]),
            new("Lineage", "", "", "", [Tables.Hashes(lineage)]),
        };
        return all;
    }

    private static string Extent(List<Bar> bars) =>
        bars.Count == 0 ? "none" : $"from {Figure.Fixed(bars.Min(bar => bar.Value), 3)} ({bars.MinBy(bar => bar.Value)!.Name}) to {Figure.Fixed(bars.Max(bar => bar.Value), 3)} ({bars.MaxBy(bar => bar.Value)!.Name})";

    private static string CurveText(TrainingCurve? curve) => curve is null or { Points.Count: 0 }
        ? "No course was recorded."
        : $"The thick line is the training loss{(curve.HeldOut.Count == 0 ? "" : ", each thin line the held-out loss of a language")}."
            + (curve.WithoutLoss == 0 ? "" : $" Lines of the metrics without a finite loss, not drawn: {Figure.Whole(curve.WithoutLoss)}.");

    private static string CurveDescription(TrainingCurve curve) => curve.Points.Count == 0 ? "No points."
        : $"Training loss from {Figure.Fixed(curve.Points[0].Loss, 3)} at step {Figure.Whole(curve.Points[0].Step)} to {Figure.Fixed(curve.Points[^1].Loss, 3)} at step {Figure.Whole(curve.Points[^1].Step)}; the tables below have the values.";

    private static Table HeldOutTable(TrainingCurve curve) => new("Held-out loss per language, first and last", ["Language", "First step", "First loss", "Last step", "Last loss"],
        [.. curve.HeldOut.Select(pair => (IReadOnlyList<string>)[
            pair.Key, Figure.Whole(pair.Value[0].Step), Figure.Fixed(pair.Value[0].Loss, 4), Figure.Whole(pair.Value[^1].Step), Figure.Fixed(pair.Value[^1].Loss, 4)])]);

    // For Markdown, which has no drawings of its own.
    private static string TextBars(List<Bar> bars)
    {
        if (bars.Count == 0) return "";
        double longest = Math.Max(bars.Max(bar => bar.Value), double.Epsilon);
        var text = new StringBuilder("| | |\n|---|---|\n");
        foreach (var bar in bars)
            text.Append("| ").Append(Escape.Markdown(bar.Name)).Append(" | ").Append(new string('█', (int)Math.Round(Math.Max(0, bar.Value) / longest * 40))).Append(' ').Append(bar.Label).Append(" |\n");
        return text.ToString();
    }

    private static string ToMarkdown(string title, List<Section> sections)
    {
        var page = new StringBuilder().Append("# ").Append(Escape.Markdown(title)).Append('\n');
        foreach (var section in sections)
        {
            page.Append("\n## ").Append(section.Title).Append('\n');
            if (section.Text.Length > 0) page.Append('\n').Append(section.Text).Append('\n');
            if (section.TextChart.Length > 0) page.Append('\n').Append(section.TextChart);
            foreach (var table in section.Tables.Where(table => table.Rows.Count > 0)) page.Append('\n').Append(table.Caption).Append(":\n\n").Append(table.ToMarkdown());
        }

        return page.ToString();
    }

    private static string ToHtml(string title, List<Section> sections)
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>").Append(Escape.Html(title))
            .Append("</title>\n<style>\n").Append(Style.ReplaceLineEndings("\n")).Append("\n</style>\n</head>\n<body>\n<main>\n<h1>").Append(Escape.Html(title)).Append("</h1>\n");
        foreach (var section in sections)
        {
            page.Append("<section>\n<h2>").Append(section.Title).Append("</h2>\n");
            if (section.Text.Length > 0) page.Append("<p>").Append(Escape.Html(section.Text)).Append("</p>\n");
            if (section.Chart.Length > 0) page.Append("<figure>\n").Append(section.Chart).Append("</figure>\n");
            foreach (var table in section.Tables.Where(table => table.Rows.Count > 0)) page.Append("<div class=\"scroll\" tabindex=\"0\">\n").Append(table.ToHtml()).Append("</div>\n");
            page.Append("</section>\n");
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }
}
