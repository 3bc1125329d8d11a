using System.Text;
using System.Text.Unicode;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Finds the main text of web pages: menus, notices, comments and the like are left out. One object works on one page at a time and keeps its buffers for the next.</summary>
public sealed class HtmlExtractor
{
    /// <summary>Longer pages are cut there.</summary>
    public const int MaximumHtmlBytes = 1 << 26;

    private readonly HtmlTree tree = new();
    private readonly PageFacts facts = new();
    private readonly HtmlTreeBuilder builder = new();
    private readonly Segmenter segmenter = new();
    private readonly ContentFinder finder = new();
    private readonly TextRenderer renderer = new();

    /// <summary>Extracts a page.</summary>
    /// <param name="utf8Html">The page as UTF-8; bytes that are none become U+FFFD.</param>
    /// <param name="url">Its address, or null.</param>
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
        return new ExtractedPage(text, facts.Title ?? facts.PageTitle, facts.Date, facts.Url, facts.Language, [.. facts.Licenses], !whole);
    }
}
