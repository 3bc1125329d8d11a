using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Cli;

/// <summary>The form of <c>--json</c>: one compact object on one line, letters unescaped.</summary>
internal static class JsonLine
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object with the fields that <paramref name="fields"/> writes.</summary>
    public static string Of(Action<Utf8JsonWriter> fields) => OfValue(writer =>
    {
        writer.WriteStartObject();
        fields(writer);
        writer.WriteEndObject();
    });

    /// <summary>Writes what was measured, to six significant digits: a number of decimals would make nothing of what is slow.</summary>
    public static void WriteFigure(this Utf8JsonWriter writer, string name, double figure) => writer.WriteNumber(name, double.Parse(figure.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    /// <summary>The value that <paramref name="value"/> writes.</summary>
    public static string OfValue(Action<Utf8JsonWriter> value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, _options)) value(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
