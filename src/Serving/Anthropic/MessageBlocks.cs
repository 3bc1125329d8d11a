using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.Anthropic;

/// <summary>Reads messages made of blocks. One message here may become several there: each result of a tool is a turn of its own.</summary>
internal static class MessageBlocks
{
    private static readonly FieldTable MessageFields = new FieldTable().Read("role", "content");
    private static readonly FieldTable TextFields = new FieldTable().Read("type", "text").Ignored("cache_control").Unsupported(IsEmpty, "citations");
    private static readonly FieldTable ThinkingFields = new FieldTable().Read("type", "thinking").Ignored("signature");
    private static readonly FieldTable CallFields = new FieldTable().Read("type", "id", "name", "input").Ignored("cache_control", "caller");
    private static readonly FieldTable ResultFields = new FieldTable().Read("type", "tool_use_id", "content").Ignored("cache_control", "is_error");

    public static List<ChatMessage> Read(JsonElement body, ICollection<string> ignored)
    {
        var messages = new List<ChatMessage>();
        if (Value(body, "system") is JsonElement system) messages.Add(new ChatMessage("system", ReadTexts(system, "system", ignored)));
        JsonElement list = List(body, "messages") ?? throw ApiException.Invalid("messages", "'messages' must be a list of messages.");
        if (list.GetArrayLength() == 0) throw ApiException.Invalid("messages", "'messages' is empty; expected at least one.");
        int index = 0;
        foreach (JsonElement item in list.EnumerateArray()) ReadMessage(item, FormattableString.Invariant($"messages[{index++}]"), messages, ignored);
        if (messages[^1].Role == "assistant")
            throw ApiException.Unsupported("messages", "'messages' ends with a message of the assistant: beginning its answer for it is not available; end with one of the user.");
        return messages;
    }

    private static void ReadMessage(JsonElement item, string where, List<ChatMessage> messages, ICollection<string> ignored)
    {
        RequireObject(item, where);
        where += ".";
        MessageFields.Check(item, where, ignored);
        string role = RequiredText(item, "role", where);
        if (role is not ("user" or "assistant"))
            throw ApiException.Invalid(where + "role", $"'{where}role' is '{RequestBody.Shown(role)}'; expected user or assistant.");
        where += "content";
        JsonElement content = Value(item, "content") ?? throw ApiException.Invalid(where, $"'{where}' is missing; expected a text or a list of blocks.");
        if (content.ValueKind == JsonValueKind.String)
        {
            messages.Add(new ChatMessage(role, content.GetString()!));
            return;
        }
        if (content.ValueKind != JsonValueKind.Array || content.GetArrayLength() == 0)
            throw ApiException.Invalid(where, $"'{where}' must be a text or a list of blocks, not empty.");
        StringBuilder text = new(), thinking = new();
        var calls = new List<ToolCall>();
        bool results = false, texts = false;
        int index = 0;
        foreach (JsonElement block in content.EnumerateArray())
        {
            string name = FormattableString.Invariant($"{where}[{index++}]");
            RequireObject(block, name);
            name += ".";
            switch (role, RequiredText(block, "type", name))
            {
                case (_, "text"):
                    TextFields.Check(block, name, ignored);
                    text.Append(RequiredText(block, "text", name));
                    texts = true;
                    break;
                case ("assistant", "thinking"):
                    ThinkingFields.Check(block, name, ignored);
                    thinking.Append(RequiredText(block, "thinking", name));
                    break;
                case ("assistant", "tool_use"):
                    CallFields.Check(block, name, ignored);
                    JsonElement input = Object(block, "input", name) ?? throw ApiException.Invalid(name + "input", $"'{name}input' is missing.");
                    calls.Add(new ToolCall(RequiredText(block, "id", name), RequiredText(block, "name", name), Tools.TextOf(input)));
                    break;
                case ("user", "tool_result"):
                    if (texts) throw ApiException.Invalid(name + "type", $"'{name}type': results of tools come before texts in a message.");
                    ResultFields.Check(block, name, ignored);
                    string result = Value(block, "content") is JsonElement value ? ReadTexts(value, name + "content", ignored) : "";
                    messages.Add(new ChatMessage("tool", result) { ToolCallId = RequiredText(block, "tool_use_id", name) });
                    results = true;
                    break;
                case (_, string other):
                    throw ApiException.Unsupported(name + "type", $"'{name}type' is '{RequestBody.Shown(other)}'; a message of the role {role} takes "
                        + (role == "user" ? "text and tool_result" : "text, thinking and tool_use") + " here.");
            }
        }
        if (results && !texts) return;
        messages.Add(new ChatMessage(role, text.ToString())
        {
            ToolCalls = calls.Count > 0 ? calls : null,
            Reasoning = thinking.Length > 0 ? thinking.ToString() : null,
        });
    }

    /// <summary>A text, or a list of text blocks.</summary>
    private static string ReadTexts(JsonElement value, string where, ICollection<string> ignored)
    {
        if (value.ValueKind == JsonValueKind.String) return value.GetString()!;
        if (value.ValueKind != JsonValueKind.Array) throw ApiException.Invalid(where, $"'{where}' must be a text or a list of text blocks.");
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement block in value.EnumerateArray())
        {
            string name = FormattableString.Invariant($"{where}[{index++}]");
            RequireObject(block, name);
            string type = RequiredText(block, "type", name + ".");
            if (type != "text") throw ApiException.Unsupported(name + ".type", $"'{name}.type' is '{RequestBody.Shown(type)}'; this server takes 'text' only.");
            TextFields.Check(block, name + ".", ignored);
            text.Append(RequiredText(block, "text", name + "."));
        }
        return text.ToString();
    }
}
