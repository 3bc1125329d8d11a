using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>A body of <c>POST /v1/chat/completions</c>, translated. Types are checked here; ranges in Inference, once for all dialects.</summary>
/// <param name="Generation">The one internal request.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="IncludeUsage">Whether a stream ends with the token counts.</param>
/// <param name="Names">The client's names of fields, for errors about them.</param>
/// <param name="Ignored">Fields that were given and have no effect here.</param>
internal sealed record ChatRequest(
    GenerationRequest Generation,
    bool Stream,
    bool IncludeUsage,
    FieldNames Names,
    IReadOnlyCollection<string> Ignored)
{
    /// <summary>The fields of a body.</summary>
    public static readonly FieldTable Fields = SamplingFields.Add(new FieldTable())
        .Read("model", "messages", "max_completion_tokens", "logprobs", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls",
            "response_format", "chat_template_kwargs", "reasoning_effort")
        .Ignored("user", "safety_identifier", "store", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention")
        .Unsupported(IsFalse, "echo")
        .Unsupported(IsEmpty, "functions", "structured_outputs")
        .Unsupported(value => IsText(value, "none"), "function_call")
        .Unsupported(value => IsText(value, "medium"), "verbosity")
        .Unsupported(IsTextOnly, "modalities")
        .Unsupported(_ => false, "audio", "prediction", "web_search_options", "moderation", "guided_json", "guided_regex", "guided_choice", "guided_grammar");

    /// <summary>Translates a request body.</summary>
    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static ChatRequest Read(JsonElement body, ModelInfo model)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        Fields.Check(body, "", ignored);
        if (Value(body, "max_tokens") is not null && Value(body, "max_completion_tokens") is not null)
            throw ApiException.Invalid("max_tokens", "'max_tokens' and 'max_completion_tokens' mean the same; send one of them.");
        string maxTokensField = Value(body, "max_tokens") is null ? "max_completion_tokens" : "max_tokens";
        var names = new FieldNames(new Dictionary<string, string>
        {
            ["max_tokens"] = maxTokensField,
            ["prompt"] = "messages", // the rendered conversation
            ["logprobs"] = "top_logprobs",
            ["grammar"] = "response_format",
        });

        FunctionTools tools = FunctionTools.Read(body, nested: true, model, ignored);
        var conversation = new GenerationInput.Messages(ChatMessages.Read(body, ignored), tools.Shown,
            ReadTemplateArguments(Object(body, "chat_template_kwargs"), Text(body, "reasoning_effort"), "reasoning_effort", model));
        bool stream = Flag(body, "stream") ?? false;
        GenerationRequest generation = SamplingFields.Apply(body, model, new GenerationRequest(conversation)) with
        {
            MaxTokens = Integer(body, maxTokensField),
            Logprobs = ReadLogprobs(body),
            Grammar = AnswerForms.Read(body, "response_format", ignored),
            ToolUse = tools.Use,
        };
        return new ChatRequest(generation, stream, SamplingFields.ReadIncludeUsage(body, stream, ignored), names, ignored);
    }

    private static int? ReadLogprobs(JsonElement body)
    {
        bool wanted = Flag(body, "logprobs") ?? false;
        int? alternatives = Integer(body, "top_logprobs");
        if (alternatives is > 0 && !wanted) throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        return wanted ? alternatives ?? 0 : null;
    }

    /// <summary>What the template is told.</summary>
    /// <param name="given">Its own arguments, or null.</param>
    /// <param name="effort">How much the model should think, or null.</param>
    /// <param name="field">The field that says how much.</param>
    /// <param name="model">The model.</param>
    public static string? ReadTemplateArguments(JsonElement? given, string? effort, string field, ModelInfo model)
    {
        if (effort is null) return given?.GetRawText();
        if (effort is not ("none" or "minimal" or "low" or "medium" or "high" or "xhigh"))
            throw ApiException.Invalid(field, $"'{field}' is '{RequestBody.Shown(effort)}'; expected none, minimal, low, medium, high or xhigh.");
        if (given is not null) throw ApiException.Invalid(field, $"'{field}' and 'chat_template_kwargs' both speak to the template; send one of them.");
        if (!model.SupportsReasoning)
            return effort == "none" ? null : throw ApiException.Unsupported(field, $"'{field}' is not available: the model's chat template knows no reasoning; leave it out.");
        return effort == "none" ? """{"enable_thinking":false}""" : $$"""{"enable_thinking":true,"reasoning_effort":"{{effort}}"}""";
    }

    private static bool IsTextOnly(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && IsText(value[0], "text");
}
