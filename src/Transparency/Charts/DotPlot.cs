using System.Text;

namespace OpenEuroLLM.Transparency.Charts;

/// <summary>A row of dots: one value for each series, null where there is none. A row without values is a heading.</summary>
internal sealed record DotRow(string Name, IReadOnlyList<double?> Values);

/// <summary>Several series beside each other: a row per thing that is compared, a mark per series, told apart by shape as well as by colour.</summary>
internal static class DotPlot
{
    /// <summary>How many colours there are; shapes are as many plus one, so that pairs repeat late.</summary>
    public const int Colours = 7;

    private const double Width = 720, Right = 72, LegendRow = 20, Axis = 24, BetweenMarks = 6;

    // Drawn around the origin, about 9 wide.
    private static readonly string[] Shapes =
    [
        "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z", "M-4 -4h8v8h-8z", "M0 -5.2L4.8 3.6H-4.8z", "M0 -5.6L5.6 0L0 5.6L-5.6 0z",
        "M0 5.2L4.8 -3.6H-4.8z", "M-1.6 -5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z", "M-5 -2.2h10v4.4h-10z", "M-2.2 -5h4.4v10h-4.4z",
    ];

    /// <param name="id">Distinguishes this chart from others of the page.</param>
    /// <param name="title">Its name.</param>
    /// <param name="description">What it shows, for those who do not see it.</param>
    /// <param name="nameWidth">Room for the names of the rows.</param>
    /// <param name="series">Names of the series.</param>
    /// <param name="rows">The rows, from top to bottom.</param>
    /// <param name="reference">Where a line is drawn from top to bottom.</param>
    public static string Render(string id, string title, string description, double nameWidth, IReadOnlyList<string> series, IReadOnlyList<DotRow> rows, double? reference)
    {
        double[] values = [.. rows.SelectMany(row => row.Values).OfType<double>().Order()];
        if (values.Length == 0) return "";
        // A few values far out would press all others together: they stand at the edge, with their number.
        double limit = 2 * values[(values.Length - 1) * 9 / 10], most = values.Where(value => value <= limit).DefaultIfEmpty(values[^1]).Max();
        if (reference is double line) most = Math.Max(most, line);
        var (low, high, step) = Scale.Around(Math.Min(values[0], most / 2), most);
        double X(double value) => nameWidth + (Math.Min(value, high) - low) / (high - low) * (Width - nameWidth - Right);
        double rowHeight = 18 + BetweenMarks * (series.Count - 1), top = series.Count * LegendRow + Axis, bottom = top + rows.Count * rowHeight;

        var svg = new StringBuilder();
        for (int i = 0; i < series.Count; i++)
        {
            Mark(svg, i, nameWidth + 8, i * LegendRow + LegendRow / 2, series[i]);
            svg.Append(Svg.Text(nameWidth + 20, i * LegendRow + LegendRow / 2 + 4, series[i]));
        }
        for (int i = 0; low + i * step <= high + step / 2; i++)
        {
            double value = low + i * step;
            Line(svg, "grid", X(value), top, bottom);
            svg.Append(Svg.Text(X(value), top - 8, Figure.Short(Math.Round(value, 6)), "middle")).Append(Svg.Text(X(value), bottom + 16, Figure.Short(Math.Round(value, 6)), "middle"));
        }
        if (reference is double bound) Line(svg, "reference", X(bound), top, bottom);
        for (int i = 0; i < rows.Count; i++)
        {
            double y = top + (i + .5) * rowHeight;
            svg.Append("<line class=\"grid\" x1=\"0\" x2=\"").Append(Svg.Number(Width - Right)).Append("\" y1=\"").Append(Svg.Number(y + rowHeight / 2)).Append("\" y2=\"")
                .Append(Svg.Number(y + rowHeight / 2)).Append("\"/>\n");
            svg.Append(rows[i].Values.Count == 0 ? Svg.Text(0, y + 4, rows[i].Name, "heading") : Svg.Text(nameWidth - 8, y + 4, rows[i].Name, "end"));
            for (int s = 0; s < rows[i].Values.Count; s++)
            {
                if (rows[i].Values[s] is not double value) continue;
                double place = y + (s - (series.Count - 1) / 2.0) * BetweenMarks;
                Mark(svg, s, X(value), place, $"{rows[i].Name}, {series[s]}: {Figure.Short(value)}");
            }
            double[] beyond = [.. rows[i].Values.OfType<double>().Where(value => value > high).Order()];
            if (beyond.Length > 0)
                svg.Append(Svg.Text(X(high) + 6, y + 4, beyond.Length == 1 ? $"▸ {Figure.Short(beyond[0])}" : $"▸ {Figure.Short(beyond[0])}–{Figure.Short(beyond[^1])}"));
        }
        return Svg.Frame(id, title, description, Width, bottom + Axis, svg.ToString());
    }

    private static void Mark(StringBuilder svg, int series, double x, double y, string meaning) =>
        svg.Append("<path class=\"mark m").Append(series % Colours).Append("\" transform=\"translate(").Append(Svg.Number(x)).Append(' ').Append(Svg.Number(y)).Append(")\" d=\"")
            .Append(Shapes[series % Shapes.Length]).Append("\"><title>").Append(Escape.Html(meaning)).Append("</title></path>\n");

    private static void Line(StringBuilder svg, string kind, double x, double from, double to) =>
        svg.Append("<line class=\"").Append(kind).Append("\" x1=\"").Append(Svg.Number(x)).Append("\" x2=\"").Append(Svg.Number(x)).Append("\" y1=\"").Append(Svg.Number(from))
            .Append("\" y2=\"").Append(Svg.Number(to)).Append("\"/>\n");
}
