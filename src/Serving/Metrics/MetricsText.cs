using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>Writes Prometheus's text format, version 0.0.4. All samples of a name stand together.</summary>
internal sealed class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    private readonly StringBuilder text = new();

    public void Gauge(string name, string help, IEnumerable<(string Labels, double Value)> values) => Write(name, "gauge", help, values);

    public void Counter(string name, string help, IEnumerable<(string Labels, double Value)> values) => Write(name, "counter", help, values);

    public void Histogram(string name, string help, IEnumerable<(string Labels, HistogramValues Values)> histograms)
    {
        Head(name, "histogram", help);
        foreach (var (labels, values) in histograms)
        {
            foreach ((double bound, long below) in values.Buckets) Line(name + "_bucket", $"{labels},le=\"{Number(bound)}\"", below);
            Line(name + "_bucket", labels + ",le=\"+Inf\"", values.Count);
            Line(name + "_sum", labels, values.Sum);
            Line(name + "_count", labels, values.Count);
        }
    }

    /// <summary>A label with its value; what the format gives a meaning to is escaped.</summary>
    public static string Label(string name, string value) =>
        $"{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    public override string ToString() => text.ToString();

    private void Write(string name, string type, string help, IEnumerable<(string Labels, double Value)> values)
    {
        Head(name, type, help);
        foreach ((string labels, double value) in values) Line(name, labels, value);
    }

    private void Head(string name, string type, string help) => text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private void Line(string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
