using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A pattern as it stands in <c>tokenizer.json</c>.</summary>
internal static class PatternJson
{
    public static void Write(Utf8JsonWriter json, TextPattern pattern)
    {
        json.WriteStartObject("pattern");
        json.WriteString(pattern.Regex is null ? "String" : "Regex", pattern.Source);
        json.WriteEndObject();
    }
}
