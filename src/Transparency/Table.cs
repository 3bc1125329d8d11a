using System.Globalization;
using System.Net;
using System.Text;

namespace OpenEuroLLM.Transparency;

/// <summary>A table of plain text; the first column names the row. Each way of writing it escapes what the cells hold.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Headers">Names of the columns.</param>
/// <param name="Rows">Cells, as many in each row as there are headers.</param>
public sealed record Table(string Caption, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>The lines of the table in a terminal: headers, then rows, columns parted by two blanks.</summary>
    public IEnumerable<string> ToLines()
    {
        IReadOnlyList<IReadOnlyList<string>> lines = [[.. Headers.Select(Escape.OneLine)], .. Rows.Select(row => row.Select(Escape.OneLine).ToList())];
        int[] widths = [.. Enumerable.Range(0, Headers.Count).Select(column => lines.Max(line => line[column].Length))];
        bool[] numeric = [.. Enumerable.Range(0, Headers.Count).Select(IsNumeric)];
        return lines.Select(line => string.Join("  ", line.Select((cell, column) => numeric[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>Text that others wrote as a line for a terminal: without control and invisible characters, and not without end.</summary>
    public static string Line(string text) => Escape.Plain(text);

    /// <summary>The table in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| ").AppendJoin(" | ", Headers.Select(Escape.Markdown)).Append(" |\n");
        text.Append('|').AppendJoin('|', Headers.Select((_, column) => IsNumeric(column) ? "---:" : "---")).Append("|\n");
        foreach (var row in Rows) text.Append("| ").AppendJoin(" | ", row.Select(Escape.Markdown)).Append(" |\n");
        return text.ToString();
    }

    /// <summary>The table in HTML.</summary>
    public string ToHtml()
    {
        var text = new StringBuilder();
        bool[] numeric = [.. Enumerable.Range(0, Headers.Count).Select(IsNumeric)];
        text.Append("<table>\n<caption>").Append(Escape.Html(Caption)).Append("</caption>\n<thead><tr>");
        for (int column = 0; column < Headers.Count; column++)
            text.Append("<th scope=\"col\"").Append(numeric[column] ? " class=\"n\">" : ">").Append(Escape.Html(Headers[column])).Append("</th>");
        text.Append("</tr></thead>\n<tbody>\n");
        foreach (var row in Rows)
        {
            text.Append("<tr>");
            for (int column = 0; column < row.Count; column++)
            {
                string kind = numeric[column] ? " class=\"n\"" : "";
                text.Append(column == 0 ? $"<th scope=\"row\"{kind}>" : $"<td{kind}>").Append(Escape.Html(row[column])).Append(column == 0 ? "</th>" : "</td>");
            }

            text.Append("</tr>\n");
        }

        return text.Append("</tbody>\n</table>\n").ToString();
    }

    // Numbers are set to the right: a column in which every filled cell begins with a digit.
    private bool IsNumeric(int column)
    {
        var filled = Rows.Select(row => row[column]).Where(cell => cell is not ("" or Figure.Absent)).ToList();
        return filled.Count > 0 && filled.TrueForAll(cell => char.IsAsciiDigit(cell[0]) || (cell.Length > 1 && cell[0] == '-' && char.IsAsciiDigit(cell[1])))
            && filled.TrueForAll(cell => cell.Length < 40);
    }
}

/// <summary>Makes any text harmless where it is shown. Names come from files that others wrote.</summary>
internal static class Escape
{
    private const int MaxLength = 300;

    public static string Markdown(string text)
    {
        var safe = new StringBuilder();
        foreach (char letter in Plain(text))
        {
            switch (letter)
            {
                case '&': safe.Append("&amp;"); break;
                case '<': safe.Append("&lt;"); break;
                case '>': safe.Append("&gt;"); break;
                case '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '#' or '~' or '!' or '$' or '@': safe.Append('\\').Append(letter); break;
                default: safe.Append(letter); break;
            }
        }

        return safe.ToString();
    }

    public static string Html(string text) => WebUtility.HtmlEncode(Plain(text));

    /// <summary>As <see cref="Html"/>, however long.</summary>
    public static string LongHtml(string text) => WebUtility.HtmlEncode(OneLine(text));

    /// <summary>A double-quoted scalar, valid in YAML and JSON alike.</summary>
    public static string Yaml(string text) =>
        System.Text.Json.JsonSerializer.Serialize(Plain(text), TextContext.Default.String);

    /// <summary>One line, without control, direction-changing or other invisible characters, of bounded length.</summary>
    public static string Plain(string text) => Plain(text, MaxLength);

    /// <summary>As <see cref="Plain(string)"/>, however long.</summary>
    public static string OneLine(string text) => Plain(text, int.MaxValue);

    private static string Plain(string text, int most)
    {
        var plain = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length >= most) return plain.Append('…').ToString();
            switch (Rune.GetUnicodeCategory(rune))
            {
                case UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator: plain.Append(' '); break;
                case UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse: break;
                default: plain.Append(rune.ToString()); break;
            }
        }

        return plain.ToString();
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class TextContext : System.Text.Json.Serialization.JsonSerializerContext;
