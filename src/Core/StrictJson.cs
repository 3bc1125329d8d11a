using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>Reading JSON without tolerance for what a later reader might see differently.</summary>
internal static class StrictJson
{
    /// <summary>An object whose keys are unique at every level.</summary>
    /// <exception cref="JsonException">Malformed, or a key appears twice.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json, JsonCommentHandling comments = JsonCommentHandling.Disallow, bool trailingCommas = false)
    {
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        var options = new JsonDocumentOptions { AllowDuplicateProperties = false, CommentHandling = comments, AllowTrailingCommas = trailingCommas };
        return JsonNode.Parse(json, nodeOptions: null, options) as JsonObject ?? throw new JsonException("the content is not an object");
    }
}
