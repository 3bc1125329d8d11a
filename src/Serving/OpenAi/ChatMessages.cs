using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>Reads the messages of a conversation.</summary>
internal static class ChatMessages
{
    private const string Roles = "system, developer, user, assistant or tool";

    // Clients send an answer back as they got it: its empty parts are allowed.
    private static readonly FieldTable Fields = new FieldTable()
        .Read("role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content", "reasoning")
        .Unsupported(IsEmpty, "annotations")
        .Unsupported(_ => false, "function_call", "refusal", "audio");

    private static readonly FieldTable CallFields = new FieldTable().Read("id", "type", "function").Ignored("index");

    private static readonly FieldTable FunctionFields = new FieldTable().Read("name", "arguments");

    private static readonly TextParts Parts = new("text", new FieldTable().Read("type", "text")
        .Unsupported(_ => false, "image_url", "input_audio", "file", "refusal"));

    public static List<ChatMessage> Read(JsonElement body, ICollection<string> ignored)
    {
        JsonElement list = List(body, "messages") ?? throw ApiException.Invalid("messages", "'messages' must be a list of messages.");
        var messages = new List<ChatMessage>(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
            messages.Add(ReadMessage(item, FormattableString.Invariant($"messages[{messages.Count}]"), ignored));
        return messages;
    }

    private static ChatMessage ReadMessage(JsonElement item, string where, ICollection<string> ignored)
    {
        RequireObject(item, where);
        where += ".";
        Fields.Check(item, where, ignored);
        string role = Text(item, "role", where) ?? throw ApiException.Invalid(where + "role", $"'{where}role' is missing; expected {Roles}.");
        role = role switch
        {
            "system" or "user" or "assistant" or "tool" => role,
            "developer" => "system", // the newer name of the same role
            _ => throw ApiException.Invalid(where + "role", $"'{where}role' is '{RequestBody.Shown(role)}'; expected {Roles}."),
        };
        List<ToolCall>? calls = ReadCalls(item, where, ignored);
        if (calls is not null && role != "assistant") throw ApiException.Invalid(where + "tool_calls", $"'{where}tool_calls' belongs to the role assistant.");
        string? answered = Text(item, "tool_call_id", where);
        if (role == "tool" != answered is not null)
            throw ApiException.Invalid(where + "tool_call_id", role == "tool" ? $"'{where}tool_call_id' is missing." : $"'{where}tool_call_id' belongs to the role tool.");
        string? reasoning = Text(item, "reasoning_content", where) ?? Text(item, "reasoning", where);
        if (reasoning is not null && role != "assistant")
            throw ApiException.Invalid(where + "reasoning_content", $"'{where}reasoning_content' belongs to the role assistant.");
        return new ChatMessage(role, ReadContent(item, where + "content", optional: calls is not null, ignored))
        {
            ToolCalls = calls,
            ToolCallId = answered,
            Name = Text(item, "name", where),
            Reasoning = reasoning,
        };
    }

    private static List<ToolCall>? ReadCalls(JsonElement item, string where, ICollection<string> ignored)
    {
        if (List(item, "tool_calls", where) is not JsonElement list || list.GetArrayLength() == 0) return null;
        var calls = new List<ToolCall>(list.GetArrayLength());
        foreach (JsonElement call in list.EnumerateArray())
        {
            string name = FormattableString.Invariant($"{where}tool_calls[{calls.Count}]");
            RequireObject(call, name);
            name += ".";
            CallFields.Check(call, name, ignored);
            if (Text(call, "type", name) is { } type && type != "function")
                throw ApiException.Unsupported(name + "type", $"'{name}type' is '{RequestBody.Shown(type)}'; this server knows 'function' only.");
            JsonElement function = Object(call, "function", name) ?? throw ApiException.Invalid(name + "function", $"'{name}function' is missing.");
            FunctionFields.Check(function, name + "function.", ignored);
            calls.Add(new ToolCall(RequiredText(call, "id", name), RequiredText(function, "name", name + "function."),
                Tools.ReadArguments(RequiredText(function, "arguments", name + "function."), name + "function.arguments")));
        }
        return calls;
    }

    private static string ReadContent(JsonElement item, string where, bool optional, ICollection<string> ignored)
    {
        JsonElement? content = Value(item, "content");
        return content is null && optional ? "" : string.Concat(Parts.Read(content, where, ignored));
    }
}
