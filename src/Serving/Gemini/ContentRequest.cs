using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.Gemini;

/// <summary>A body of <c>generateContent</c>, translated.</summary>
/// <param name="Generation">The one internal request.</param>
/// <param name="Thoughts">Whether the answer shows what the model thought.</param>
/// <param name="Ignored">Fields without effect here.</param>
internal sealed record ContentRequest(GenerationRequest Generation, bool Thoughts, IReadOnlyCollection<string> Ignored)
{
    public static readonly FieldNames Names = new(new Dictionary<string, string>
    {
        ["prompt"] = "contents",
        ["messages"] = "contents",
        ["input"] = "requests",
        ["stop"] = "generationConfig.stopSequences",
        ["max_tokens"] = "generationConfig.maxOutputTokens",
        ["temperature"] = "generationConfig.temperature",
        ["top_p"] = "generationConfig.topP",
        ["top_k"] = "generationConfig.topK",
        ["n"] = "generationConfig.candidateCount",
        ["logprobs"] = "generationConfig.logprobs",
        ["presence_penalty"] = "generationConfig.presencePenalty",
        ["frequency_penalty"] = "generationConfig.frequencyPenalty",
        ["grammar"] = "generationConfig.responseSchema",
        ["tool_choice"] = "toolConfig.functionCallingConfig",
    });

    private const string Config = "generationConfig.";

    private static readonly FieldTable Fields = new FieldTable()
        .Read("contents", "systemInstruction", "tools", "toolConfig", "generationConfig")
        .Ignored("safetySettings", "labels", "model")
        .Unsupported(_ => false, "cachedContent");

    private static readonly FieldTable ConfigFields = new FieldTable()
        .Read("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty", "frequencyPenalty",
            "responseLogprobs", "logprobs", "thinkingConfig", "responseMimeType", "responseSchema", "responseJsonSchema")
        .Unsupported(value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && IsText(value[0], "TEXT"), "responseModalities")
        .Unsupported(IsFalse, "enableEnhancedCivicAnswers", "audioTimestamp")
        .Unsupported(_ => false, "speechConfig", "imageConfig", "mediaResolution");

    private static readonly FieldTable ThinkingFields = new FieldTable().Read("includeThoughts", "thinkingBudget").Ignored("thinkingLevel");

    private static readonly FieldTable ToolFields = new FieldTable().Read("functionDeclarations")
        .Unsupported(_ => false, "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "computerUse", "fileSearch", "googleMaps");

    private static readonly FieldTable FunctionFields = new FieldTable().Read("name", "description", "parameters", "parametersJsonSchema")
        .Ignored("response", "responseJsonSchema").Unsupported(value => IsText(value, "BLOCKING"), "behavior");

    private static readonly FieldTable ToolConfigFields = new FieldTable().Read("functionCallingConfig").Unsupported(_ => false, "retrievalConfig");

    private static readonly FieldTable CallingFields = new FieldTable().Read("mode", "allowedFunctionNames");

    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static ContentRequest Read(JsonElement body, ModelInfo model)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        Fields.Check(body, "", ignored);
        JsonElement config = Object(body, "generationConfig") ?? default;
        if (config.ValueKind == JsonValueKind.Undefined) config = NoFields;
        ConfigFields.Check(config, Config, ignored);
        var (arguments, thoughts) = ReadThinking(config, model, ignored);
        Sampling usual = model.DefaultSampling;
        var generation = new GenerationRequest(
            new GenerationInput.Messages(Contents.Read(body, ignored), ReadTools(body, model, ignored), arguments),
            usual with
            {
                Temperature = Number(config, "temperature", Config) ?? usual.Temperature,
                TopP = Number(config, "topP", Config) ?? usual.TopP,
                TopK = ReadTopK(config) ?? usual.TopK,
                PresencePenalty = Number(config, "presencePenalty", Config) ?? usual.PresencePenalty,
                FrequencyPenalty = Number(config, "frequencyPenalty", Config) ?? usual.FrequencyPenalty,
                Seed = Seed(config, "seed", Config) ?? usual.Seed,
            },
            Integer(config, "maxOutputTokens", Config),
            Texts(config, "stopSequences", Config),
            Integer(config, "candidateCount", Config) ?? 1,
            Logprobs: ReadLogprobs(config),
            Grammar: ReadFormat(config),
            ToolUse: ReadMode(body, ignored).Use);
        return new ContentRequest(generation, thoughts, ignored);
    }

    private static readonly JsonElement NoFields = JsonElement.Parse("{}");

    // The schema of this dialect calls it a number.
    private static int? ReadTopK(JsonElement config)
    {
        if (Number(config, "topK", Config) is not double number) return null;
        return number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue ? (int)number
            : throw ApiException.Invalid(Config + "topK", FormattableString.Invariant($"'{Config}topK' is {number}; expected a whole number."));
    }

    private static int? ReadLogprobs(JsonElement config)
    {
        bool wanted = Flag(config, "responseLogprobs", Config) ?? false;
        int? alternatives = Integer(config, "logprobs", Config);
        if (alternatives is > 0 && !wanted) throw ApiException.Invalid(Config + "logprobs", $"'{Config}logprobs' needs '{Config}responseLogprobs': true.");
        return wanted ? alternatives ?? 0 : null;
    }

