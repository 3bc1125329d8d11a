using System.Text;

namespace OpenEuroLLM.Transparency.Charts;

/// <summary>A funnel from top to bottom: a row for every step, a thick bar for documents and a thin one for bytes, each as a share of the widest row. What stays comes first,
/// then what arrives from elsewhere, what leaves for elsewhere, and what ends.</summary>
internal static class FunnelChart
{
    private const double Width = 720, Names = 158, Labels = 152, RowHeight = 36, Legend = 26;

    private static readonly (string Kind, string Meaning)[] Kinds = [("bar", "goes on"), ("kept", "arrives, or is kept"), ("gone", "leaves for another language"), ("lost", "is dropped")];

    /// <param name="id">Distinguishes this chart from others of the page.</param>
    /// <param name="title">Its name.</param>
    /// <param name="description">What it shows, for those who do not see it.</param>
    /// <param name="bands">The rows, from top to bottom.</param>
    public static string Render(string id, string title, string description, IReadOnlyList<FunnelBand> bands)
    {
        if (bands.Count == 0) return "";
        double documents = Math.Max(1, bands.Max(band => band.Parts.Sum(part => (double)part.Documents))), bytes = Math.Max(1, bands.Max(band => band.Parts.Sum(part => (double)part.Bytes)));
        double room = Width - Names - Labels;
        var svg = new StringBuilder();
        AppendLegend(svg, bands);
        for (int row = 0; row < bands.Count; row++)
        {
            FunnelBand band = bands[row];
            double y = Legend + row * RowHeight;
            svg.Append(Svg.Text(Names - 10, y + 15, band.Name, "end"));
            AppendBar(svg, band, y + 4, 14, part => part.Documents / documents * room);
            AppendBar(svg, band, y + 20, 5, part => part.Bytes / bytes * room);
            svg.Append(Svg.Text(Width - Labels + 10, y + 15, $"{Figure.Whole(band.After.Documents)} · {Figure.Bytes(band.After.Bytes)}"));
            string less = Less(band);
            if (less.Length > 0) svg.Append(Svg.Text(Width - Labels + 10, y + 28, less, "soft"));
        }
        return Svg.Frame(id, title, description, Width, Legend + bands.Count * RowHeight, svg.ToString());
    }

    private static void AppendLegend(StringBuilder svg, IReadOnlyList<FunnelBand> bands)
    {
        double x = Names;
        for (int kind = 0; kind < Kinds.Length; kind++)
        {
            if (bands.All(band => Parts(band).All(part => part.Kind != Kinds[kind].Kind || part.Size == default))) continue;
            svg.Append("<rect class=\"").Append(Kinds[kind].Kind).Append("\" x=\"").Append(Svg.Number(x)).Append("\" y=\"2\" width=\"11\" height=\"11\"/>\n");
            svg.Append(Svg.Text(x + 16, 12, Kinds[kind].Meaning));
            x += 30 + 6.4 * Kinds[kind].Meaning.Length;
        }
    }

    private static void AppendBar(StringBuilder svg, FunnelBand band, double y, double height, Func<FunnelSize, double> width)
    {
        double x = Names;
        foreach ((string kind, FunnelSize size) in Parts(band))
        {
            double w = width(size);
            if (w <= 0) continue;
            w = Math.Max(w, 1);   // what is there is seen
            svg.Append("<rect class=\"").Append(kind).Append("\" x=\"").Append(Svg.Number(x)).Append("\" y=\"").Append(Svg.Number(y)).Append("\" width=\"").Append(Svg.Number(w))
                .Append("\" height=\"").Append(Svg.Number(height)).Append("\"/>\n");
            x += w;
        }
    }

    private static IEnumerable<(string Kind, FunnelSize Size)> Parts(FunnelBand band) =>
        [(band.IsResult ? "kept" : "bar", band.Stays), ("kept", band.Arrives), ("gone", band.Leaves), ("lost", band.Lost)];

    private static string Less(FunnelBand band)
    {
        string[] parts =
        [
            .. band.Lost.Documents == 0 ? (string[])[] : [$"−{Figure.Whole(band.Lost.Documents)}"],
            .. band.Leaves.Documents == 0 ? (string[])[] : [$"→{Figure.Whole(band.Leaves.Documents)}"],
            .. band.Arrives.Documents == 0 ? (string[])[] : [$"+{Figure.Whole(band.Arrives.Documents)}"],
        ];
        return string.Join("  ", parts);
    }
}
