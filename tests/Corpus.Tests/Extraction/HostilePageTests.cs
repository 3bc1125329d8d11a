using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

public sealed class HostilePageTests
{
    private const string Article = "<article><h1>Title</h1><p>The first sentence of the text is here, and it is long enough to count.</p><p>The second one follows, with commas, and it ends.</p></article>";

    private static string Repeated(string part, int count) => new StringBuilder(part.Length * count).Insert(0, part, count).ToString();

    public static TheoryData<string, string, int> Repetitions => new()
    {
        { "opened and never closed", "<div>", 400_000 }, { "links in links", "<a href=x>y", 300_000 }, { "bold", "<b>", 500_000 }, { "paragraphs", "<p>", 600_000 },
        { "tables in tables", "<table><tr><td>", 150_000 }, { "rows without table", "<tr><td>", 300_000 }, { "tables without cells", "<table>", 300_000 }, { "lists", "<ul><li>", 300_000 },
        { "end tags", "</div></p></b></table></x>", 100_000 }, { "deep and crossed", "<span><div></span>", 150_000 }, { "selects", "<select><option>", 150_000 },
        { "comments without end", "<!--", 500_000 }, { "comments almost ended", "<!-- -- ", 300_000 }, { "scripts without end", "<script><!--<script>", 100_000 },
        { "scripts in comments of scripts", "<script><!--<script></script>", 100_000 }, { "scripts whose comments end behind them all", "<script><!--</script>", 100_000 }, { "raw text without end", "<title><textarea><noscript><iframe>", 60_000 },
        { "less-than signs", "<", 2_000_000 }, { "ampersands", "&", 2_000_000 }, { "references without end", "&#x", 700_000 }, { "names of references", "&CounterClockwiseContourIntegra", 60_000 },
        { "attributes", " <p a=1 b='2' c=\"3\" ", 100_000 }, { "slashes", "<p /", 500_000 }, { "quotes", "<p a=\"", 300_000 }, { "declarations", "<!x<?y</ z", 200_000 },
        { "svg", "<svg><foreignObject><math>", 80_000 }, { "headings of related pages", "<h2>Related articles</h2>", 80_000 }, { "related lines", "<p>Read more</p><p>The text goes on here, with commas, and it ends.</p>", 30_000 },
        { "heads of pages", "<header><p>A sentence of the head, with a comma.", 20_000 }, { "forms", "<form><button>", 200_000 }, { "breaks", "<br>", 500_000 }, { "preformatted", "<pre>\n", 300_000 }, { "h1", "<h1>Title", 200_000 }, { "NUL bytes", "\0", 2_000_000 },
        { "definition lists", "<dl><dt><dd>", 150_000 }, { "quotations", "<blockquote><p>The text goes on here, with commas, and it ends.", 20_000 }, { "permalinks", "<a href=x>#</a>", 200_000 },
    };

    // Twice the work must not take four times as long: measured against a generous bound that quadratic work would break by orders of magnitude.
    [Theory, MemberData(nameof(Repetitions))]
    public void Repetition_takes_linear_time_and_bounded_memory(string what, string part, int count)
    {
        Assert.NotEmpty(what);
        var extractor = new HtmlExtractor();
        byte[] html = Encoding.UTF8.GetBytes(Article + Repeated(part, count) + "-->" + Article);
        var watch = Stopwatch.StartNew();
        ExtractedPage plain = extractor.Extract(html);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{html.Length} bytes took {watch.Elapsed}");
        Assert.True(Encoding.UTF8.GetByteCount(plain.Text) <= 2 * html.Length);
        Assert.Equal(plain.Title, extractor.Extract(html, markdown: true).Title);
    }

    [Fact]
    public void A_tag_with_a_million_attributes_costs_no_memory_and_the_first_of_equal_names_counts()
    {
        string attributes = string.Concat(Enumerable.Range(0, 1_000_000).Select(number => $" a{number}=b class=navigation"));
        Assert.Contains("The first sentence", new HtmlExtractor().Extract(Encoding.UTF8.GetBytes($"<div class=text{attributes}>{Article}</div>")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hundred_megabytes_of_less_than_signs_are_cut_and_told()
    {
        byte[] html = new byte[100_000_000];
        html.AsSpan().Fill((byte)'<');
        Encoding.UTF8.GetBytes(Article).CopyTo(html, 0);
        ExtractedPage page = new HtmlExtractor().Extract(html);
        Assert.True(page.Truncated);
        Assert.Contains("The first sentence", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_with_too_many_nodes_is_cut_and_told()
    {
        byte[] html = Encoding.UTF8.GetBytes(Article + Repeated("<p>a", HtmlTree.MaximumNodes / 2));
        Assert.True(new HtmlExtractor().Extract(html).Truncated);
    }

    [Fact]
    public void Bytes_that_are_no_utf_8_become_replacement_characters()
    {
        byte[] html = [.. Encoding.UTF8.GetBytes("<p>Before, "), 0xFF, 0xC3, 0x28, 0xF0, 0x9F, .. Encoding.UTF8.GetBytes(" after it the sentence goes on, and ends.</p>"), 0xE2, 0x82];
        string text = new HtmlExtractor().Extract(html).Text;
        Assert.Contains("Before, \uFFFD\uFFFD(\uFFFD after it", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_beginning_of_a_page_is_a_page()
    {
        byte[] html = Encoding.UTF8.GetBytes("<!DOCTYPE html><html lang=mt><head><title>Ċ&amp;</title><script type=\"application/ld+json\">{\"a\":[1,\"\\u00e9\"]}</script><style>x</style></head><body class='a b'>"
            + Article + "<table><tr><th>A<td>&euro;&#128;</table><pre>x</pre><svg><path/></svg><!-- c --><![CDATA[d]]></body></html>");
        var extractor = new HtmlExtractor();
        for (int length = 0; length <= html.Length; length++) Assert.NotNull(extractor.Extract(html.AsSpan(0, length), markdown: true).Text);
    }
}
