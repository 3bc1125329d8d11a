using System.Globalization;
using System.Text;
using OpenEuroLLM.Transparency.Charts;

namespace OpenEuroLLM.Transparency;

/// <summary>A page of sections with parts that open, as one HTML file that loads nothing and runs nothing.</summary>
public static class SectionPage
{
    private const string Style = """
        nav { margin: 1rem 0; } nav a { display: inline-block; margin-right: 1.2rem; padding: .2rem 0; color: var(--main); }
        figure svg { min-width: 42rem; } .soft { fill: var(--soft); font-size: 10.5px; } .gone { fill: var(--soft); }
        details { border-bottom: 1px solid var(--line); } details > :not(summary) { margin-left: 1.1rem; } summary { padding: .35rem 0; cursor: pointer; }
        th, td { overflow-wrap: break-word; vertical-align: top; } thead th, td.n { white-space: nowrap; } tbody th { max-width: 22rem; } td:last-child:not(.n) { min-width: 14rem; }
        td:last-child, th:last-child { padding-right: 0; }
        .problem { border: 2px solid var(--second); padding: .2rem 1rem; }
        .samples { list-style: none; padding: 0; } .samples li { margin: .8rem 0; } .about { margin: 0; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
        blockquote { margin: .15rem 0 0; padding: .1rem .8rem; border-inline-start: 3px solid var(--line); overflow-wrap: anywhere; }

        """;

    /// <summary>Writes the page; equal contents give equal bytes.</summary>
    /// <param name="title">The heading, as plain text.</param>
    /// <param name="introduction">The first paragraph.</param>
    /// <param name="problems">What the reader must know before anything else; shown in a frame.</param>
    /// <param name="sections">The sections.</param>
    public static string Render(string title, string introduction, IReadOnlyList<string> problems, IReadOnlyList<PageSection> sections)
    {
        ArgumentNullException.ThrowIfNull(problems);
        ArgumentNullException.ThrowIfNull(sections);
        return HtmlPage.Render(title, new Writer().Write(introduction, problems, sections), Style);
    }

    private sealed class Writer
    {
        private readonly StringBuilder _page = new();
        private int _drawings;

        public string Write(string introduction, IReadOnlyList<string> problems, IReadOnlyList<PageSection> sections)
        {
            Paragraph(introduction);
            if (problems.Count > 0)
            {
                _page.Append("<section class=\"problem\" role=\"alert\">\n<h2>The counts do not add up</h2>\n<ul>\n");
                foreach (string problem in problems) _page.Append("<li>").Append(Escape.Html(problem)).Append("</li>\n");
                _page.Append("</ul>\n</section>\n");
            }
            _page.Append("<nav aria-label=\"Sections\">\n");
            for (int i = 0; i < sections.Count; i++)
                _page.Append("<a href=\"#").Append(Name(i)).Append("\">").Append(Escape.Html(sections[i].Title)).Append("</a>\n");
            _page.Append("</nav>\n");
            for (int i = 0; i < sections.Count; i++)
            {
                _page.Append("<section id=\"").Append(Name(i)).Append("\">\n<h2>").Append(Escape.Html(sections[i].Title)).Append("</h2>\n");
                foreach (PagePart part in sections[i].Parts) Append(part);
                _page.Append("</section>\n");
            }
            return _page.ToString();
        }

        private static string Name(int section) => "section-" + (section + 1).ToString(CultureInfo.InvariantCulture);

        private void Paragraph(string text)
        {
            if (text.Length > 0) _page.Append("<p>").Append(Escape.LongHtml(text)).Append("</p>\n");
        }

        private void Append(PagePart part)
        {
            switch (part)
            {
                case TextPart text:
                    Paragraph(text.Text);
                    break;
                case TablePart { Table: { Rows.Count: > 0 } table }:
                    _page.Append("<div class=\"scroll\" tabindex=\"0\">\n").Append(table.ToHtml()).Append("</div>\n");
                    break;
                case FunnelPart funnel:
                    string id = "drawing-" + (++_drawings).ToString(CultureInfo.InvariantCulture);
                    _page.Append("<figure tabindex=\"0\">\n").Append(FunnelChart.Render(id, funnel.Title, funnel.Description, funnel.Bands)).Append("</figure>\n");
                    break;
                case SamplesPart samples:
                    Samples(samples);
                    break;
                case FoldPart fold:
                    _page.Append("<details>\n<summary>").Append(Escape.Html(fold.Title)).Append("</summary>\n");
                    foreach (PagePart inner in fold.Parts) Append(inner);
                    _page.Append("</details>\n");
                    break;
            }
        }

        private void Samples(SamplesPart samples)
        {
            _page.Append("<ul class=\"samples\">\n");
            foreach (TextSample sample in samples.Samples)
            {
                _page.Append("<li><p class=\"about\"><bdi>").Append(Escape.Html(sample.About)).Append("</bdi></p><blockquote lang=\"").Append(Tag(sample.Language))
                    .Append("\" dir=\"auto\">").Append(Escape.Html(sample.Text)).Append("</blockquote></li>\n");
            }
            _page.Append("</ul>\n");
        }

        // Codes come from the input and may be anything.
        private static string Tag(string language) =>
            language.Length is > 1 and <= 35 && language.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-') ? language : "und";
    }
}
