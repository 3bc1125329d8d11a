using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>Reading JSON without tolerance for what a later reader might see differently.</summary>
public static class StrictJson
{
    /// <summary>An object whose keys are unique at every level.</summary>
    /// <param name="json">UTF-8, with or without a byte-order mark.</param>
    /// <param name="comments">Whether comments may stand in it.</param>
    /// <param name="trailingCommas">Whether a comma may stand after the last item.</param>
    /// <exception cref="JsonException">Malformed, a key appears twice, or text is not valid Unicode.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json, JsonCommentHandling comments = JsonCommentHandling.Disallow, bool trailingCommas = false)
    {
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        var options = new JsonDocumentOptions { AllowDuplicateProperties = false, CommentHandling = comments, AllowTrailingCommas = trailingCommas };
        try
        {
            var root = JsonNode.Parse(json, nodeOptions: null, options) as JsonObject ?? throw new JsonException("the content is not an object");
            Visit(root);
            return root;
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("text in it is not valid Unicode", exception);
        }
    }

    // Text is decoded only when it is asked for; what is broken must show here, not at some later reader.
    private static void Visit(JsonNode? node)
    {
        if (node is JsonObject item) foreach (var (_, child) in item) Visit(child);
        else if (node is JsonArray list) foreach (var child in list) Visit(child);
        else if (node is JsonValue value && value.GetValueKind() == JsonValueKind.String) _ = value.GetValue<string>();
    }
}
