using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>The one way manifests and result files are written: two spaces, LF, letters unescaped, a line feed at the end.
/// Equal content gives equal bytes.</summary>
public static class CanonicalJson
{
    private static readonly JsonWriterOptions _options =
        new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The bytes of whatever <paramref name="write"/> writes.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, _options)) write(writer);
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The bytes of a value, its keys sorted at every level.</summary>
    public static byte[] Write(JsonNode? value) => Write(writer => WriteSorted(writer, value));

    /// <summary>Writes a value with its keys in ordinal order at every level.</summary>
    public static void WriteSorted(Utf8JsonWriter writer, JsonNode? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case JsonObject item:
                writer.WriteStartObject();
                foreach (var (key, child) in item.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(key);
                    WriteSorted(writer, child);
                }

                writer.WriteEndObject();
                break;
            case JsonArray list:
                writer.WriteStartArray();
                foreach (var child in list) WriteSorted(writer, child);
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
