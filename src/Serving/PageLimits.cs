using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>The settings that the chat page offers, with the ranges of the one table of limits.</summary>
internal static class PageLimits
{
    // A seed beyond this would lose digits in a browser, whose numbers are doubles.
    private const double LargestWholeDouble = 9_007_199_254_740_991;

    /// <summary>The list of <c>/page/limits.json</c>: field of the request, lowest and highest value (null for none).</summary>
    public static byte[] Write(RequestLimits limits)
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartArray();
            Write(json, "temperature", 0, limits.MaxTemperature);
            Write(json, "top_p", 0, 1, above: true);
            Write(json, "top_k", 0, limits.MaxTopK, whole: true);
            Write(json, "min_p", 0, 1);
            Write(json, "repetition_penalty", limits.MinRepetitionPenalty, limits.MaxRepetitionPenalty);
            Write(json, "presence_penalty", -limits.MaxPenalty, limits.MaxPenalty);
            Write(json, "frequency_penalty", -limits.MaxPenalty, limits.MaxPenalty);
            Write(json, "seed", 0, LargestWholeDouble, whole: true);
            Write(json, "max_completion_tokens", 1, null, whole: true);
            Write(json, "stop", 0, limits.MaxStops);
            json.WriteEndArray();
        }
        return content.ToArray();
    }

    /// <param name="above">Whether the lowest value itself is outside.</param>
    private static void Write(Utf8JsonWriter json, string field, double from, double? to, bool whole = false, bool above = false)
    {
        json.WriteStartObject();
        json.WriteString("field", field);
        json.WriteNumber("from", from);
        if (to is double end) json.WriteNumber("to", end);
        else json.WriteNull("to");
        json.WriteBoolean("whole", whole);
        json.WriteBoolean("above", above);
        json.WriteEndObject();
    }
}
