using System.Text;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

/// <summary>Pages written for these tests, damaged at random: nothing may fail, hang, or depend on the page before.</summary>
public sealed class MutatedPageTests
{
    private static readonly string[] _parts =
    [
        "<div>", "</div>", "<p>", "</p>", "<a href=x>", "</a>", "<b>", "</b>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<ul>", "<li>", "</ul>", "<pre>", "</pre>", "<script>", "</script>", "<!--", "-->",
        "<svg>", "</svg>", "<template>", "</template>", "<select>", "<option>", "<h1>", "</h2>", "<body>", "</html>", "<head>", "<title>", "</title>", "<textarea>", "<![CDATA[", "]]>", "&#", "&amp", "\"", "'", ">",
        "<", "\0", "<br/>", "<form>", "</form>", "<button>", "<blockquote>", "<nav>", "</nav>", "<aside class=comments>", "<code>", "<math>", "<foreignObject>", "<dl><dt>", "<ruby><rt>", "<noscript>", "<frameset>",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Damaged_pages_are_read_and_give_the_same_text_twice(int seed)
    {
        var random = new Random(seed);
        byte[][] pages = [.. SamplePages.All.Select(page => Encoding.UTF8.GetBytes(page.Html))];
        var extractor = new HtmlExtractor();
        for (int round = 0; round < 400; round++)
        {
            var html = new List<byte>(pages[random.Next(pages.Length)]);
            for (int change = random.Next(1, 30); change > 0; change--) Change(html, pages, random);
            byte[] damaged = [.. html];
            bool markdown = round % 2 == 0;
            ExtractedPage page = extractor.Extract(damaged, "https://example.org/", markdown);
            Assert.True(Encoding.UTF8.GetByteCount(page.Text) < (damaged.Length * 3) + 100);
            if (round % 8 != 0) continue;
            ExtractedPage again = new HtmlExtractor().Extract(damaged, "https://example.org/", markdown);
            Assert.Equal(again.Text, page.Text);
            Assert.Equal(again.Title, page.Title);
        }
    }

    private static void Change(List<byte> html, byte[][] pages, Random random)
    {
        int at = random.Next(html.Count + 1);
        switch (random.Next(6))
        {
            case 0:
                html.Insert(at, (byte)random.Next(256));
                break;
            case 1 when html.Count > 1:
                html.RemoveRange(at / 2, Math.Min(html.Count - (at / 2), random.Next(1, 200)));
                break;
            case 2 when at < html.Count:
                html[at] = (byte)random.Next(256);
                break;
            case 3:
                byte[] other = pages[random.Next(pages.Length)];
                int start = random.Next(other.Length);
                html.InsertRange(at, other[start..Math.Min(other.Length, start + random.Next(1, 500))]);
                break;
            default:
                html.InsertRange(at, Encoding.UTF8.GetBytes(_parts[random.Next(_parts.Length)]));
                break;
        }
    }
}
