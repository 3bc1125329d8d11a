using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>The tools of a request.</summary>
/// <param name="All">Every tool, as the response repeats it.</param>
/// <param name="Shown">Those that the model sees; null for none.</param>
/// <param name="Choice">Which may be called, as JSON.</param>
/// <param name="Use">The same for the engine; null for as the model likes.</param>
internal sealed record ResponseTools(IReadOnlyList<ToolDefinition> All, IReadOnlyList<ToolDefinition>? Shown, string Choice, ToolUse? Use = null)
{
    private static readonly FieldTable Fields = new FieldTable().Read("type", "name", "description", "parameters", "strict")
        .Unsupported(IsFalse, "defer_loading").Unsupported(IsEmpty, "allowed_callers").Unsupported(_ => false, "output_schema");

    public static ResponseTools Read(JsonElement body, ModelInfo model, ICollection<string> ignored)
    {
        var (shown, use) = AnswerForms.ReadToolChoice(body, ignored);
        var tools = new List<ToolDefinition>();
        if (List(body, "tools") is JsonElement list)
        {
            foreach (JsonElement item in list.EnumerateArray()) tools.Add(ReadTool(item, FormattableString.Invariant($"tools[{tools.Count}]"), ignored));
        }
        Serving.Tools.RequireDifferentNames(tools, "tools");
        if (shown && tools.Count > 0 && !model.SupportsTools) throw NoTools("tools");
        return new ResponseTools(tools, shown && tools.Count > 0 ? tools : null, Value(body, "tool_choice")?.GetRawText() ?? "\"auto\"", use);
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WritePropertyName("tool_choice");
        json.WriteRawValue(Choice);
        json.WriteStartArray("tools");
        foreach (ToolDefinition tool in All)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            json.WriteRawValue(tool.Parameters ?? "null");
            json.WriteBoolean("strict", tool.Strict);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static ToolDefinition ReadTool(JsonElement item, string where, ICollection<string> ignored)
    {
        RequireObject(item, where);
        where += ".";
        string type = RequiredText(item, "type", where);
        if (type != "function") throw ApiException.Unsupported(where + "type", $"'{where}type' is '{RequestBody.Shown(type)}'; this server takes 'function' only.");
        Fields.Check(item, where, ignored);
        return Serving.Tools.Read(item, where, Object(item, "parameters", where));
    }
}