    private static (string? Arguments, bool Thoughts) ReadThinking(JsonElement config, ModelInfo model, ICollection<string> ignored)
    {
        const string where = Config + "thinkingConfig.";
        if (Object(config, "thinkingConfig", Config) is not JsonElement thinking) return (null, false);
        ThinkingFields.Check(thinking, where, ignored);
        bool thoughts = Flag(thinking, "includeThoughts", where) ?? false;
        int? budget = Integer(thinking, "thinkingBudget", where);
        if (!model.SupportsReasoning)
        {
            return !thoughts && budget is null or 0 ? (null, false) : throw ApiException.Unsupported(where[..^1],
                $"'{where[..^1]}' is not available: the model's chat template knows no reasoning; leave it out.");
        }
        if (budget is not (null or 0 or -1)) ignored.Add(where + "thinkingBudget"); // the model decides how long it thinks
        return (budget is null ? null : budget == 0 ? """{"enable_thinking":false}""" : """{"enable_thinking":true}""", thoughts);
    }

    private static List<ToolDefinition>? ReadTools(JsonElement body, ModelInfo model, ICollection<string> ignored)
    {
        bool shown = ReadMode(body, ignored).Shown;
        if (List(body, "tools") is not JsonElement list) return null;
        var tools = new List<ToolDefinition>();
        int index = 0;
        foreach (JsonElement tool in list.EnumerateArray())
        {
            string where = FormattableString.Invariant($"tools[{index++}]");
            RequireObject(tool, where);
            where += ".";
            ToolFields.Check(tool, where, ignored);
            if (List(tool, "functionDeclarations", where) is not JsonElement functions) continue;
            int number = 0;
            foreach (JsonElement function in functions.EnumerateArray())
            {
                string name = FormattableString.Invariant($"{where}functionDeclarations[{number++}]");
                RequireObject(function, name);
                name += ".";
                FunctionFields.Check(function, name, ignored);
                tools.Add(Tools.Read(function, name, Object(function, "parametersJsonSchema", name) ?? Object(function, "parameters", name)));
            }
        }
        Tools.RequireDifferentNames(tools, "tools");
        if (!shown || tools.Count == 0) return null;
        return model.SupportsTools ? tools : throw NoTools("tools");
    }

    private static (bool Shown, ToolUse? Use) ReadMode(JsonElement body, ICollection<string> ignored)
    {
        if (Object(body, "toolConfig") is not JsonElement config) return (true, null);
        ToolConfigFields.Check(config, "toolConfig.", ignored);
        if (Object(config, "functionCallingConfig", "toolConfig.") is not JsonElement calling) return (true, null);
        const string where = "toolConfig.functionCallingConfig.";
        CallingFields.Check(calling, where, ignored);
        List<string>? names = Texts(calling, "allowedFunctionNames", where) is { Count: > 0 } some ? some : null;
        string mode = Text(calling, "mode", where) ?? "AUTO";
        if (names is not null && mode != "ANY") throw ApiException.Invalid(where + "allowedFunctionNames", $"'{where}allowedFunctionNames' needs '{where}mode': ANY.");
        return mode switch
        {
            "AUTO" or "MODE_UNSPECIFIED" => (true, null),
            "NONE" => (false, null),
            "ANY" => (true, new ToolUse(Required: true, names)),
            "VALIDATED" => throw ApiException.Unsupported(where + "mode", $"'{where}mode' must be AUTO, ANY or NONE."),
            string other => throw ApiException.Invalid(where + "mode", $"'{where}mode' is '{RequestBody.Shown(other)}'; expected AUTO, ANY or NONE."),
        };
    }

    private static Grammar.JsonSchema? ReadFormat(JsonElement config)
    {
        JsonElement? schema = Object(config, "responseSchema", Config), other = Object(config, "responseJsonSchema", Config);
        if (schema is not null && other is not null)
            throw ApiException.Invalid(Config + "responseJsonSchema", $"'{Config}responseSchema' and '{Config}responseJsonSchema' mean the same; send one of them.");
        schema ??= other;
        return Text(config, "responseMimeType", Config) switch
        {
            "application/json" => schema is JsonElement given ? new Grammar.JsonSchema(given.GetRawText(), Strict: false) : new Grammar.JsonSchema("{}", Strict: false),
            null or "text/plain" => schema is null ? null
                : throw ApiException.Invalid(Config + "responseMimeType", $"a schema needs '{Config}responseMimeType': application/json."),
            string type => throw ApiException.Unsupported(Config + "responseMimeType", $"'{Config}responseMimeType' is '{RequestBody.Shown(type)}'; expected text/plain or application/json."),
        };
    }
}

