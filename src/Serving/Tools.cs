using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>Tools and calls, which look alike in all dialects.</summary>
internal static class Tools
{
    private const int LongestName = 64;

    /// <summary>A tool's name and description, with the schema of its parameters and whether calls must keep it.</summary>
    public static ToolDefinition Read(JsonElement tool, string where, JsonElement? parameters) =>
        new(ReadName(tool, where), RequestFields.Text(tool, "description", where), parameters is JsonElement schema ? TextOf(schema) : null, RequestFields.Flag(tool, "strict", where) ?? false);

    /// <summary>A value of the request as the model shall read it: letters of all languages as themselves, however the client wrote them, and no blanks.</summary>
    public static string TextOf(JsonElement value)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, JsonBody.Form)) value.WriteTo(json);
        return Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    /// <summary>The name of a tool: letters, digits, _ and -, at most 64.</summary>
    public static string ReadName(JsonElement owner, string where)
    {
        string name = RequestFields.RequiredText(owner, "name", where);
        if (name.Length is 0 or > LongestName || name.Any(letter => !(char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.')))
            throw ApiException.Invalid(where + "name", $"'{where}name' is '{RequestBody.Shown(name)}'; expected 1 to 64 letters (a-z, A-Z), digits, '_', '-' or '.'.");
        return name;
    }

    public static void RequireDifferentNames(IReadOnlyList<ToolDefinition> tools, string field)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolDefinition tool in tools)
            if (!names.Add(tool.Name)) throw ApiException.Invalid(field, $"'{field}' has two tools with the name '{tool.Name}'.");
    }

    /// <summary>Arguments that come as the text of a JSON object.</summary>
    public static string ReadArguments(string text, string where)
    {
        try
        {
            // Parse needs bytes that nobody changes; half a surrogate pair cannot be in a text that came out of JSON.
            using JsonDocument document = RequestBody.Parse(Encoding.UTF8.GetBytes(text));
            if (document.RootElement.ValueKind == JsonValueKind.Object) return text;
        }
        catch (ApiException problem)
        {
            throw ApiException.Invalid(where, $"'{where}' is not the text of a JSON object: {problem.Error.Message}");
        }
        throw ApiException.Invalid(where, $"'{where}' must be the text of a JSON object.");
    }
}
