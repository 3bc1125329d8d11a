using System.Text;
using System.Text.Unicode;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Finds the main text of web pages: menus, notices, comments and the like are left out. One object works on one page at a time and keeps its buffers for the next.</summary>
public sealed class HtmlExtractor
{
    /// <summary>Longer pages are cut there.</summary>
    public const int MaximumHtmlBytes = 1 << 25;

    private const int FewCharacters = 400;

    private readonly HtmlTree tree = new();
    private readonly PageFacts facts = new();
    private readonly HtmlTreeBuilder builder = new();
    private readonly Segmenter segmenter = new();
    private readonly ContentFinder finder = new();
    private readonly TextRenderer renderer = new();

    /// <summary>Extracts a page.</summary>
    /// <param name="utf8Html">The page as UTF-8; bytes that are none become U+FFFD.</param>
    /// <param name="url">Its address, or null; only a day of publication is read off it.</param>
    /// <param name="markdown">Whether headings, lists, tables and code get Markdown's marks.</param>
    public ExtractedPage Extract(ReadOnlySpan<byte> utf8Html, string? url = null, bool markdown = false)
    {
        bool whole = utf8Html.Length <= MaximumHtmlBytes;
        if (!whole) utf8Html = utf8Html[..MaximumHtmlBytes];
        if (!Utf8.IsValid(utf8Html)) utf8Html = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8Html));
        facts.Clear();
        whole &= builder.Build(utf8Html, tree, facts);
        finder.Find(tree, segmenter);
        string text = renderer.Render(tree, segmenter.Blocks, finder, markdown);
        string? heading = Heading();
        var data = new LinkedData();
        foreach (var (start, length) in facts.LinkedData) data.Read(utf8Html.Slice(start, length));
        if (data.License is string license) facts.AddLicense(license);
        var page = new ExtractedPage(
            text, Title(heading, data.Headline), PageDate.Parse(data.Published) ?? PageDate.Parse(facts.Date) ?? PageDate.InAddress(url) ?? PageDate.InAddress(facts.Url),
            facts.Url, facts.Language ?? data.Language, [.. facts.Licenses.Select(address => Absolute(address, url))], !whole)
        {
            Rights = [.. facts.Statements],
        };
        // Pages that build themselves in the browser often carry their text for search engines all the same.
        return text.Length < FewCharacters && data.Body is string body && body.Length > 2 * text.Length ? page with { Text = PlainBody(body) } : page;
    }

    private string PlainBody(string body)
    {
        builder.Build(Encoding.UTF8.GetBytes(body.Contains('<', StringComparison.Ordinal) ? body : body.Replace("\n", "<br>", StringComparison.Ordinal)), tree, new PageFacts());
        finder.KeepAll(tree, segmenter);
        return renderer.Render(tree, segmenter.Blocks, finder, withMarks: false);
    }

    private string? Heading()
    {
        foreach (ref readonly PageBlock block in segmenter.Blocks)
            if (tree[block.Container].Tag == HtmlTag.H1 && block.Characters > 0) return finder.TextOf(tree, block);
        return null;
    }

    // Titles for other sites and of windows often end in the site's name, and the first heading may be that name alone.
    private string? Title(string? heading, string? headline)
    {
        string? title = facts.Title ?? headline ?? facts.PageTitle ?? heading;
        if (heading is null || title is null || title.Length <= heading.Length) return title;
        if (title.StartsWith(heading, StringComparison.OrdinalIgnoreCase)) return heading;
        if (!title.EndsWith(heading, StringComparison.OrdinalIgnoreCase)) return title;
        string rest = title[..^heading.Length].TrimEnd();
        return rest.Length > 1 && rest[^1] is '|' or '-' or '–' or '—' or '·' or '•' or ':' or '»' or '«' ? rest[..^1].TrimEnd() : title;
    }

    // Licences are often given as //host/path or as a path.
    private string Absolute(string address, string? url)
    {
        if (address.StartsWith("//", StringComparison.Ordinal)) return "https:" + address;
        return Uri.TryCreate(url ?? facts.Url, UriKind.Absolute, out Uri? page) && page.Scheme is "http" or "https" && Uri.TryCreate(page, address, out Uri? absolute) ? absolute.AbsoluteUri : address;
    }
}
