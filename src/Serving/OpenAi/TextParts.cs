using System.Text.Json;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>A content that is a text or a list of parts with text; the dialects differ in what a part is called.</summary>
/// <param name="type">The type that every part has.</param>
/// <param name="fields">What a part may hold.</param>
internal sealed class TextParts(string type, FieldTable fields)
{
    /// <summary>The texts, at least one for a content that is a text.</summary>
    /// <exception cref="ApiException">The content is missing, or a part is something else than text.</exception>
    public List<string> Read(JsonElement? content, string where, ICollection<string> ignored)
    {
        if (content is not JsonElement given) throw ApiException.Invalid(where, $"'{where}' is missing; expected a text.");
        if (given.ValueKind == JsonValueKind.String) return [given.GetString()!];
        if (given.ValueKind != JsonValueKind.Array) throw ApiException.Invalid(where, $"'{where}' must be a text or a list of parts.");
        var texts = new List<string>(given.GetArrayLength());
        foreach (JsonElement part in given.EnumerateArray())
        {
            string name = FormattableString.Invariant($"{where}[{texts.Count}]");
            RequireObject(part, name);
            name += ".";
            string? found = Text(part, "type", name);
            if (found != type)
                throw ApiException.Unsupported(name + "type", $"'{name}type' is '{RequestBody.Shown(found ?? "null")}'; this version takes parts of type '{type}' only.");
            fields.Check(part, name, ignored);
            texts.Add(RequiredText(part, "text", name));
        }
        return texts;
    }
}
