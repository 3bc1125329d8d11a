using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using OpenEuroLLM.Inference;
using Turn = OpenEuroLLM.Inference.ChatMessage;

namespace OpenEuroLLM.Chat;

/// <summary>From the types of Microsoft.Extensions.AI to the project's one request, and back.</summary>
internal static class RequestTranslation
{
    /// <summary>Key in <see cref="ChatOptions.AdditionalProperties"/>: what the template is told beside messages and tools, as the text of a JSON object.</summary>
    public const string TemplateArguments = "template_arguments";

    private const string MinP = "min_p", RepetitionPenalty = "repetition_penalty", TypicalP = "typical_p";

    /// <summary>The request.</summary>
    /// <exception cref="NotSupportedException">A content or an option is one that the model cannot honour.</exception>
    public static GenerationRequest Of(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options, ModelInfo model)
    {
        var turns = messages.SelectMany(Turns).ToList();
        if (options?.Instructions is { Length: > 0 } instructions)
            turns.Insert(0, new Turn("system", instructions));
        if (options is null) return new GenerationRequest(new GenerationInput.Messages(turns));

        if (options.ModelId is { } other && other != model.Name) throw Refused(nameof(options.ModelId), other, $"'{model.Name}', the model that is loaded");
        if (options.ConversationId is { } conversation) throw Refused(nameof(options.ConversationId), conversation, "null: conversations are not kept; send all messages");
        if (options.ResponseFormat is not (null or ChatResponseFormatText)) throw Refused(nameof(options.ResponseFormat), "JSON", "text");
        var tools = options.ToolMode is NoneChatToolMode ? [] : Tools(options);
        if (options.ToolMode is RequiredChatToolMode) throw Refused(nameof(options.ToolMode), "required", "auto or none: the model decides whether it calls a tool");
        if (options.AllowMultipleToolCalls == false) throw Refused(nameof(options.AllowMultipleToolCalls), "false", "true or null: the model decides how many calls it makes");

        var more = options.AdditionalProperties;
        var known = new[] { TemplateArguments, MinP, RepetitionPenalty, TypicalP };
        if (more?.Keys.FirstOrDefault(key => !known.Contains(key, StringComparer.Ordinal)) is { } unknown)
            throw Refused($"AdditionalProperties['{unknown}']", Shown(more[unknown]), $"one of {string.Join(", ", known)}");
        var defaults = model.DefaultSampling;
        var sampling = defaults with
        {
            Temperature = options.Temperature ?? defaults.Temperature,
            TopP = options.TopP ?? defaults.TopP,
            TopK = options.TopK ?? defaults.TopK,
            Seed = options.Seed is { } seed ? unchecked((ulong)seed) : defaults.Seed,
            PresencePenalty = options.PresencePenalty ?? defaults.PresencePenalty,
            FrequencyPenalty = options.FrequencyPenalty ?? defaults.FrequencyPenalty,
            MinP = Number(MinP) ?? defaults.MinP,
            RepetitionPenalty = Number(RepetitionPenalty) ?? defaults.RepetitionPenalty,
            TypicalP = Number(TypicalP) ?? defaults.TypicalP,
        };
        var arguments = more is not null && more.TryGetValue(TemplateArguments, out var given) ? given as string ?? throw Refused($"AdditionalProperties['{TemplateArguments}']", Shown(given), "the text of a JSON object") : null;
        return new GenerationRequest(new GenerationInput.Messages(turns, tools.Count > 0 ? tools : null, arguments), sampling, options.MaxOutputTokens,
            options.StopSequences is { Count: > 0 } stops ? [.. stops] : null);

        double? Number(string key) => more is null || !more.TryGetValue(key, out var value) ? null
            : value is IConvertible number and not string ? number.ToDouble(CultureInfo.InvariantCulture) : throw Refused($"AdditionalProperties['{key}']", Shown(value), "a number");
    }

    /// <summary>The error of a .NET library for what the engine refuses.</summary>
    public static Exception Explain(RequestException exception) => exception.Code switch
    {
        RequestErrorCode.DeadlineExceeded => new TimeoutException(exception.Message, exception),
        RequestErrorCode.Overloaded => new InvalidOperationException(exception.Message, exception),
        _ => new ArgumentException(exception.Field is null ? exception.Message : $"{exception.Field}: {exception.Message}", exception),
    };

    /// <summary>The arguments of a call by name.</summary>
    /// <param name="json">The text of a JSON object.</param>
    public static Dictionary<string, object?> Arguments(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => (object?)property.Value.Clone(), StringComparer.Ordinal);
    }

    private static List<ToolDefinition> Tools(ChatOptions options) => [.. (options.Tools ?? []).Select(tool => tool is AIFunctionDeclaration function
        ? new ToolDefinition(function.Name, function.Description.Length > 0 ? function.Description : null, function.JsonSchema.GetRawText())
        : throw Refused(nameof(options.Tools), tool.GetType().Name, "functions"))];

    /// <summary>A message is one turn; one with the results of several calls is a turn for each.</summary>
    private static IEnumerable<Turn> Turns(Microsoft.Extensions.AI.ChatMessage message)
    {
        var (text, thought) = (new StringBuilder(), new StringBuilder());
        var calls = new List<ToolCall>();
        var results = new List<Turn>();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextReasoningContent reasoning:
                    thought.Append(reasoning.Text);
                    break;
                case TextContent words:
                    text.Append(words.Text);
                    break;
                case FunctionCallContent call:
                    calls.Add(new ToolCall(call.CallId, call.Name, Json(call.Arguments)));
                    break;
                case FunctionResultContent result:
                    results.Add(new Turn("tool", Shown(result.Result)) { ToolCallId = result.CallId });
                    break;
                case UsageContent:
                    break; // of an earlier answer; says nothing to the model
                default:
                    throw Refused("a message's content", content.GetType().Name, "text, reasoning, function calls and their results");
            }
        }
        if (results.Count > 0 && text.Length == 0 && calls.Count == 0) return results;
        var turn = new Turn(message.Role.Value, text.ToString())
        {
            ToolCalls = calls.Count > 0 ? calls : null,
            Name = message.AuthorName,
            Reasoning = thought.Length > 0 ? thought.ToString() : null,
        };
        return [turn, .. results];
    }

    private static string Json(IDictionary<string, object?>? arguments)
    {
        var json = new JsonObject();
        foreach (var (name, value) in arguments ?? new Dictionary<string, object?>()) json[name] = Node(value);
        return json.ToJsonString();
    }

    // Written out by hand: reflection would not survive trimming.
    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        JsonNode node => node.DeepClone(),
        JsonElement element => JsonNode.Parse(element.GetRawText()),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        double number => JsonValue.Create(number),
        float number => JsonValue.Create(number),
        decimal number => JsonValue.Create(number),
        _ => throw Refused("an argument of a call", value.GetType().Name, "JSON: text, numbers, true, false, null, JsonElement or JsonNode"),
    };

    private static string Shown(object? value) => value switch
    {
        null => "null",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement element => element.GetRawText(),
        JsonNode node => node.ToJsonString(),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "null",
    };

    private static NotSupportedException Refused(string what, string found, string expected) => new($"{what} is {found}; expected {expected}.");
}
