using System.Text.Json;

namespace OpenEuroLLM.Inference;

/// <summary>Reads what stands between the marks of calls.</summary>
internal static class AnswerCalls
{
    private const int MostDepth = 64, LongestName = 256;

    /// <summary>The calls, at least one; null when they are malformed.</summary>
    public static IReadOnlyList<AnswerPart.Called>? Read(string body, CallNotation notation)
    {
        if (notation == CallNotation.Python) return PythonCalls.Read(body);
        string? name = null, id = null;
        int mark = notation == CallNotation.NameAndArguments ? body.IndexOf(AnswerFormat.ArgumentsMark, StringComparison.Ordinal) : -1;
        if (mark >= 0)
        {
            name = body[..mark].Trim();
            if (name.IndexOf(AnswerFormat.IdMark, StringComparison.Ordinal) is var at and >= 0) (name, id) = (name[..at].Trim(), name[(at + AnswerFormat.IdMark.Length)..].Trim());
            body = body[(mark + AnswerFormat.ArgumentsMark.Length)..];
        }
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MostDepth });
            if (name is not null) return json.RootElement.ValueKind == JsonValueKind.Object && IsName(name) ? [new AnswerPart.Called(id is "" ? null : id, name, json.RootElement.GetRawText())] : null;
            var calls = new List<AnswerPart.Called>();
            foreach (var item in json.RootElement.ValueKind == JsonValueKind.Array ? [.. json.RootElement.EnumerateArray()] : new[] { json.RootElement })
            {
                var call = notation == CallNotation.JsonByName ? ByName(item) : Of(item);
                if (call is null) return null;
                calls.Add(call);
            }
            return calls.Count > 0 ? calls : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)     // malformed, or half a surrogate pair
        {
            return null;
        }
    }

    public static bool IsName(string? name) => name is { Length: > 0 and <= LongestName };

    private static AnswerPart.Called? ByName(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object || item.EnumerateObject().ToArray() is not [var only]) return null;
        return only.Value.ValueKind == JsonValueKind.Object && IsName(only.Name) ? new AnswerPart.Called(null, only.Name, only.Value.GetRawText()) : null;
    }

    private static AnswerPart.Called? Of(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return null;
        string? id = item.TryGetProperty("id", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        if (item.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object) item = function;
        if (!item.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String || !IsName(name.GetString())) return null;
        if (!item.TryGetProperty("arguments", out var arguments) && !item.TryGetProperty("parameters", out arguments)) return null;
        string? text = arguments.ValueKind switch
        {
            JsonValueKind.Object => arguments.GetRawText(),
            JsonValueKind.Null => "{}",
            JsonValueKind.String => ObjectText(arguments.GetString()!),
            _ => null,
        };
        return text is null ? null : new AnswerPart.Called(id is "" ? null : id, name.GetString()!, text);
    }

    // Arguments that were written as JSON inside of JSON.
    private static string? ObjectText(string text)
    {
        using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MostDepth });
        return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.GetRawText() : null;
    }
}
