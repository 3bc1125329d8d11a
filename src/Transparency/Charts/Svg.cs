using System.Globalization;

namespace OpenEuroLLM.Transparency.Charts;

/// <summary>The frame of every chart: a picture with a name and a description for those who do not see it. Colours come from the page.</summary>
internal static class Svg
{
    public static string Frame(string id, string title, string description, double width, double height, string content) =>
        $"<svg role=\"img\" viewBox=\"0 0 {Number(width)} {Number(height)}\" aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{Escape.Html(title)}</title>\n"
        + $"<desc id=\"{id}-desc\">{Escape.Html(description)}</desc>\n{content}</svg>\n";

    public static string Text(double x, double y, string text, string kind = "") =>
        $"<text x=\"{Number(x)}\" y=\"{Number(y)}\"{(kind.Length == 0 ? "" : $" class=\"{kind}\"")}>{Escape.Html(text)}</text>\n";

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
