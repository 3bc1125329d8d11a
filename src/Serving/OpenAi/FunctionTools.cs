using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The tools of a request in OpenAI's dialects.</summary>
/// <param name="All">Every tool.</param>
/// <param name="Shown">Those that the model sees; null for none.</param>
/// <param name="Use">How they are used; null for as the model likes.</param>
internal sealed record FunctionTools(IReadOnlyList<ToolDefinition> All, IReadOnlyList<ToolDefinition>? Shown, ToolUse? Use)
{
    private static readonly FieldTable NestingFields = new FieldTable().Read("type", "function");
    private static readonly FieldTable NestedFields = new FieldTable().Read("name", "description", "parameters", "strict");
    private static readonly FieldTable FlatFields = new FieldTable().Read("type", "name", "description", "parameters", "strict")
        .Unsupported(IsFalse, "defer_loading").Unsupported(IsEmpty, "allowed_callers").Unsupported(_ => false, "output_schema");

    /// <summary>Reads <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>.</summary>
    /// <param name="body">The request.</param>
    /// <param name="nested">Whether what a tool says lies in a <c>function</c> of its own, as in chat completions, or beside its type, as in Responses.</param>
    /// <param name="model">The model.</param>
    /// <param name="ignored">Receives fields without effect.</param>
    public static FunctionTools Read(JsonElement body, bool nested, ModelInfo model, ICollection<string> ignored)
    {
        var (shown, use) = AnswerForms.ReadToolChoice(body, ignored);
        var tools = new List<ToolDefinition>();
        if (List(body, "tools") is JsonElement list)
        {
            foreach (JsonElement item in list.EnumerateArray()) tools.Add(ReadTool(item, FormattableString.Invariant($"tools[{tools.Count}]"), nested, ignored));
        }
        Tools.RequireDifferentNames(tools, "tools");
        if (!shown || tools.Count == 0) return new FunctionTools(tools, null, use);
        return model.SupportsTools ? new FunctionTools(tools, tools, use) : throw NoTools("tools");
    }

    private static ToolDefinition ReadTool(JsonElement item, string where, bool nested, ICollection<string> ignored)
    {
        RequireObject(item, where);
        where += ".";
        string type = RequiredText(item, "type", where);
        if (type != "function") throw ApiException.Unsupported(where + "type", $"'{where}type' is '{RequestBody.Shown(type)}'; this server takes 'function' only.");
        (nested ? NestingFields : FlatFields).Check(item, where, ignored);
        if (nested)
        {
            item = Object(item, "function", where) ?? throw ApiException.Invalid(where + "function", $"'{where}function' is missing.");
            where += "function.";
            NestedFields.Check(item, where, ignored);
        }
        return Tools.Read(item, where, Object(item, "parameters", where));
    }
}
