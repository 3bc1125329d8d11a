using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.Anthropic;

/// <summary>A body of <c>POST /v1/messages</c>, translated.</summary>
/// <param name="Generation">The one internal request.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="Ignored">Fields without effect here.</param>
internal sealed record MessagesRequest(GenerationRequest Generation, bool Stream, IReadOnlyCollection<string> Ignored)
{
    public static readonly FieldNames Names = new(new Dictionary<string, string> { ["prompt"] = "messages", ["stop"] = "stop_sequences", ["grammar"] = "output_config.format" });

    private static readonly string[] Conversation = ["model", "messages", "system", "tools", "tool_choice", "thinking"];

    /// <summary>The fields of a body that wants an answer.</summary>
    public static readonly FieldTable Fields = new FieldTable().Read(Conversation)
        .Read("max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "output_config", "output_format")
        .Ignored("metadata", "service_tier", "cache_control", "inference_geo")
        .Unsupported(IsEmpty, "mcp_servers", "context_management")
        .Unsupported(_ => false, "container");

    /// <summary>The fields of a body whose tokens are counted only.</summary>
    public static readonly FieldTable CountFields = new FieldTable().Read(Conversation)
        .Ignored("cache_control", "output_config", "output_format")
        .Unsupported(IsEmpty, "mcp_servers", "context_management");

    private static readonly FieldTable OutputFields = new FieldTable().Read("format").Ignored("effort");

    private static readonly FieldTable ToolFields = new FieldTable().Read("type", "name", "description", "input_schema", "strict")
        .Ignored("cache_control", "input_examples", "eager_input_streaming").Unsupported(IsFalse, "defer_loading").Unsupported(_ => false, "allowed_callers");

    private static readonly FieldTable ChoiceFields = new FieldTable().Read("type", "name", "disable_parallel_tool_use");

    private static readonly FieldTable ThinkingFields = new FieldTable().Read("type").Ignored("budget_tokens", "display");

    /// <summary>Translates a body that wants an answer.</summary>
    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static MessagesRequest Read(JsonElement body, ModelInfo model)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        Fields.Check(body, "", ignored);
        GenerationInput.Messages conversation = ReadConversation(body, model, ignored);
        Sampling usual = model.DefaultSampling;
        var generation = new GenerationRequest(
            conversation,
            usual with
            {
                Temperature = Number(body, "temperature") ?? usual.Temperature,
                TopP = Number(body, "top_p") ?? usual.TopP,
                TopK = Integer(body, "top_k") ?? usual.TopK,
            },
            Integer(body, "max_tokens") ?? throw ApiException.Invalid("max_tokens", "'max_tokens' is missing; this dialect needs it."),
            Texts(body, "stop_sequences"),
            Grammar: ReadFormat(body, ignored),
            ToolUse: ReadChoice(body, ignored).Use);
        return new MessagesRequest(generation, Flag(body, "stream") ?? false, ignored);
    }

    /// <summary>Translates a body whose tokens are counted only.</summary>
    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static (GenerationInput.Messages Conversation, IReadOnlyCollection<string> Ignored) ReadForCount(JsonElement body, ModelInfo model)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        CountFields.Check(body, "", ignored);
        return (ReadConversation(body, model, ignored), ignored);
    }

    private static GenerationInput.Messages ReadConversation(JsonElement body, ModelInfo model, ICollection<string> ignored)
    {
        return new GenerationInput.Messages(MessageBlocks.Read(body, ignored), ReadTools(body, model, ignored), ReadThinking(body, model, ignored));
    }

    private static List<ToolDefinition>? ReadTools(JsonElement body, ModelInfo model, ICollection<string> ignored)
    {
        bool shown = ReadChoice(body, ignored).Shown;
        if (List(body, "tools") is not JsonElement list || list.GetArrayLength() == 0) return null;
        var tools = new List<ToolDefinition>(list.GetArrayLength());
        foreach (JsonElement tool in list.EnumerateArray())
        {
            string where = FormattableString.Invariant($"tools[{tools.Count}]");
            RequireObject(tool, where);
            where += ".";
            if (Text(tool, "type", where) is { } type && type != "custom")
                throw ApiException.Unsupported(where + "type", $"'{where}type' is '{RequestBody.Shown(type)}'; this server takes 'custom' only.");
            ToolFields.Check(tool, where, ignored);
            JsonElement schema = Object(tool, "input_schema", where) ?? throw ApiException.Invalid(where + "input_schema", $"'{where}input_schema' is missing.");
            tools.Add(Tools.Read(tool, where, schema));
        }
        Tools.RequireDifferentNames(tools, "tools");
        if (!shown) return null;
        return model.SupportsTools ? tools : throw NoTools("tools");
    }

    private static (bool Shown, ToolUse? Use) ReadChoice(JsonElement body, ICollection<string> ignored)
    {
        const string where = "tool_choice.";
        if (Object(body, "tool_choice") is not JsonElement choice) return (true, null);
        ChoiceFields.Check(choice, where, ignored);
        bool several = !(Flag(choice, "disable_parallel_tool_use", where) ?? false);
        return RequiredText(choice, "type", where) switch
        {
            "auto" => (true, several ? null : new ToolUse(Several: false)),
            "none" => (false, null),
            "any" => (true, new ToolUse(Required: true, Several: several)),
            "tool" => (true, new ToolUse(true, [RequiredText(choice, "name", where)], several)),
            string other => throw ApiException.Invalid(where + "type", $"'{where}type' is '{RequestBody.Shown(other)}'; expected auto, any, tool or none."),
        };
    }

    // The older field says the same as the newer one.
    private static Grammar? ReadFormat(JsonElement body, ICollection<string> ignored)
    {
        Grammar? older = AnswerForms.ReadFlat(body, "output_format", "", ignored);
        if (Object(body, "output_config") is not JsonElement config) return older;
        OutputFields.Check(config, "output_config.", ignored);
        Grammar? newer = AnswerForms.ReadFlat(config, "format", "output_config.", ignored);
        if (older is not null && newer is not null) throw ApiException.Invalid("output_format", "'output_format' and 'output_config.format' mean the same; send one of them.");
        return newer ?? older;
    }

    private static string? ReadThinking(JsonElement body, ModelInfo model, ICollection<string> ignored)
    {
        if (Object(body, "thinking") is not JsonElement thinking) return null;
        ThinkingFields.Check(thinking, "thinking.", ignored);
        bool wanted = RequiredText(thinking, "type", "thinking.") switch
        {
            "enabled" or "adaptive" => true,
            "disabled" => false,
            string other => throw ApiException.Invalid("thinking.type", $"'thinking.type' is '{RequestBody.Shown(other)}'; expected enabled, adaptive or disabled."),
        };
        if (model.SupportsReasoning) return wanted ? """{"enable_thinking":true}""" : """{"enable_thinking":false}""";
        return !wanted ? null : throw ApiException.Unsupported("thinking", "'thinking' is not available: the model's chat template knows no reasoning; leave it out.");
    }
}
