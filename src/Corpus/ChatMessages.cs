using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>The turns of a chat document, which stand in its metadata: <c>messages: [{role, content}]</c>.</summary>
internal static class ChatMessages
{
    private static readonly string[] Roles = ["system", "user", "assistant"];

    /// <summary>The turns, or null when the document is plain text.</summary>
    /// <exception cref="FormatException">The messages are not of that form.</exception>
    public static IReadOnlyList<(string Role, string Content)>? Of(JsonObject? metadata)
    {
        if (metadata is null || !metadata.TryGetPropertyValue("messages", out JsonNode? node)) return null;
        if (node is not JsonArray { Count: > 0 } list) throw Malformed();
        return [.. list.Select(Turn)];
    }

    /// <summary>Whether the document's chat, if it is one, can be read; the message says what is wrong.</summary>
    public static void Check(Document document, string where)
    {
        try
        {
            _ = Of(document.Metadata);
        }
        catch (FormatException error)
        {
            throw new UserErrorException($"{where}: {error.Message}", error);
        }
    }

    private static (string Role, string Content) Turn(JsonNode? turn)
    {
        if (turn is not JsonObject message || Text(message, "role") is not { } role || Text(message, "content") is not { } content) throw Malformed();
        if (!Roles.Contains(role))
            throw new FormatException($"metadata.messages has the role '{role}'; expected {string.Join(", ", Roles)}.");
        return (role, content);
    }

    private static string? Text(JsonObject message, string key) =>
        message[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static FormatException Malformed() =>
        new("metadata.messages is not a list of {\"role\", \"content\"}; mend the line or rename the field.");
}
