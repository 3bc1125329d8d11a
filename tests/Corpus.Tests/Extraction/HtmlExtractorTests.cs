using System.Text;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

public sealed class HtmlExtractorTests
{
    private readonly HtmlExtractor _extractor = new();

    private ExtractedPage Extract(string html, string? url = null, bool markdown = false) => _extractor.Extract(Encoding.UTF8.GetBytes(html), url, markdown);

    public static TheoryData<string, string> Pages => new(SamplePages.All.Select(page => (page.Name, page.Language)));

    [Theory, MemberData(nameof(Pages))]
    public void The_main_text_is_found_and_what_stands_around_it_is_left_out(string name, string language)
    {
        SamplePage page = SamplePages.All.Single(page => page.Name == name && page.Language == language);
        string text = Extract(page.Html).Text;
        Assert.All(page.Wanted, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.All(page.Unwanted, part => Assert.DoesNotContain(part, text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("<p>A page of one sentence, without anything else around it.</p>", "A page of one sentence, without anything else around it.")]
    [InlineData("Just a text without any tag, but with a sentence in it.", "Just a text without any tag, but with a sentence in it.")]
    [InlineData("", "")]
    [InlineData("<ul><li><a href=1>One</a><li><a href=2>Two</a><li><a href=3>Three</a></ul>", "")]
    [InlineData("<p>First line of the poem,<br>second line of it,<br><br>and a new verse begins here.</p>", "First line of the poem,\nsecond line of it,\nand a new verse begins here.")]
    public void Small_pages_give_what_they_hold(string html, string text) => Assert.Equal(text, Extract(html).Text);

    [Fact]
    public void Hidden_parts_are_left_out_unless_the_page_hides_all_it_has()
    {
        const string Text = "<p>The text of this page is a sentence of some length, with a comma.</p>";
        Assert.DoesNotContain("Secret", Extract($"<div>{Text}{Text}<p style='display : none'>Secret words of the page, which nobody sees.</p></div>").Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret", Extract($"<div>{Text}{Text}<p hidden>Secret words of the page, which nobody sees.</p></div>").Text, StringComparison.Ordinal);
        Assert.Contains("The text of this page", Extract($"<body style='visibility:hidden'>{Text}{Text}").Text, StringComparison.Ordinal);
        Assert.Contains("The text of this page", Extract($"<body><div style='display:none'>{Text}{Text}</div>").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_would_take_the_whole_text_away_means_something_else()
    {
        const string Text = "<p>The minutes of the match, one after the other, as they were written.</p>";
        Assert.Contains("The minutes of the match", Extract($"<main><div class=live-comments>{string.Concat(Enumerable.Repeat($"<div class=comment>{Text}</div>", 5))}</div></main>").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_made_from_headings_say_nothing_about_the_purpose_of_a_section()
    {
        const string Text = "<p>Whoever shares a repository should know what others will see of it.</p>";
        Assert.Equal(PageHints.None, HintTable.OfNames("unrelated words here"u8));
        string html = $"<div><section id=intro>{Text}</section><section id=sharing-with-a-single-developer><h2>Sharing</h2><p>One developer alone needs no server, but a second copy helps.</p></section></div>";
        Assert.Contains("One developer alone", Extract(html).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_head_of_the_page_is_left_out_and_a_lead_between_title_and_text_is_kept_once()
    {
        const string Text = "<p>The text goes on for a while, as texts do, and then it ends.</p><p>One more paragraph follows, with one more comma.</p>";
        const string Lead = "The lead tells in one sentence what the whole is about, no more.";
        string head = "<header><a href=/>Site</a><p>A site about rivers, bridges and what people make of them.</p></header>";
        string once = Extract($"{head}<main><header><h1>Title</h1><p>{Lead}</p></header><div class=article-body>{Text}</div></main>").Text;
        Assert.StartsWith(Lead + "\nThe text goes on", once, StringComparison.Ordinal);
        string twice = Extract($"{head}<main><header><h1>Title</h1><p>{Lead}</p></header><div class=article-body><p>{Lead}</p>{Text}</div></main>").Text;
        Assert.Equal(once, twice);
    }

    [Fact]
    public void Parts_of_a_named_text_are_kept_together()
    {
        string part = string.Concat(Enumerable.Repeat("<p>The first part is long, it has many sentences, and most of the text.</p>", 4));
        string text = Extract($"<article><div>{part}</div><div><p>The second part is short, but it belongs to the text all the same.</p><p>It ends here, after two sentences.</p></div></article>").Text;
        Assert.Contains("The second part is short", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("article-body", "Body", true)]
    [InlineData("articleBody", "Body", true)]
    [InlineData("ARTICLE_BODY x", "Body", true)]
    [InlineData("site-nav main", "Navigation", true)]
    [InlineData("navigate", "Navigation", false)]
    [InlineData("post-comments-2", "Comments", true)]
    [InlineData("post tag-comments category-ads", "Advert", false)]
    [InlineData("header article", "Body", false)]
    public void Names_are_read_word_by_word(string names, string hint, bool expected) =>
        Assert.Equal(expected, (HintTable.OfNames(Encoding.ASCII.GetBytes(names)) & Enum.Parse<PageHints>(hint)) != 0);

    [Theory]
    [InlineData("Leave a Reply", "Comments")]
    [InlineData("3 Kommentare:", "Comments")]
    [InlineData("Lesen Sie auch", "Related")]
    [InlineData("Lesen Sie auch: Der Berg ruft", "RelatedLine")]
    [InlineData("Διαβάστε επίσης", "Related")]
    [InlineData("Hier können Sie den Newsletter abonnieren!", "Notice")]
    [InlineData("Alle anderen kamen später, sagte er.", "None")]
    [InlineData("Deli", "Notice")]
    [InlineData("Deli owners say so", "None")]
    public void Lines_around_texts_are_known_in_all_languages(string line, string kind) => Assert.Equal(Enum.Parse<PhraseKind>(kind), PhraseTable.Match(line, @short: true));

    [Fact]
    public void Every_language_of_the_product_has_its_lines()
    {
        var kinds = ExtractionData.Lines("phrases.txt").Select(line => line.Split(':')[0]).ToHashSet();
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        foreach (string language in Directory.EnumerateFiles(Path.Combine(folder, "languages"), "*.json").Select(file => Path.GetFileNameWithoutExtension(file)))
            foreach (string kind in (string[])["comments", "related", "notice"])
                Assert.Contains($"{language} {kind}", kinds);
    }

    [Fact]
    public void Structure_is_marked_as_markdown_does()
    {
        const string Html = """
            <article><h1>Title</h1><p>The first paragraph says <b>what</b> follows, and calls <code>run()</code> once.</p><h2>A list <a href="#a">#</a></h2>
            <ul><li>one<li>two<ul><li>inner</ul><li><p>three</p><p>three goes on</p></ul><ol><li>first<li>second</ol>
            <p>Then there is a table, which has two columns.</p><table><caption>Lengths</caption><tr><th>Name<th>Value<tr><td>a | b<td>1<tr><td>c<td></table>
            <blockquote><p>A quotation of some length, with a comma.<br>Second line.</p></blockquote><pre>
            if (a) {
                <span class="keyword">return</span> b;
            }
            </pre><p>The last paragraph ends here, after the code.</p></article>
            """;
        Assert.Equal(
            """
            The first paragraph says what follows, and calls `run()` once.

            ## A list

            - one
            - two
              - inner
            - three
              three goes on
            1. first
            2. second

            Then there is a table, which has two columns.

            Lengths

            | Name | Value |
            | --- | --- |
            | a / b | 1 |
            | c |  |

            > A quotation of some length, with a comma.
            > Second line.

            ```
            if (a) {
                return b;
            }
            ```

            The last paragraph ends here, after the code.
            """.ReplaceLineEndings("\n"), Extract(Html, markdown: true).Text);
        Assert.Contains("\nName\tValue\na | b\t1\nc\t\n", Extract(Html).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_page_says_about_itself_is_read()
    {
        ExtractedPage page = Extract(
            """
            <html lang="de-AT"><head><title>Ein Titel &amp; mehr – Die Seite</title><link rel=canonical href="https://example.org/a?b=1&amp;c=2">
            <meta name=date content="2. Mai 2020"><meta property="article:published_time" content="2021-03-04T23:59:00+01:00"></head>
            <body><h1>Ein Titel &amp; mehr</h1><p>Der Text der Seite ist ein Satz, und er ist lang genug.</p><a rel="license" href="/lizenz">L</a><a href="//creativecommons.org/licenses/by/4.0/">CC</a></body></html>
            """, "https://example.org/x/y");
        Assert.Equal("Ein Titel & mehr", page.Title);
        Assert.Equal("2021-03-04", page.Date);
        Assert.Equal("https://example.org/a?b=1&c=2", page.CanonicalUrl);
        Assert.Equal(("de-AT", "de"), (page.DeclaredLanguage, page.Language));
        Assert.Equal(["https://example.org/lizenz", "https://creativecommons.org/licenses/by/4.0/"], page.LicenseLinks);
        Assert.False(page.Truncated);
    }

    [Theory]
    [InlineData("<title>A story - Site</title><h1>Site</h1>", "A story")]
    [InlineData("<title>A story · V8</title><h1>V8</h1>", "A story")]
    [InlineData("<title>A story | Site</title><h1>A story</h1>", "A story")]
    [InlineData("<title>Site</title><meta property=og:title content='A story'><h1>Site</h1>", "A story")]
    [InlineData("<h1>A story</h1>", "A story")]
    [InlineData("<svg><title>Icon</title></svg>", null)]
    public void The_title_is_that_of_the_text_and_not_of_the_site(string html, string? title) => Assert.Equal(title, Extract(html + "<p>A sentence follows the title, and it ends.</p>").Title);

    [Theory]
    [InlineData("2021-03-04T10:00:00Z", "2021-03-04")]
    [InlineData("20210304", "2021-03-04")]
    [InlineData("4.3.2021", "2021-03-04")]
    [InlineData("04/03/2021", null)]
    [InlineData("25/03/2021", "2021-03-25")]
    [InlineData("03/25/2021", "2021-03-25")]
    [InlineData("Thu, 04 Mar 2021 10:00:00 GMT", "2021-03-04")]
    [InlineData("March 4, 2021", "2021-03-04")]
    [InlineData("2021-02-30", null)]
    [InlineData("1970-01-01", null)]
    [InlineData("yesterday", null)]
    [InlineData(null, null)]
    public void Days_are_read_where_they_can_mean_one_day_only(string? text, string? day) => Assert.Equal(day, PageDate.Parse(text));

    [Theory]
    [InlineData("https://example.org/2020/03/04/title", "2020-03-04")]
    [InlineData("https://example.org/news/2020-03-04-title", "2020-03-04")]
    [InlineData("https://example.org/2020/13/04/title", null)]
    public void A_day_in_the_address_counts_where_the_page_gives_none(string url, string? day) => Assert.Equal(day, Extract("<p>A sentence that has no day, but a comma.</p>", url).Date);

    [Theory]
    [InlineData("{\"headline\":\"A\",\"articleBody\":\"short\",\"x\":[{\"articleBody\":\"a longer one\"}]}", "a longer one")]
    [InlineData("{\"articleBody\":\"before\",\"broken\":", "before")]
    [InlineData("{\"articleBody\":\"line\nfeed\"}", null)]
    [InlineData("{\"articleBody\":{\"a\":1}}", null)]
    [InlineData("{\"articleBody\":\"\\ud800\"}", null)]
    [InlineData("", null)]
    public void Linked_data_are_read_up_to_their_damage(string json, string? body)
    {
        var data = new LinkedData();
        data.Read(Encoding.UTF8.GetBytes(json));
        Assert.Equal(body, data.Body);
    }
}
