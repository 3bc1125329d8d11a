using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>What the tests of hostile requests need to know about one route: a good body, where its parts stand, and what its errors look like.</summary>
/// <param name="Path">The route.</param>
/// <param name="Good">A body that is answered, with TEXT where a user's text stands.</param>
/// <param name="Fields">Fields of the body (with their path) and the kinds of JSON that they take beside null.</param>
internal sealed record Dialect(string Path, string Good, IReadOnlyDictionary<string, string> Fields)
{
    private const string Number = "number", Integer = "integer", Text = "text", Flag = "flag", List = "list", Object = "object";
    private const string TextOrList = Text + List;

    private static readonly Dictionary<string, string> SamplingFields = new()
    {
        ["temperature"] = Number,
        ["top_p"] = Number,
        ["top_k"] = Integer,
        ["min_p"] = Number,
        ["typical_p"] = Number,
        ["repetition_penalty"] = Number,
        ["presence_penalty"] = Number,
        ["frequency_penalty"] = Number,
        ["logit_bias"] = Object,
        ["n"] = Integer,
        ["stop"] = TextOrList,
        ["stop_token_ids"] = List,
        ["seed"] = Integer,
        ["max_tokens"] = Integer,
        ["min_tokens"] = Integer,
        ["ignore_eos"] = Flag,
        ["cache_salt"] = Text,
        ["stream"] = Flag,
        ["stream_options"] = Object,
        ["model"] = Text,
    };

    private static readonly Dictionary<string, string> MessagesFields = new()
    {
        ["model"] = Text,
        ["messages"] = List,
        ["system"] = TextOrList,
        ["tools"] = List,
        ["tool_choice"] = Object,
        ["thinking"] = Object,
        ["messages.0.role"] = Text,
        ["messages.0.content"] = TextOrList,
    };

    private static readonly Dictionary<string, string> ContentsFields = new()
    {
        ["contents"] = List,
        ["systemInstruction"] = Object,
        ["tools"] = List,
        ["toolConfig"] = Object,
        ["generationConfig"] = Object,
        ["contents.0.role"] = Text,
        ["contents.0.parts"] = List,
        ["contents.0.parts.0.text"] = Text,
        ["generationConfig.temperature"] = Number,
        ["generationConfig.topP"] = Number,
        ["generationConfig.topK"] = Number,
        ["generationConfig.candidateCount"] = Integer,
        ["generationConfig.maxOutputTokens"] = Integer,
        ["generationConfig.stopSequences"] = List,
        ["generationConfig.seed"] = Integer,
        ["generationConfig.presencePenalty"] = Number,
        ["generationConfig.frequencyPenalty"] = Number,
        ["generationConfig.responseLogprobs"] = Flag,
        ["generationConfig.logprobs"] = Integer,
        ["generationConfig.thinkingConfig"] = Object,
        ["generationConfig.responseMimeType"] = Text,
        ["generationConfig.responseSchema"] = Object,
        ["generationConfig.responseJsonSchema"] = Object,
    };

    public static readonly Dialect Chat = new("/v1/chat/completions", """{"model":"small","max_tokens":2,"messages":[{"role":"user","content":"TEXT"}]}""",
        new Dictionary<string, string>(SamplingFields)
        {
            ["messages"] = List,
            ["logprobs"] = Flag,
            ["top_logprobs"] = Integer,
            ["tools"] = List,
            ["tool_choice"] = Text + Object,
            ["parallel_tool_calls"] = Flag,
            ["response_format"] = Object,
            ["chat_template_kwargs"] = Object,
            ["reasoning_effort"] = Text,
            ["messages.0.role"] = Text,
            ["messages.0.content"] = TextOrList,
            ["messages.0.name"] = Text,
        });

    public static readonly Dialect Completions = new("/v1/completions", """{"model":"small","max_tokens":2,"prompt":"TEXT"}""",
        new Dictionary<string, string>(SamplingFields) { ["prompt"] = TextOrList, ["echo"] = Flag, ["logprobs"] = Integer, ["response_format"] = Object });

