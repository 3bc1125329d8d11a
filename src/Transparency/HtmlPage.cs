using System.Text;

namespace OpenEuroLLM.Transparency;

/// <summary>The frame of every page: one file that loads nothing and runs nothing, for light and dark screens.</summary>
internal static class HtmlPage
{
    private const string Style = """
        :root { color-scheme: light dark; --page: #fff; --ink: #1c2430; --soft: #5b6675; --line: #d5dae1; --main: #1f5fbf; --second: #c2571a; --good: #2b7a4b; }
        @media (prefers-color-scheme: dark) { :root { --page: #12161c; --ink: #e6eaf0; --soft: #9aa6b5; --line: #313a46; --main: #7fb0ff; --second: #ffab70; --good: #77cf9b; } }
        body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
        figure, .scroll { margin: 1rem 0; overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; }
        caption { text-align: left; color: var(--soft); padding: .3rem 0; }
        th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        .n { text-align: right; font-variant-numeric: tabular-nums; }
        svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
        text { fill: var(--ink); } .end { text-anchor: end; } .middle { text-anchor: middle; }
        polyline { fill: none; stroke-width: 1; stroke: var(--soft); opacity: .5; } .main { stroke: var(--main); stroke-width: 2; opacity: 1; }
        .grid { stroke: var(--line); } .bar { fill: var(--main); } .lost { fill: var(--second); } .kept { fill: var(--good); }
        """;

    /// <param name="title">The heading, as plain text.</param>
    /// <param name="content">What stands below it, as HTML.</param>
    /// <param name="moreStyle">Rules of this page alone.</param>
    public static string Render(string title, string content, string moreStyle = "")
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>").Append(Escape.Html(title))
            .Append("</title>\n<style>\n").Append(Style.ReplaceLineEndings("\n")).Append('\n').Append(moreStyle.ReplaceLineEndings("\n"))
            .Append("</style>\n</head>\n<body>\n<main>\n<h1>").Append(Escape.Html(title)).Append("</h1>\n");
        return page.Append(content).Append("</main>\n</body>\n</html>\n").ToString();
    }
}
