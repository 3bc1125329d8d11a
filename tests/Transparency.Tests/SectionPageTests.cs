using System.Xml.Linq;
using OpenEuroLLM.Transparency.Charts;

namespace OpenEuroLLM.Transparency.Tests;

public sealed class SectionPageTests
{
    private static readonly IReadOnlyList<FunnelBand> Bands =
    [
        new("read", new(100, 1000)), new("identification", new(60, 600), new(20, 400), new(30, 300), new(10, 100)), new("length", new(70, 990), Lost: new(10, 10)),
        new("training", new(70, 990), IsResult: true),
    ];

    private static XElement MainOf(string html)
    {
        int start = html.IndexOf("<main>", StringComparison.Ordinal), end = html.IndexOf("</main>", StringComparison.Ordinal) + "</main>".Length;
        return XElement.Parse(html[start..end]);
    }

    private static XElement Page(params PagePart[] parts) => MainOf(SectionPage.Render("A page", "What it is.", [], [new PageSection("First", parts), new PageSection("Second", [])]));

    [Fact]
    public void Sections_have_names_that_the_contents_lead_to()
    {
        var main = Page(new TextPart("A paragraph."), new TablePart(new Table("Empty", ["a"], [])));
        Assert.Equal(["#section-1 First", "#section-2 Second"], main.Element("nav")!.Elements("a").Select(link => $"{link.Attribute("href")!.Value} {link.Value}"));
        Assert.Equal(["section-1", "section-2"], main.Elements("section").Select(section => section.Attribute("id")!.Value));
        Assert.Empty(main.Descendants("table"));
        Assert.DoesNotContain(main.Descendants(), element => element.Attribute("role")?.Value == "alert");
    }

    [Fact]
    public void Parts_open_within_parts()
    {
        var inner = Assert.Single(Page(new FoldPart("outer", [new FoldPart("inner", [new TextPart("deep")])])).Element("section")!.Element("details")!.Elements("details"));
        Assert.Equal(("inner", "deep"), (inner.Element("summary")!.Value, inner.Element("p")!.Value));
    }

    [Theory]
    [InlineData("de", "de")]
    [InlineData("sr-Latn", "sr-Latn")]
    [InlineData("", "und")]
    [InlineData("x", "und")]
    [InlineData("de\" onclick=\"x", "und")]
    public void A_sample_has_the_tag_of_its_language_or_none(string language, string tag)
    {
        var quote = Assert.Single(Page(new SamplesPart([new TextSample(language, "a · b", "text")])).Descendants("blockquote"));
        Assert.Equal((tag, "auto", "text"), (quote.Attribute("lang")!.Value, quote.Attribute("dir")!.Value, quote.Value));
    }

    [Fact]
    public void Whatever_a_text_holds_is_text()
    {
        const string Text = "<script>alert(1)</script>\u202E\u2067\u0007\uD800&lt;]]>-->";
        var main = Page(new TextPart(Text), new SamplesPart([new TextSample("de", Text, Text)]), new FoldPart(Text, []), new FunnelPart(Text, Text, [new FunnelBand(Text, new(1, 1))]),
            new TablePart(new Table(Text, [Text], [[Text]])));
        Assert.Empty(main.Descendants("script"));
        Assert.DoesNotContain(main.Value, letter => letter is '\u202E' or '\u2067' or '\u0007');
        Assert.Equal("<script>alert(1)</script> \uFFFD&lt;]]>-->", main.Descendants("blockquote").Single().Value);
        Assert.Single(MainOf(SectionPage.Render(Text, Text, [Text], [new PageSection(Text, [])])).Descendants("li"));
    }

    [Fact]
    public void The_funnel_shows_documents_and_bytes_to_scale()
    {
        var svg = XElement.Parse(FunnelChart.Render("d", "Way", "What it shows", Bands));
        Assert.Equal(("img", "d-title d-desc"), (svg.Attribute("role")!.Value, svg.Attribute("aria-labelledby")!.Value));
        double[] Widths(double height, double y) => [.. svg.Elements("rect").Where(bar => bar.Attribute("height")!.Value == $"{height}" && bar.Attribute("y")!.Value == $"{y}").Select(bar => (double)bar.Attribute("width")!)];
        double[] documents = Widths(14, 26 + 36 + 4), bytes = Widths(5, 26 + 36 + 20);
        Assert.Equal(4, documents.Length);
        Assert.Equal(60.0 / 20, documents[0] / documents[1], 1);
        Assert.Equal(410, documents.Sum(), 0);   // the widest row fills the room
        Assert.Equal(600.0 / 400, bytes[0] / bytes[1], 1);
        Assert.Equal(410 * 100 / 120.0, Assert.Single(Widths(14, 30)), 0);
        Assert.Contains(svg.Elements("text"), text => text.Value == "80 · 1.0 kB");
        Assert.Contains(svg.Elements("text"), text => text.Value == "−10  →30  +20");
    }

    [Fact]
    public void The_legend_names_only_what_is_drawn()
    {
        static IEnumerable<string> Legend(params FunnelBand[] bands) => XElement.Parse(FunnelChart.Render("d", "t", "d", bands)).Elements("text").Select(text => text.Value).Where(text => text.Contains(' ', StringComparison.Ordinal) && !text.Contains('·'));
        Assert.Equal(["goes on"], Legend(new FunnelBand("read", new(1, 1))));
        Assert.Equal(["goes on", "is dropped"], Legend(new FunnelBand("read", new(1, 1)), new FunnelBand("x", new(0, 0), Lost: new(1, 1))));
    }

    [Fact]
    public void A_loss_too_small_for_the_scale_is_still_seen()
    {
        var lost = XElement.Parse(FunnelChart.Render("d", "t", "d", [new FunnelBand("x", new(1_000_000, 1_000_000), Lost: new(1, 1))])).Elements("rect").Where(bar => bar.Attribute("class")!.Value == "lost").ToList();
        Assert.Equal([11.0, 1, 1], lost.Select(bar => (double)bar.Attribute("width")!));   // the legend's, documents, bytes
    }

    [Fact]
    public void A_long_table_is_written_in_linear_time_and_a_long_cell_whole_in_a_terminal()
    {
        string html = new Table("t", ["a", "b"], [.. Enumerable.Range(0, 20_000).Select(i => (IReadOnlyList<string>)[$"r{i}", $"{i}"])]).ToHtml();   // squared, this would take minutes
        Assert.Equal(20_000, html.Split("<td class=\"n\">").Length - 1);
        Assert.Equal(5_000, new Table("t", ["a"], [[new string('x', 5_000)]]).ToLines().Last().Length);
    }
}