    public static readonly Dialect Responses = new("/v1/responses", """{"model":"small","max_output_tokens":2,"input":"TEXT"}""",
        new Dictionary<string, string>
        {
            ["model"] = Text,
            ["input"] = TextOrList,
            ["instructions"] = Text,
            ["previous_response_id"] = Text,
            ["tools"] = List,
            ["tool_choice"] = Text + Object,
            ["parallel_tool_calls"] = Flag,
            ["reasoning"] = Object,
            ["text"] = Object,
            ["text.format"] = Object,
            ["truncation"] = Text,
            ["max_output_tokens"] = Integer,
            ["temperature"] = Number,
            ["top_p"] = Number,
            ["top_logprobs"] = Integer,
            ["include"] = List,
            ["metadata"] = Object,
            ["store"] = Flag,
            ["stream"] = Flag,
            ["stream_options"] = Object,
            ["prompt_cache_key"] = Text,
        });

    public static readonly Dialect Embeddings = new("/v1/embeddings", """{"model":"small","input":"TEXT"}""",
        new Dictionary<string, string> { ["model"] = Text, ["input"] = TextOrList, ["encoding_format"] = Text, ["dimensions"] = Integer });

    public static readonly Dialect Tokenize = new("/tokenize", """{"prompt":"TEXT"}""",
        new Dictionary<string, string> { ["model"] = Text, ["prompt"] = Text, ["messages"] = List, ["add_special_tokens"] = Flag, ["return_token_strs"] = Flag });

    public static readonly Dialect Messages = new("/v1/messages", """{"model":"small","max_tokens":2,"messages":[{"role":"user","content":"TEXT"}]}""",
        new Dictionary<string, string>(MessagesFields)
        {
            ["max_tokens"] = Integer,
            ["temperature"] = Number,
            ["top_p"] = Number,
            ["top_k"] = Integer,
            ["stop_sequences"] = List,
            ["stream"] = Flag,
            ["output_config"] = Object,
            ["output_format"] = Object,
        });

    public static readonly Dialect CountTokens = new("/v1/messages/count_tokens", """{"model":"small","messages":[{"role":"user","content":"TEXT"}]}""", MessagesFields);

    public static readonly Dialect Generate = new("/v1beta/models/small:generateContent",
        """{"contents":[{"role":"user","parts":[{"text":"TEXT"}]}],"generationConfig":{"maxOutputTokens":2}}""", ContentsFields);

    public static readonly Dialect StreamGenerate = Generate with { Path = "/v1beta/models/small:streamGenerateContent" };

    public static readonly Dialect CountContents = new("/v1beta/models/small:countTokens", """{"contents":[{"parts":[{"text":"TEXT"}]}]}""",
        new Dictionary<string, string> { ["contents"] = List, ["generateContentRequest"] = Object });

    public static readonly Dialect EmbedContent = new("/v1beta/models/small:embedContent", """{"content":{"parts":[{"text":"TEXT"}]}}""",
        new Dictionary<string, string> { ["content"] = Object, ["outputDimensionality"] = Integer });

    public static IReadOnlyList<Dialect> All { get; } =
        [Chat, Completions, Responses, Embeddings, Tokenize, Messages, CountTokens, Generate, StreamGenerate, CountContents, EmbedContent];

    /// <summary>Those that render a conversation.</summary>
    public static IReadOnlyList<Dialect> Conversations { get; } = [Chat, Messages, CountTokens, Generate, StreamGenerate, CountContents];

    public bool IsAnthropic => Path.StartsWith("/v1/messages", StringComparison.Ordinal);

    public bool IsGemini => Path.StartsWith("/v1beta", StringComparison.Ordinal);

    public override string ToString() => Path;

    public static Dialect At(string path) => All.Single(dialect => dialect.Path == path);

    /// <summary>The good body with a text of the user.</summary>
    public string With(string text) => Good.Replace("TEXT", JsonEncodedText.Encode(text).ToString(), StringComparison.Ordinal);

