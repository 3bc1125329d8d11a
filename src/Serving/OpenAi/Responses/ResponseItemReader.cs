using System.Text.Json;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>Reads items: those of a request, and those that were kept.</summary>
internal static class ResponseItemReader
{
    private const string Types = "message, function_call, function_call_output, reasoning or item_reference";
    private const int LongestId = 128;

    // Clients send items back as they got them: what only tells how far an item has come is taken and asks for nothing.
    private static readonly FieldTable MessageFields = new FieldTable().Read("type", "role", "content", "id", "status").Ignored("phase");

    private static readonly FieldTable CallFields = new FieldTable().Read("type", "call_id", "name", "arguments", "id", "status")
        .Unsupported(_ => false, "namespace", "caller");

    private static readonly FieldTable OutputFields = new FieldTable().Read("type", "call_id", "output", "id", "status").Unsupported(_ => false, "caller");

    // Nothing is encrypted here, so there is nothing that could be decrypted.
    private static readonly FieldTable ReasoningFields = new FieldTable().Read("type", "summary", "content", "id", "status").Ignored("encrypted_content");

    private static readonly FieldTable ReferenceFields = new FieldTable().Read("type", "id");

    private static readonly TextParts InputParts = new("input_text", new FieldTable().Read("type", "text").Ignored("prompt_cache_breakpoint"));

    private static readonly TextParts OutputParts = new("output_text", new FieldTable().Read("type", "text", "logprobs").Unsupported(IsEmpty, "annotations"));

    private static readonly TextParts ThoughtParts = new("reasoning_text", new FieldTable().Read("type", "text"));

    private static readonly TextParts SummaryParts = new("summary_text", new FieldTable().Read("type", "text"));

    /// <summary>The items of a list; those without a name get one.</summary>
    /// <exception cref="ApiException">An item is malformed, or of a kind that this server does not have.</exception>
    public static List<ResponseItem> Read(JsonElement list, string where, ResponseId response, ICollection<string> ignored)
    {
        var items = new List<ResponseItem>(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
            items.Add(Read(item, FormattableString.Invariant($"{where}[{items.Count}]"), kind => response.OfInput(kind, items.Count), ignored));
        return items;
    }

    private static ResponseItem Read(JsonElement item, string where, Func<string, string> nameOf, ICollection<string> ignored)
    {
        RequireObject(item, where);
        where += ".";
        string? type = Text(item, "type", where);
        // The short form of a message has no type, and neither has that of a reference.
        switch (type ?? (Value(item, "role") is not null ? "message" : Value(item, "id") is not null ? "item_reference" : null))
        {
            case "message":
                MessageFields.Check(item, where, ignored);
                return ReadMessage(item, where, IdOf(item, where) ?? nameOf(ResponseItem.Message.Kind), ignored);
            case "function_call":
                CallFields.Check(item, where, ignored);
                return new ResponseItem.FunctionCall(IdOf(item, where) ?? nameOf(ResponseItem.FunctionCall.Kind), StatusOf(item, where), RequiredId(item, "call_id", where),
                    Tools.ReadName(item, where), Tools.ReadArguments(RequiredText(item, "arguments", where), where + "arguments"));
            case "function_call_output":
                OutputFields.Check(item, where, ignored);
                return new ResponseItem.FunctionOutput(IdOf(item, where) ?? nameOf(ResponseItem.FunctionOutput.Kind), StatusOf(item, where), RequiredId(item, "call_id", where),
                    string.Concat(InputParts.Read(Value(item, "output"), where + "output", ignored)));
            case "reasoning":
                ReasoningFields.Check(item, where, ignored);
                return new ResponseItem.Reasoning(IdOf(item, where) ?? nameOf(ResponseItem.Reasoning.Kind), StatusOf(item, where), ReadThought(item, where, ignored));
            case "item_reference":
                ReferenceFields.Check(item, where, ignored);
                return new ResponseItem.Reference(RequiredId(item, "id", where), where[..^1]);
            case null:
                throw ApiException.Invalid(where + "type", $"'{where}type' is missing; expected {Types}.");
            case "computer_call" or "computer_call_output" or "file_search_call" or "web_search_call" or "image_generation_call" or "code_interpreter_call"
                or "local_shell_call" or "local_shell_call_output" or "shell_call" or "shell_call_output" or "apply_patch_call" or "apply_patch_call_output"
                or "mcp_call" or "mcp_list_tools" or "mcp_approval_request" or "mcp_approval_response" or "custom_tool_call" or "custom_tool_call_output"
                or "compaction" or "tool_search_call" or "tool_search_output" or "additional_tools":
                throw ApiException.Unsupported(where + "type", $"'{where}type' is '{type}', which this server does not have; expected {Types}.");
            default:
                throw ApiException.Invalid(where + "type", $"'{where}type' is '{RequestBody.Shown(type!)}'; expected {Types}.");
        }
    }

    private static ResponseItem.Message ReadMessage(JsonElement item, string where, string id, ICollection<string> ignored)
    {
        string role = RequiredText(item, "role", where) switch
        {
            "system" or "developer" => "system", // the newer name of the same role
            "user" => "user",
            "assistant" => "assistant",
            string other => throw ApiException.Invalid(where + "role", $"'{where}role' is '{RequestBody.Shown(other)}'; expected system, developer, user or assistant."),
        };
        TextParts parts = role == "assistant" ? OutputParts : InputParts;
        return new ResponseItem.Message(id, StatusOf(item, where), role, parts.Read(Value(item, "content"), where + "content", ignored));
    }

    /// <summary>What was thought; where only a summary is left, the summary.</summary>
    private static string ReadThought(JsonElement item, string where, ICollection<string> ignored)
    {
        string whole = ReadList(item, "content", ThoughtParts, where, ignored), summary = ReadList(item, "summary", SummaryParts, where, ignored);
        return whole.Length > 0 ? whole : summary;
    }

    private static string ReadList(JsonElement item, string name, TextParts parts, string where, ICollection<string> ignored) =>
        List(item, name, where) is JsonElement list ? string.Concat(parts.Read(list, where + name, ignored)) : "";

    private static string? IdOf(JsonElement item, string where) => Value(item, "id") is null ? null : RequiredId(item, "id", where);

    private static string RequiredId(JsonElement item, string name, string where)
    {
        string id = RequiredText(item, name, where);
        return id.Length is > 0 and <= LongestId ? id
            : throw ApiException.Invalid(where + name, FormattableString.Invariant($"'{where}{name}' has {id.Length} characters; expected 1 to {LongestId}."));
    }

    private static string StatusOf(JsonElement item, string where)
    {
        string status = Text(item, "status", where) ?? ResponseItem.Completed;
        return ResponseItem.Statuses.Contains(status, StringComparer.Ordinal) ? status
            : throw ApiException.Invalid(where + "status", $"'{where}status' is '{RequestBody.Shown(status)}'; expected {string.Join(", ", ResponseItem.Statuses)}.");
    }
}
