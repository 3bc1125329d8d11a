using System.Text;

namespace OpenEuroLLM.Transparency.Charts;

/// <summary>A line of a chart.</summary>
internal sealed record Line(string Name, string Kind, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Lines over a common axis.</summary>
internal static class LineChart
{
    private const double Width = 720, Height = 300, Left = 56, Right = 12, Top = 12, Bottom = 40;

    public static string Render(string id, string title, string description, string xName, string yName, IReadOnlyList<Line> lines)
    {
        var all = lines.SelectMany(line => line.Points).ToList();
        if (all.Count == 0) return "";
        var (xLow, xHigh, xStep) = Scale.Around(all.Min(point => point.X), all.Max(point => point.X));
        var (yLow, yHigh, yStep) = Scale.Around(all.Min(point => point.Y), all.Max(point => point.Y));
        double X(double value) => Left + (value - xLow) / (xHigh - xLow) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - (value - yLow) / (yHigh - yLow) * (Height - Top - Bottom);

        var svg = new StringBuilder();
        for (int i = 0; yLow + i * yStep <= yHigh + yStep / 2; i++)
        {
            double value = yLow + i * yStep;
            string height = Svg.Number(Y(value));
            svg.Append("<line class=\"grid\" x1=\"").Append(Svg.Number(Left)).Append("\" x2=\"").Append(Svg.Number(Width - Right))
                .Append("\" y1=\"").Append(height).Append("\" y2=\"").Append(height).Append("\"/>\n");
            svg.Append(Svg.Text(Left - 6, Y(value) + 4, Figure.Short(Math.Round(value, 6)), "end"));
        }

        for (int i = 0; xLow + i * xStep <= xHigh + xStep / 2; i++)
            svg.Append(Svg.Text(X(xLow + i * xStep), Height - Bottom + 18, Figure.Whole((long)(xLow + i * xStep)), "middle"));
        svg.Append(Svg.Text((Left + Width - Right) / 2, Height - 6, xName, "middle")).Append(Svg.Text(Left, Top, yName));
        foreach (var line in lines.Where(line => line.Points.Count > 0))
        {
            svg.Append("<polyline class=\"").Append(line.Kind).Append("\" points=\"")
                .AppendJoin(' ', line.Points.Select(point => $"{Svg.Number(X(point.X))},{Svg.Number(Y(point.Y))}"))
                .Append("\"><title>").Append(Escape.Html(line.Name)).Append("</title></polyline>\n");
        }

        return Svg.Frame(id, title, description, Width, Height, svg.ToString());
    }
}
