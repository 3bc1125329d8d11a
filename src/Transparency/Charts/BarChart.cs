using System.Text;

namespace OpenEuroLLM.Transparency.Charts;

/// <summary>A bar: its name, its length, and what is written at its end.</summary>
internal sealed record Bar(string Name, double Value, string Label, string Kind = "bar");

/// <summary>Horizontal bars from zero.</summary>
internal static class BarChart
{
    private const double Width = 720, RowHeight = 22, Room = 110;

    public static string Render(string id, string title, string description, double nameWidth, IReadOnlyList<Bar> bars)
    {
        if (bars.Count == 0) return "";
        double longest = Math.Max(bars.Max(bar => bar.Value), double.Epsilon);
        var svg = new StringBuilder();
        for (int i = 0; i < bars.Count; i++)
        {
            double y = i * RowHeight, width = Math.Max(0, bars[i].Value) / longest * (Width - nameWidth - Room);
            svg.Append(Svg.Text(nameWidth - 8, y + 15, bars[i].Name, "end"));
            svg.Append("<rect class=\"").Append(bars[i].Kind).Append("\" x=\"").Append(Svg.Number(nameWidth)).Append("\" y=\"").Append(Svg.Number(y + 3))
                .Append("\" width=\"").Append(Svg.Number(width)).Append("\" height=\"").Append(Svg.Number(RowHeight - 6)).Append("\"/>\n");
            svg.Append(Svg.Text(nameWidth + width + 6, y + 15, bars[i].Label));
        }

        return Svg.Frame(id, title, description, Width, bars.Count * RowHeight, svg.ToString());
    }
}
