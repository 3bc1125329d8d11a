using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>A body of <c>POST /v1/chat/completions</c>, translated. Types are checked here; ranges in Inference, once for all dialects.</summary>
/// <param name="Generation">The one internal request.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="IncludeUsage">Whether a stream ends with the token counts.</param>
/// <param name="MaxTokensField">The name under which the client gave the token limit, for errors about it.</param>
/// <param name="Ignored">Fields that were given and have no effect here.</param>
internal sealed record ChatRequest(
    GenerationRequest Generation,
    bool Stream,
    bool IncludeUsage,
    string MaxTokensField,
    IReadOnlyCollection<string> Ignored)
{
    private static readonly FieldTable Fields = new FieldTable()
        .Read("model", "messages", "temperature", "top_p", "top_k", "repetition_penalty", "n", "stop", "seed",
            "max_tokens", "max_completion_tokens", "stream", "stream_options")
        .Ignored("user", "safety_identifier", "store", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls")
        .Unsupported(IsZero, "presence_penalty", "frequency_penalty", "min_p", "min_tokens", "top_logprobs")
        .Unsupported(IsFalse, "logprobs", "ignore_eos", "echo")
        .Unsupported(IsEmpty, "tools", "functions", "logit_bias", "stop_token_ids", "chat_template_kwargs", "structured_outputs")
        .Unsupported(value => IsText(value, "none"), "tool_choice", "function_call", "reasoning_effort")
        .Unsupported(value => IsText(value, "medium"), "verbosity")
        .Unsupported(IsTextFormat, "response_format")
        .Unsupported(IsTextOnly, "modalities")
        .Unsupported(_ => false, "audio", "prediction", "web_search_options", "moderation", "cache_salt", "guided_json", "guided_regex", "guided_choice", "guided_grammar");

    private static readonly FieldTable StreamFields = new FieldTable().Read("include_usage").Ignored("include_obfuscation");

    // Clients send an answer back as they got it: its empty parts are allowed.
    private static readonly FieldTable MessageFields = new FieldTable()
        .Read("role", "content")
        .Ignored("name")
        .Unsupported(IsEmpty, "tool_calls", "annotations")
        .Unsupported(_ => false, "tool_call_id", "function_call", "refusal", "audio", "reasoning_content", "reasoning");

    private static readonly FieldTable PartFields = new FieldTable()
        .Read("type", "text")
        .Unsupported(_ => false, "image_url", "input_audio", "file", "refusal");

    /// <summary>Translates a request body.</summary>
    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static ChatRequest Read(JsonElement body, ModelInfo model)
    {
        if (body.ValueKind != JsonValueKind.Object) throw new ApiException(400, "invalid_json", "The body must be one JSON object.");
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        Fields.Check(body, "", ignored);
        RequireModel(body, model);
        if (Value(body, "max_tokens") is not null && Value(body, "max_completion_tokens") is not null)
            throw ApiException.Invalid("max_tokens", "'max_tokens' and 'max_completion_tokens' mean the same; send one of them.");
        string maxTokensField = Value(body, "max_tokens") is null ? "max_completion_tokens" : "max_tokens";

        Sampling usual = model.DefaultSampling;
        var generation = new GenerationRequest(
            new GenerationInput.Messages(ReadMessages(body, ignored)),
            new Sampling(
                Number(body, "temperature") ?? usual.Temperature,
                Integer(body, "top_k") ?? usual.TopK,
                Number(body, "top_p") ?? usual.TopP,
                Number(body, "repetition_penalty") ?? usual.RepetitionPenalty,
                Seed(body) ?? usual.Seed),
            Integer(body, maxTokensField),
            ReadStop(body),
            Integer(body, "n") ?? 1);
        bool stream = Flag(body, "stream");
        return new ChatRequest(generation, stream, ReadIncludeUsage(body, stream, ignored), maxTokensField, ignored);
    }

    /// <summary>An error of the engine in this dialect's words.</summary>
    public ApiError Translate(RequestException problem)
    {
        string? field = problem.Field switch
        {
            "max_tokens" => MaxTokensField,
            "prompt" => "messages", // the rendered conversation
            string other => other,
            null => null,
        };
        string message = problem.Message.Replace("max_tokens", MaxTokensField, StringComparison.Ordinal);
        return problem.Code switch
        {
            RequestErrorCode.Overloaded => new ApiError(429, "rate_limit_exceeded", message, field, RetryAfterSeconds: 1),
            RequestErrorCode.DeadlineExceeded => new ApiError(504, problem.Code, message, field),
            _ => new ApiError(400, problem.Code, message, field),
        };
    }

    private static void RequireModel(JsonElement body, ModelInfo model)
    {
        string name = Text(body, "model") ?? throw ApiException.Invalid("model", $"'model' is missing; this server has '{model.Name}'.");
        if (!string.Equals(name, model.Name, StringComparison.Ordinal)) throw NoSuchModel(name, model);
    }

    /// <summary>The error for a model that is not loaded.</summary>
    public static ApiException NoSuchModel(string name, ModelInfo model) =>
        new(404, "model_not_found", $"The model '{RequestBody.Shown(name)}' does not exist here; this server has '{model.Name}'.", "model");

    private static List<ChatMessage> ReadMessages(JsonElement body, ICollection<string> ignored)
    {
        if (Value(body, "messages") is not JsonElement list || list.ValueKind != JsonValueKind.Array)
            throw ApiException.Invalid("messages", "'messages' must be a list of messages.");
        var messages = new List<ChatMessage>(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
            messages.Add(ReadMessage(item, FormattableString.Invariant($"messages[{messages.Count}]"), ignored));
        return messages;
    }

    private static ChatMessage ReadMessage(JsonElement item, string where, ICollection<string> ignored)
    {
        RequireObject(item, where);
        MessageFields.Check(item, where + ".", ignored);
        string role = Text(item, "role", where + ".") ?? throw ApiException.Invalid(where + ".role", $"'{where}.role' is missing; expected system, developer, user or assistant.");
        role = role switch
        {
            "system" or "user" or "assistant" => role,
            "developer" => "system", // the newer name of the same role
            "tool" or "function" => throw ApiException.Unsupported(where + ".role", $"'{where}.role' is '{role}', but tools are not available in this version."),
            _ => throw ApiException.Invalid(where + ".role", $"'{where}.role' is '{RequestBody.Shown(role)}'; expected system, developer, user or assistant."),
        };
        return new ChatMessage(role, ReadContent(item, where + ".content", ignored));
    }

    private static string ReadContent(JsonElement item, string where, ICollection<string> ignored)
    {
        if (Value(item, "content") is not JsonElement content) throw ApiException.Invalid(where, $"'{where}' is missing; expected a text.");
        if (content.ValueKind == JsonValueKind.String) return content.GetString()!;
        if (content.ValueKind != JsonValueKind.Array) throw ApiException.Invalid(where, $"'{where}' must be a text or a list of parts.");
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in content.EnumerateArray())
        {
            string partName = FormattableString.Invariant($"{where}[{index++}]");
            RequireObject(part, partName);
            string? type = Text(part, "type", partName + ".");
            if (type != "text")
                throw ApiException.Unsupported(partName + ".type", $"'{partName}.type' is '{RequestBody.Shown(type ?? "null")}'; this version takes parts of type 'text' only.");
            PartFields.Check(part, partName + ".", ignored);
            text.Append(Text(part, "text", partName + ".") ?? throw ApiException.Invalid(partName + ".text", $"'{partName}.text' is missing."));
        }
        return text.ToString();
    }

    private static List<string>? ReadStop(JsonElement body)
    {
        if (Value(body, "stop") is not JsonElement stop) return null;
        if (stop.ValueKind == JsonValueKind.String) return [stop.GetString()!];
        if (stop.ValueKind != JsonValueKind.Array || stop.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw ApiException.Invalid("stop", "'stop' must be a text or a list of texts.");
        return [.. stop.EnumerateArray().Select(item => item.GetString()!)];
    }

    private static bool ReadIncludeUsage(JsonElement body, bool stream, ICollection<string> ignored)
    {
        if (Value(body, "stream_options") is not JsonElement options) return false;
        RequireObject(options, "stream_options");
        StreamFields.Check(options, "stream_options.", ignored);
        if (!stream) throw ApiException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
        return Flag(options, "include_usage", "stream_options.");
    }

    private static void RequireObject(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(where, $"'{where}' must be an object.");
    }

    // Typed fields. A field that is null counts as left out, as official clients write it.
    private static JsonElement? Value(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw ApiException.Invalid(where + name, $"'{where}{name}' must be a text.");
    }

    private static bool Flag(JsonElement owner, string name, string where = "") => Value(owner, name)?.ValueKind switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw ApiException.Invalid(where + name, $"'{where}{name}' must be true or false."),
    };

    private static double? Number(JsonElement owner, string name)
    {
        if (Value(owner, name) is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)) return number;
        throw ApiException.Invalid(name, $"'{name}' is {RequestBody.Shown(value.GetRawText())}; expected a number.");
    }

    private static int? Integer(JsonElement owner, string name)
    {
        if (Value(owner, name) is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)) return number;
        throw ApiException.Invalid(name, $"'{name}' is {RequestBody.Shown(value.GetRawText())}; expected an integer of at most {int.MaxValue.ToString(CultureInfo.InvariantCulture)}.");
    }

    /// <summary>Any integer of 64 bits; a negative one keeps its bits.</summary>
    private static ulong? Seed(JsonElement owner)
    {
        if (Value(owner, "seed") is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long signed)) return unchecked((ulong)signed);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong unsigned)) return unsigned;
        throw ApiException.Invalid("seed", $"'seed' is {RequestBody.Shown(value.GetRawText())}; expected an integer of 64 bits.");
    }

    private static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number == 0;

    private static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        _ => false,
    };

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static bool IsTextFormat(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.GetPropertyCount() == 1
        && value.TryGetProperty("type", out JsonElement type) && IsText(type, "text");

    private static bool IsTextOnly(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && IsText(value[0], "text");
}