/// <summary>Reads contents and their parts.</summary>
internal static class Contents
{
    private static readonly FieldTable ContentFields = new FieldTable().Read("role", "parts");
    private static readonly FieldTable PartFields = new FieldTable().Read("text", "thought", "functionCall", "functionResponse").Ignored("thoughtSignature")
        .Unsupported(_ => false, "inlineData", "fileData", "executableCode", "codeExecutionResult", "videoMetadata");
    private static readonly FieldTable CallFields = new FieldTable().Read("id", "name", "args");
    private static readonly FieldTable ResponseFields = new FieldTable().Read("id", "name", "response").Unsupported(IsEmpty, "parts");

    public static List<ChatMessage> Read(JsonElement body, ICollection<string> ignored)
    {
        var messages = new List<ChatMessage>();
        if (Value(body, "systemInstruction") is JsonElement system) messages.Add(new ChatMessage("system", ReadText(system, "systemInstruction", ignored)));
        JsonElement list = List(body, "contents") ?? throw ApiException.Invalid("contents", "'contents' must be a list of contents.");
        if (list.GetArrayLength() == 0) throw ApiException.Invalid("contents", "'contents' is empty; expected at least one.");
        int index = 0;
        foreach (JsonElement item in list.EnumerateArray()) ReadContent(item, FormattableString.Invariant($"contents[{index++}]"), messages, ignored);
        return messages;
    }

    /// <summary>The texts of a content that has nothing else.</summary>
    public static string ReadText(JsonElement content, string where, ICollection<string> ignored)
    {
        var text = new StringBuilder();
        foreach (var (part, name) in Parts(content, where, ignored))
        {
            if (Value(part, "functionCall") is not null || Value(part, "functionResponse") is not null || part.TryGetProperty("thought", out _))
                throw ApiException.Invalid(name, $"'{name[..^1]}' must be a part with 'text' only.");
            text.Append(RequiredText(part, "text", name));
        }
        return text.ToString();
    }

    private static void ReadContent(JsonElement item, string where, List<ChatMessage> messages, ICollection<string> ignored)
    {
        RequireObject(item, where);
        string role = Text(item, "role", where + ".") switch
        {
            null or "user" or "function" => "user",
            "model" => "assistant",
            string other => throw ApiException.Invalid(where + ".role", $"'{where}.role' is '{RequestBody.Shown(other)}'; expected user or model."),
        };
        StringBuilder text = new(), thinking = new();
        var calls = new List<ToolCall>();
        bool texts = false, results = false;
        foreach (var (part, name) in Parts(item, where, ignored))
        {
            JsonElement? call = Object(part, "functionCall", name), response = Object(part, "functionResponse", name);
            string? said = Text(part, "text", name);
            if ((call is null ? 0 : 1) + (response is null ? 0 : 1) + (said is null ? 0 : 1) != 1)
                throw ApiException.Invalid(name[..^1], $"'{name[..^1]}' must have one of text, functionCall and functionResponse.");
            if (call is JsonElement made)
            {
                if (role != "assistant") throw ApiException.Invalid(name + "functionCall", $"'{name}functionCall' belongs to the role model.");
                CallFields.Check(made, name + "functionCall.", ignored);
                string function = RequiredText(made, "name", name + "functionCall.");
                calls.Add(new ToolCall(Text(made, "id", name + "functionCall.") ?? function, function, Object(made, "args", name + "functionCall.") is JsonElement args ? Tools.TextOf(args) : "{}"));
            }
            else if (response is JsonElement result)
            {
                if (role != "user" || texts) throw ApiException.Invalid(name + "functionResponse", $"'{name}functionResponse' belongs to the role user, before texts.");
                ResponseFields.Check(result, name + "functionResponse.", ignored);
                string function = RequiredText(result, "name", name + "functionResponse.");
                JsonElement value = Object(result, "response", name + "functionResponse.")
                    ?? throw ApiException.Invalid(name + "functionResponse.response", $"'{name}functionResponse.response' is missing.");
                messages.Add(new ChatMessage("tool", Tools.TextOf(value)) { ToolCallId = Text(result, "id", name + "functionResponse.") ?? function, Name = function });
                results = true;
            }
            else if (Flag(part, "thought", name) ?? false)
            {
                thinking.Append(said);
            }
            else
            {
                text.Append(said);
                texts = true;
            }
        }
        if (results && !texts) return;
        messages.Add(new ChatMessage(role, text.ToString())
        {
            ToolCalls = calls.Count > 0 ? calls : null,
            Reasoning = thinking.Length > 0 && role == "assistant" ? thinking.ToString() : null,
        });
    }

    private static IEnumerable<(JsonElement Part, string Where)> Parts(JsonElement content, string where, ICollection<string> ignored)
    {
        RequireObject(content, where);
        where += ".";
        ContentFields.Check(content, where, ignored);
        JsonElement parts = List(content, "parts", where) ?? throw ApiException.Invalid(where + "parts", $"'{where}parts' is missing; expected a list of parts.");
        if (parts.GetArrayLength() == 0) throw ApiException.Invalid(where + "parts", $"'{where}parts' is empty; expected at least one part.");
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            string name = FormattableString.Invariant($"{where}parts[{index++}]");
            RequireObject(part, name);
            PartFields.Check(part, name + ".", ignored);
            yield return (part, name + ".");
        }
    }
}
