using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>A body of <c>POST /v1/responses</c>, translated. What was kept earlier is not looked up yet.</summary>
/// <param name="Generation">The one internal request, its conversation still without turns.</param>
/// <param name="Input">The items of this request.</param>
/// <param name="Settings">What the response repeats of the request.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="Ignored">Fields that were given and have no effect here.</param>
internal sealed record ResponseRequest(
    GenerationRequest Generation,
    IReadOnlyList<ResponseItem> Input,
    ResponseSettings Settings,
    bool Stream,
    IReadOnlyCollection<string> Ignored)
{
    public static readonly FieldNames Names = new(new Dictionary<string, string>
    {
        ["prompt"] = "input",
        ["messages"] = "input",
        ["max_tokens"] = "max_output_tokens",
        ["logprobs"] = "top_logprobs",
        ["cache_salt"] = "prompt_cache_key",
        ["grammar"] = "text.format",
    });

    private const int MostMetadata = 16, LongestMetadataName = 64, LongestMetadataValue = 512;

    private const string LikelihoodsName = "message.output_text.logprobs";

    // What only items could have that never come into being here.
    private static readonly string[] EmptyIncludes =
    [
        "file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
        "computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content",
    ];

    private static readonly string[] Conversation =
        ["model", "input", "instructions", "previous_response_id", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "truncation"];

    /// <summary>The fields of a body that wants an answer.</summary>
    public static readonly FieldTable Fields = AddCommon(SamplingFields.AddChoice(new FieldTable()))
        .Read("max_output_tokens", "top_logprobs", "include", "metadata", "store", "stream", "stream_options", "prompt_cache_key")
        .Ignored("user", "safety_identifier", "service_tier", "prompt_cache_retention", "prompt_cache_options", "max_tool_calls")
        .Unsupported(IsFalse, "background")
        .Unsupported(IsEmpty, "context_management")
        .Unsupported(_ => false, "prompt", "moderation");

    /// <summary>The fields of a body whose tokens are counted only.</summary>
    public static readonly FieldTable CountFields = AddCommon(new FieldTable());

    private static readonly FieldTable StreamFields = new FieldTable().Ignored("include_obfuscation");

    private static readonly FieldTable ReasoningFields = new FieldTable().Read("effort").Ignored("summary", "generate_summary", "context", "mode");

    private static readonly FieldTable TextFields = new FieldTable().Read("format").Unsupported(value => IsText(value, "medium"), "verbosity");

    private static FieldTable AddCommon(FieldTable fields) => fields.Read(Conversation)
        .Unsupported(_ => false, "conversation");

    /// <summary>Translates a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="model">The model.</param>
    /// <param name="response">The name that the response will have.</param>
    /// <param name="count">Whether only the tokens are counted.</param>
    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static ResponseRequest Read(JsonElement body, ModelInfo model, ResponseId response, bool count = false)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        (count ? CountFields : Fields).Check(body, "", ignored);
        bool stream = Flag(body, "stream") ?? false;
        CheckStreamOptions(body, stream, ignored);
        var (grammar, format) = ReadFormat(body, ignored);
        string? effort = ReadEffort(body, ignored), previous = Text(body, "previous_response_id");
        var tools = ResponseTools.Read(body, model, ignored);
        GenerationRequest generation = SamplingFields.Apply(body, model,
            new GenerationRequest(new GenerationInput.Messages([], tools.Functions.Shown, ChatRequest.ReadTemplateArguments(null, effort, "reasoning.effort", model)))) with
        {
            MaxTokens = Integer(body, "max_output_tokens"),
            Logprobs = ReadLogprobs(body, ignored),
            Grammar = grammar,
            ToolUse = tools.Functions.Use,
            CacheSalt = Text(body, "prompt_cache_key"),
        };
        var settings = new ResponseSettings(
            Text(body, "instructions"), previous, ReadMetadata(body), Flag(body, "store") ?? true, ReadTruncation(body), effort, format, tools,
            Text(body, "user"), Text(body, "safety_identifier"));
        return new ResponseRequest(generation, ReadInput(body, response, previous is not null, ignored), settings, stream, ignored);
    }

    /// <summary>The internal request with its conversation.</summary>
    public GenerationRequest GenerationOf(IReadOnlyList<ChatMessage> messages) =>
        Generation with { Input = (GenerationInput.Messages)Generation.Input with { Items = messages } };

    private static List<ResponseItem> ReadInput(JsonElement body, ResponseId response, bool goesOn, ICollection<string> ignored)
    {
        switch (Value(body, "input"))
        {
            case null when goesOn:
                return [];
            case null:
                throw ApiException.Invalid("input", "'input' is missing; expected a text or a list of items.");
            case { ValueKind: JsonValueKind.String } text:
                return [new ResponseItem.Message(response.OfInput(ResponseItem.Message.Kind, 0), ResponseItem.Completed, "user", [text.GetString()!])];
            case { ValueKind: JsonValueKind.Array } list:
                return ResponseItemReader.Read(list, "input", response, ignored);
            default:
                throw ApiException.Invalid("input", "'input' must be a text or a list of items.");
        }
    }

    private static void CheckStreamOptions(JsonElement body, bool stream, ICollection<string> ignored)
    {
        if (Object(body, "stream_options") is not JsonElement options) return;
        StreamFields.Check(options, "stream_options.", ignored);
        if (!stream) throw ApiException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
    }

    /// <summary>Likelihoods come when a number of alternatives or the likelihoods by name are asked for.</summary>
    private static int? ReadLogprobs(JsonElement body, ICollection<string> ignored)
    {
        int? alternatives = Integer(body, "top_logprobs");
        bool wanted = alternatives is not (null or 0);
        foreach (string name in Texts(body, "include") ?? [])
        {
            if (name == LikelihoodsName) wanted = true;
            else if (EmptyIncludes.Contains(name, StringComparer.Ordinal)) ignored.Add("include." + name);
            else throw ApiException.Invalid("include", $"'include' has '{RequestBody.Shown(name)}'; expected {LikelihoodsName}.");
        }
        return wanted ? alternatives ?? 0 : null;
    }

    private static string? ReadEffort(JsonElement body, ICollection<string> ignored)
    {
        if (Object(body, "reasoning") is not JsonElement reasoning) return null;
        ReasoningFields.Check(reasoning, "reasoning.", ignored);
        return Text(reasoning, "effort", "reasoning.");
    }

    // The form of the answer, for the engine and as the response repeats it.
    private static (Grammar? Grammar, string? Format) ReadFormat(JsonElement body, ICollection<string> ignored)
    {
        if (Object(body, "text") is not JsonElement text) return (null, null);
        TextFields.Check(text, "text.", ignored);
        Grammar? grammar = AnswerForms.ReadFlat(text, "format", "text.", ignored);
        return (grammar, grammar is null ? null : Tools.TextOf(text.GetProperty("format")));
    }

    private static bool ReadTruncation(JsonElement body) => Text(body, "truncation") switch
    {
        null or "disabled" => false,
        "auto" => true,
        string other => throw ApiException.Invalid("truncation", $"'truncation' is '{RequestBody.Shown(other)}'; expected auto or disabled."),
    };

    private static List<KeyValuePair<string, string>> ReadMetadata(JsonElement body)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        if (Object(body, "metadata") is not JsonElement metadata) return pairs;
        if (metadata.GetPropertyCount() > MostMetadata)
            throw ApiException.Invalid("metadata", FormattableString.Invariant($"'metadata' has {metadata.GetPropertyCount()} entries; expected at most {MostMetadata}."));
        foreach (JsonProperty property in metadata.EnumerateObject())
        {
            string where = "metadata." + RequestBody.Shown(property.Name);
            if (property.Name.Length is 0 or > LongestMetadataName)
                throw ApiException.Invalid("metadata", FormattableString.Invariant($"'metadata' has a name of {property.Name.Length} characters; expected 1 to {LongestMetadataName}."));
            if (property.Value.ValueKind != JsonValueKind.String || property.Value.GetString()!.Length > LongestMetadataValue)
                throw ApiException.Invalid(where, FormattableString.Invariant($"'{where}' must be a text of at most {LongestMetadataValue} characters."));
            pairs.Add(new(property.Name, property.Value.GetString()!));
        }
        return pairs;
    }
}

/// <summary>What a response repeats of its request.</summary>
/// <param name="Instructions">What the model was told in front of the conversation; not carried over to later responses.</param>
/// <param name="Previous">The response that the conversation goes on from.</param>
/// <param name="Metadata">The client's own notes.</param>
/// <param name="Store">Whether the response is kept.</param>
/// <param name="Truncates">Whether the beginning of a conversation may be dropped when it does not fit.</param>
/// <param name="Effort">How much the model should think.</param>
/// <param name="Format">The form of the text as JSON; null for any text.</param>
/// <param name="Tools">The tools and who may call them.</param>
/// <param name="User">The client's name of its user.</param>
/// <param name="SafetyIdentifier">The newer field for the same.</param>
internal sealed record ResponseSettings(
    string? Instructions,
    string? Previous,
    IReadOnlyList<KeyValuePair<string, string>> Metadata,
    bool Store,
    bool Truncates,
    string? Effort,
    string? Format,
    ResponseTools Tools,
    string? User,
    string? SafetyIdentifier);
