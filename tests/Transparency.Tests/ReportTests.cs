using System.Xml.Linq;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency.Tests;

public sealed class ReportTests
{
    private static XElement MainOf(string html)
    {
        int start = html.IndexOf("<main>", StringComparison.Ordinal), end = html.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length;
        return XElement.Parse(html[start..end]); // what is written is well formed also as XML
    }

    [Fact]
    public void The_report_of_a_known_run_is_golden()
    {
        using var run = new MadeUpRun();
        var report = Report.Render(run.Folder);
        Assert.Equal(File.ReadAllText(Repository.Golden("report.md")), report.Markdown);
        Assert.Equal(File.ReadAllText(Repository.Golden("report.html")), report.Html);
    }

    [Fact]
    public void The_page_loads_and_runs_nothing()
    {
        using var run = new MadeUpRun();
        string html = Report.Render(run.Folder).Html;
        foreach (string loading in (string[])["<script", "src=", "href=", "url(", "@import", "http://", "https://", "<link", "<iframe"]) Assert.DoesNotContain(loading, html);
        Assert.Contains("default-src 'none'", html);
        Assert.DoesNotContain(MainOf(html).DescendantsAndSelf().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_chart_has_a_name_a_description_and_a_table_beside_it()
    {
        using var run = new MadeUpRun();
        var figures = MainOf(Report.Render(run.Folder).Html).Descendants("figure").ToList();
        Assert.Equal(3, figures.Count);
        Assert.Equal(3, figures.Select(figure => figure.Element("svg")!.Attribute("aria-labelledby")!.Value).Distinct().Count());
        Assert.All(figures, figure =>
        {
            var svg = figure.Element("svg")!;
            Assert.Equal("img", svg.Attribute("role")!.Value);
            Assert.Equal(svg.Attribute("aria-labelledby")!.Value, $"{svg.Element("title")!.Attribute("id")!.Value} {svg.Element("desc")!.Attribute("id")!.Value}");
            Assert.NotEmpty(svg.Element("desc")!.Value);
            Assert.NotNull(figure.ElementsAfterSelf("div").First().Element("table"));
        });
    }

    [Fact]
    public void Light_and_dark_are_both_provided_for()
    {
        using var run = new MadeUpRun();
        string html = Report.Render(run.Folder).Html;
        Assert.Contains("color-scheme: light dark", html);
        Assert.Contains("prefers-color-scheme: dark", html);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("</title></svg><img src=x onerror=alert(1)>")]
    [InlineData("\" onload=\"alert(1)")]
    [InlineData("a\n\n# heading | cell")]
    [InlineData("\u202E\u0000]]>&amp;")]
    public void Hostile_names_stay_text(string hostile)
    {
        using var run = new MadeUpRun(source: hostile, license: hostile, language: "cs" + hostile, reason: hostile, name: hostile);
        var report = Report.Render(run.Folder);
        var main = MainOf(report.Html);
        Assert.All(main.DescendantsAndSelf(), element => Assert.Contains(element.Name.LocalName,
            (string[])["main", "h1", "h2", "section", "p", "figure", "svg", "title", "desc", "text", "line", "polyline", "rect", "div", "table", "caption", "thead", "tbody", "tr", "th", "td"]));
        Assert.All(main.DescendantsAndSelf().Attributes(), attribute => Assert.False(attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal) || attribute.Name.LocalName == "src"));
        Assert.DoesNotContain("<script", report.Html);
        Assert.DoesNotContain("<script", report.Markdown);
        Assert.DoesNotContain("<img", report.Markdown);
        Assert.DoesNotContain("\n# heading", report.Markdown);
    }

    [Fact]
    public void A_run_that_is_not_finished_is_refused()
    {
        using var run = new MadeUpRun();
        File.Delete(run.At("training/manifest.json"));
        Assert.Contains("the folder of a finished run", Assert.Throws<UserErrorException>(() => Report.Render(run.Folder)).Message);
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => Report.Render(run.At("nowhere"))).Message);
    }

    [Fact]
    public void Changed_metrics_are_refused()
    {
        using var run = new MadeUpRun();
        File.AppendAllText(run.At("training/metrics.jsonl"), "{}\n");
        Assert.Contains("metrics.jsonl: is not the file", Assert.Throws<UserErrorException>(() => Report.Render(run.Folder)).Message);
    }

    [Fact]
    public void A_long_curve_is_drawn_with_a_bounded_number_of_points()
    {
        string metrics = string.Concat(Enumerable.Range(1, 5000).Select(step => $$"""{"step":{{step}},"loss":{{5000 - step}}}""" + "\n"));
        var curve = TrainingCurve.Parse(System.Text.Encoding.UTF8.GetBytes(metrics), "metrics.jsonl");
        var smoothed = curve.Smoothed(360);
        Assert.InRange(smoothed.Count, 300, 360);
        Assert.Equal((7.5, 4992.5), smoothed[0]); // the mean of the first 14 steps
        Assert.Equal(12, curve.ToTable(12).Rows.Count);
        Assert.Equal(["1", "5,000"], [curve.ToTable(12).Rows[0][0], curve.ToTable(12).Rows[^1][0]]);
        Assert.Contains(":2: not a JSON object", Assert.Throws<UserErrorException>(() => TrainingCurve.Parse("{}\nx"u8, "metrics.jsonl")).Message);
    }

    [Fact]
    public void What_is_changed_moved_or_repeated_is_no_loss()
    {
        using var run = new MadeUpRun();
        var lineage = Lineage.OfRun(run.Folder);
        ManifestCount[] beside = [.. ((string[])["changed", "became", "moved-in", "moved-out"]).Select(reason => new ManifestCount("identification", reason, "cs", Documents: 5)), new ManifestCount("split", "repeated", "cs", Documents: 5)];
        var more = lineage with
        {
            Stages = [.. lineage.Stages.Select(stage => stage.Name == "corpus" ? stage with { Manifest = stage.Manifest with { Counts = [.. stage.Manifest.Counts, .. beside] } } : stage)],
        };
        Assert.Equal(CorpusFacts.Funnel(lineage), CorpusFacts.Funnel(more));
        Assert.Equal(CorpusFacts.Data(lineage), CorpusFacts.Data(more));
    }

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(8.5, "8.5")]
    [InlineData(1234.5, "1234")]
    [InlineData(0.000271828, "2.72e-4")]
    [InlineData(2.53e13, "2.53e13")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(999_999.0, "999999")]
    public void Short_figures_have_three_digits(double value, string text) => Assert.Equal(text, Figure.Short(value));
}
