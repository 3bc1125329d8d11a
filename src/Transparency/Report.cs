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
        foreach (var section in sections)
        {
            page.Append("<section>\n<h2>").Append(section.Title).Append("</h2>\n");
            if (section.Text.Length > 0) page.Append("<p>").Append(Escape.Html(section.Text)).Append("</p>\n");
            if (section.Chart.Length > 0) page.Append("<figure>\n").Append(section.Chart).Append("</figure>\n");
            foreach (var table in section.Tables.Where(table => table.Rows.Count > 0)) page.Append("<div class=\"scroll\" tabindex=\"0\">\n").Append(table.ToHtml()).Append("</div>\n");
            page.Append("</section>\n");
        }

        return HtmlPage.Render(title, page.ToString());
    }
}