    /// <summary>The good body with another value (as JSON) in a place, e.g. <c>messages.0.role</c>.</summary>
    public string WithValue(string place, string json)
    {
        JsonNode body = JsonNode.Parse(With("a"))!, owner = body;
        string[] steps = place.Split('.');
        foreach (string step in steps[..^1])
        {
            if (owner is JsonArray list) owner = list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]!;
            else owner = owner[step] ??= new JsonObject();
        }
        // The value may be what no node can hold, e.g. 1e999: it comes in as text.
        const string mark = "\u0001";
        owner[steps[^1]] = mark;
        return body.ToJsonString().Replace("\"\\u0001\"", json, StringComparison.Ordinal);
    }

    /// <summary>The good body with one tool of this name and schema.</summary>
    /// <param name="name">The name.</param>
    /// <param name="schema">The schema of its parameters.</param>
    /// <param name="strict">Whether calls must keep it; Gemini has no word for that.</param>
    public string WithTool(string name, string schema, bool strict = false)
    {
        string encoded = "\"" + JsonEncodedText.Encode(name) + "\"", kept = strict ? ",\"strict\":true" : "";
        return WithValue("tools", IsGemini ? $"[{{\"functionDeclarations\":[{{\"name\":{encoded},\"parametersJsonSchema\":{schema}}}]}}]"
            : IsAnthropic ? $"[{{\"name\":{encoded},\"input_schema\":{schema}{kept}}}]"
            : this == Responses ? $"[{{\"type\":\"function\",\"name\":{encoded},\"parameters\":{schema}{kept}}}]"
            : $"[{{\"type\":\"function\",\"function\":{{\"name\":{encoded},\"parameters\":{schema}{kept}}}}}]");
    }

    /// <summary>Where a schema for the whole answer may stand, and what stands there.</summary>
    public IEnumerable<(string Field, string Format)> Forms => this == Chat || this == Completions
        ? [("response_format", """{"type":"json_schema","json_schema":{"name":"n","schema":SCHEMA}}""")]
        : this == Responses ? [("text", """{"format":{"type":"json_schema","name":"n","schema":SCHEMA}}""")]
        : this == Messages ? [("output_config", """{"format":{"type":"json_schema","schema":SCHEMA}}"""), ("output_format", """{"type":"json_schema","schema":SCHEMA}""")]
        : this == Generate || this == StreamGenerate ? [("generationConfig", """{"maxOutputTokens":2,"responseMimeType":"application/json","responseSchema":SCHEMA}"""),
            ("generationConfig", """{"maxOutputTokens":2,"responseMimeType":"application/json","responseJsonSchema":SCHEMA}""")]
        : [];

    /// <summary>The field that says which tool must be called, and how it names one.</summary>
    public (string Field, string Choice)? Forced(string name) => this == Chat ? ("tool_choice", $"{{\"type\":\"function\",\"function\":{{\"name\":\"{name}\"}}}}")
        : this == Responses ? ("tool_choice", $"{{\"type\":\"function\",\"name\":\"{name}\"}}")
        : this == Messages ? ("tool_choice", $"{{\"type\":\"tool\",\"name\":\"{name}\"}}")
        : this == Generate || this == StreamGenerate ? ("toolConfig", $"{{\"functionCallingConfig\":{{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"{name}\"]}}}}")
        : null;

    /// <summary>Reads an error, which must have this dialect's shape and no more.</summary>
    public Fault ReadError(int status, string body)
    {
        JsonElement answer = JsonElement.Parse(body);
        JsonElement error = answer.GetProperty("error");
        string[] outer = IsAnthropic ? ["type", "error", "request_id"] : ["error"];
        string[] inner = IsGemini ? ["code", "message", "status", "details"] : IsAnthropic ? ["type", "message"] : ["message", "type", "param", "code"];
        Assert.Equal(outer, answer.EnumerateObject().Select(field => field.Name));
        Assert.Equal(inner, error.EnumerateObject().Select(field => field.Name));
        if (IsGemini) Assert.Equal(status, error.GetProperty("code").GetInt32());
        string message = error.GetProperty("message").GetString()!;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.InRange(message.Length, 10, 600);
        Assert.DoesNotContain("   at ", body, StringComparison.Ordinal);
        return new Fault(status, error.GetProperty(IsGemini ? "status" : "type").GetString()!, message);
    }

    /// <summary>What the dialect calls an error of this status.</summary>
    public string NameOf(int status) => (status, IsAnthropic, IsGemini) switch
    {
        (404, true, _) => "not_found_error",
        (404, _, true) => "NOT_FOUND",
        (413, true, _) => "request_too_large",
        (_, true, _) => "invalid_request_error",
        (_, _, true) => "INVALID_ARGUMENT",
        _ => "invalid_request_error",
    };
}

/// <summary>An error of any dialect.</summary>
internal sealed record Fault(int Status, string Name, string Message);
