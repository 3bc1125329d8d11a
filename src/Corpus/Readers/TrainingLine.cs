using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Reads the kinds of lines that training texts come in: documents of our own; <c>{"text", ...}</c> without what says where it is from; chats as <c>messages</c> or the
/// older <c>conversations</c>; preferences as <c>prompt</c>, <c>chosen</c>, <c>rejected</c>. A chat's text is its turns with empty lines between, and its metadata has the turns;
/// of a preference the chosen answer is the text, and the rejected one stands in the metadata.</summary>
internal static class TrainingLine
{
    private static readonly string[] Own = ["id", "text", "lang", "source", "license", "url", "date", "metadata"];
    private static readonly string[] Chats = ["messages", "conversations", "prompt", "chosen", "rejected", "tools"];

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line as UTF-8.</param>
    /// <param name="where">File and line, for errors.</param>
    /// <param name="file">Says the language where the line does not.</param>
    /// <param name="config">Says the language where the file does not, and the licence.</param>
    /// <exception cref="UserErrorException">It is none of these; the message names the place and the field.</exception>
    public static Document Parse(ReadOnlySpan<byte> line, string where, SourceFile file, CorpusConfig config)
    {
        List<string> fields = Fields(line);
        Document document = Array.TrueForAll(["id", "text", "lang", "source", "license"], fields.Contains) || !fields.Exists(field => field == "text" || Chats.Contains(field))
            ? Document.Parse(line, where)
            : Foreign(line, where, file, config);
        ChatMessages.Check(document, where);
        return document;
    }

    /// <summary>The names of the object's fields; none where the line is no object.</summary>
    private static List<string> Fields(ReadOnlySpan<byte> line)
    {
        var fields = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return fields;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                fields.Add(reader.GetString()!);
                reader.Read();
                reader.Skip();
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            fields.Clear();   // the reader of documents says what is wrong
        }
        return fields;
    }

    private static Document Foreign(ReadOnlySpan<byte> line, string where, SourceFile file, CorpusConfig config)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(line, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject ?? throw Refuse(where, "the line is not a JSON object");
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{where}: the line is not valid ({error.Message.TrimEnd('.')}); mend or remove the line.", error);
        }
        try
        {
            JsonObject metadata = root["metadata"] is JsonObject given ? given.DeepClone().AsObject() : [];
            string text;
            if (Turns(root, where) is { } turns)
            {
                text = string.Join("\n\n", turns.Select(turn => turn.Content));
                metadata["messages"] = new JsonArray([.. turns.Select(turn => (JsonNode)new JsonObject { ["role"] = turn.Role, ["content"] = turn.Content })]);
                if (root["rejected"] is { } rejected) metadata["rejected"] = Last(rejected, where);
            }
            else text = Text(root, "text", where) ?? throw Refuse(where, "field 'text' is missing");
            foreach ((string name, JsonNode? value) in root)
                if (!Own.Contains(name) && !Chats.Contains(name) && value is JsonValue) metadata[name] = value.DeepClone();
            string language = Text(root, "lang", where) ?? Text(root, "language", where) ?? file.Language ?? (config.Languages is [var only] ? only
                : throw Refuse(where, "the language of the text is unknown; expected a field 'lang', a folder or the beginning of the file's name to say it (cs/chats.jsonl), or one language in corpus.languages", end: "."));
            return new Document(
                Text(root, "id", where) ?? $"{file.RecordedAs}{where[file.Path.Length..]}", text, language, Text(root, "source", where) ?? file.RecordedAs.Split('/')[^1].Split('.')[0],
                Text(root, "license", where) ?? config.TextLicense, Text(root, "url", where), Text(root, "date", where), metadata.Count > 0 ? metadata : null);
        }
        catch (InvalidOperationException error)   // half of a surrogate pair
        {
            throw Refuse(where, "a text is not valid Unicode", error);
        }
    }

    private static List<(string Role, string Content)>? Turns(JsonObject root, string where)
    {
        if ((root["messages"] ?? root["conversations"]) is { } list) return List(list, where);
        if (root["chosen"] is not { } chosen) return null;
        List<(string Role, string Content)> turns = root["prompt"] switch
        {
            null => [],
            JsonArray prompt => List(prompt, where),
            JsonValue prompt when prompt.TryGetValue(out string? words) => [("user", words)],
            _ => throw Refuse(where, "field 'prompt' is neither a text nor a list of messages"),
        };
        if (chosen is JsonArray answers)
        {
            List<(string Role, string Content)> all = List(answers, where);
            return all.Count > turns.Count && all.Take(turns.Count).SequenceEqual(turns) ? all : [.. turns, .. all];
        }
        return [.. turns, ("assistant", Last(chosen, where))];
    }

    /// <summary>The text of an answer, which may be given as messages.</summary>
    private static string Last(JsonNode answer, string where) => answer switch
    {
        JsonArray { Count: > 0 } list => List(list, where)[^1].Content,
        JsonValue value when value.TryGetValue(out string? text) => text,
        _ => throw Refuse(where, "an answer is neither a text nor a list of messages"),
    };

    private static List<(string Role, string Content)> List(JsonNode list, string where)
    {
        if (list is not JsonArray { Count: > 0 } turns) throw Refuse(where, "the messages are not a list");
        return [.. turns.Select(turn =>
        {
            if (turn is not JsonObject message) throw Refuse(where, "a message is not an object");
            string role = Text(message, "role", where) ?? Text(message, "from", where) ?? throw Refuse(where, "a message has no 'role'");
            string content = Text(message, "content", where) ?? Text(message, "value", where) ?? throw Refuse(where, "a message has no 'content'");
            return (role switch { "human" => "user", "gpt" or "model" or "bot" => "assistant", _ => role }, content);
        })];
    }

    private static string? Text(JsonObject root, string name, string where) => root[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        JsonValue value when name == "id" && value.GetValueKind() == JsonValueKind.Number => value.ToJsonString(),
        _ => throw Refuse(where, $"field '{name}' is not a string"),
    };

    private static UserErrorException Refuse(string where, string what, Exception? cause = null, string end = "; mend or remove the line.") => new($"{where}: {what}{end}", cause);
}
