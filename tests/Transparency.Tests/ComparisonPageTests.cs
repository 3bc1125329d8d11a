using System.Xml.Linq;

namespace OpenEuroLLM.Transparency.Tests;

public sealed class ComparisonPageTests
{
    private static Comparison Made(int subjects = 2, string name = "ours") => new("A comparison", "What was measured.", [.. Enumerable.Range(0, subjects).Select(i => $"{name} {i + 1}")],
        [new LanguageGroup("Official languages", ["Greek (el)", "Maltese (mt)"]), new LanguageGroup("Other languages", ["Georgian (ka)"])],
        [new ComparedMeasure("Parity", "Lower is better.", [[.. Row(subjects, 1.2)], [.. Row(subjects, null)], [.. Row(subjects, 9)]], value => value.ToString("F2", System.Globalization.CultureInfo.InvariantCulture), 1.5)],
        [new Table("Summary", ["measure", "mean"], [["parity", "1.30"]])], [new Table("All", ["language", "tokens"], [["el", "12"]])]);

    private static IEnumerable<double?> Row(int subjects, double? value) => Enumerable.Range(0, subjects).Select(i => value + i * 0.1);

    private static XElement MainOf(string html)
    {
        int start = html.IndexOf("<main>", StringComparison.Ordinal), end = html.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length;
        return XElement.Parse(html[start..end]);
    }

    [Fact]
    public void The_page_loads_and_runs_nothing_and_serves_light_and_dark()
    {
        string html = ComparisonPage.Render(Made());
        foreach (string loading in (string[])["<script", "src=", "href=", "url(", "@import", "http://", "https://", "<link", "<iframe"]) Assert.DoesNotContain(loading, html);
        Assert.Contains("default-src 'none'", html);
        Assert.Contains("color-scheme: light dark", html);
        Assert.Equal(2, html.Split("prefers-color-scheme: dark").Length - 1);
        Assert.Equal(html, ComparisonPage.Render(Made()));
    }

    [Fact]
    public void Every_value_stands_in_the_chart_and_in_the_table_beside_it()
    {
        var main = MainOf(ComparisonPage.Render(Made()));
        var figure = Assert.Single(main.Descendants("figure"));
        var svg = figure.Element("svg")!;
        Assert.Equal(("img", "measure-1-title measure-1-desc"), (svg.Attribute("role")!.Value, svg.Attribute("aria-labelledby")!.Value));
        Assert.Contains("ours 1: from 1.20 (Greek (el)) to 9.00 (Georgian (ka))", svg.Element("desc")!.Value);
        var marks = svg.Elements("path").Select(mark => mark.Element("title")!.Value).ToList();
        Assert.Equal(["ours 1", "ours 2", "Greek (el), ours 1: 1.2", "Greek (el), ours 2: 1.3", "Georgian (ka), ours 1: 9", "Georgian (ka), ours 2: 9.1"], marks);
        var cells = figure.ElementsAfterSelf("div").First().Descendants("tr").Select(row => string.Join('|', row.Elements().Select(cell => cell.Value))).ToList();
        Assert.Equal(["Language|ours 1|ours 2", "Greek (el)|1.20|1.30", "Maltese (mt)|–|–", "Georgian (ka)|9.00|9.10"], cells);
        Assert.Equal(3, main.Descendants("table").Count());
    }

    [Fact]
    public void A_value_far_out_stands_at_the_edge_with_its_number()
    {
        var values = Enumerable.Range(0, 20).Select(i => (IReadOnlyList<double?>)[1 + i * 0.01]).Append([9.0]).ToList();
        var comparison = Made(1) with
        {
            Groups = [new LanguageGroup("All", [.. values.Select((_, i) => $"l{i}")])],
            Measures = [new ComparedMeasure("Parity", "", values, value => $"{value}")],
        };
        string svg = MainOf(ComparisonPage.Render(comparison)).Descendants("svg").Single().ToString();
        Assert.Contains("▸ 9<", svg);
        Assert.Contains(">1.2<", svg);  // where the axis ends
    }

    [Fact]
    public void Neighbours_among_many_differ_in_shape_or_colour()
    {
        var main = MainOf(ComparisonPage.Render(Made(20)));
        var legend = main.Descendants("path").Take(20).Select(mark => (mark.Attribute("class")!.Value, mark.Attribute("d")!.Value)).ToList();
        Assert.Equal(20, legend.Distinct().Count());
    }

    [Fact]
    public void Names_are_shown_as_text() =>
        Assert.Contains("<b>x 1", MainOf(ComparisonPage.Render(Made(1, "<b>x"))).Descendants("th").Select(cell => cell.Value));
}
