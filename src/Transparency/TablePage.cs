using System.Text;

namespace OpenEuroLLM.Transparency;

/// <summary>Tables as one HTML page that loads nothing and runs nothing.</summary>
public static class TablePage
{
    /// <summary>Writes the page; equal tables give equal bytes.</summary>
    /// <param name="title">The heading.</param>
    /// <param name="introduction">Paragraphs of plain text above the tables.</param>
    /// <param name="tables">Each under its caption as a heading; those without rows are left out.</param>
    public static string Render(string title, IReadOnlyList<string> introduction, IReadOnlyList<Table> tables)
    {
        ArgumentNullException.ThrowIfNull(introduction);
        ArgumentNullException.ThrowIfNull(tables);
        var page = new StringBuilder();
        foreach (string paragraph in introduction) page.Append("<p>").Append(Escape.Html(paragraph)).Append("</p>\n");
        foreach (Table table in tables.Where(table => table.Rows.Count > 0))
            page.Append("<section>\n<h2>").Append(Escape.Html(table.Caption)).Append("</h2>\n<div class=\"scroll\" tabindex=\"0\">\n").Append(table.ToHtml()).Append("</div>\n</section>\n");
        return HtmlPage.Render(title, page.ToString());
    }
}
