using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>Where a template looks for tools.</summary>
internal enum ToolsPlace
{
    /// <summary>In the variable <c>tools</c>.</summary>
    Variable,

    /// <summary>In the variable <c>xml_tools</c>.</summary>
    XmlVariable,

    /// <summary>In <c>tools</c> of the system's message, as JSON text; calls are then part of what the assistant said.</summary>
    SystemMessage,
}

/// <summary>A conversation as the variables that templates know.</summary>
/// <param name="ReasoningKeys">The names under which the template looks for reasoning.</param>
/// <param name="ArgumentsAsText">Whether the template wants the arguments of calls as JSON text and not as a mapping.</param>
/// <param name="Tools">Where the template looks for tools.</param>
internal sealed record ConversationValues(IReadOnlyList<string> ReasoningKeys, bool ArgumentsAsText, ToolsPlace Tools)
{
    private const int MostDepth = 64;

    // What a request cannot say by template arguments: it would replace what the model's files say.
    private static readonly HashSet<string> Reserved =
        ["messages", "tools", "documents", "add_generation_prompt", "chat_template", "raise_exception", "strftime_now", "namespace", "range", "dict", "loop", "caller"];

    /// <param name="conversation">The conversation.</param>
    /// <param name="controlTokens">The special tokens by name.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's turn is opened at the end.</param>
    /// <exception cref="RequestException">Something that has to be JSON is not.</exception>
    public Dictionary<string, object?> Of(GenerationInput.Messages conversation, IReadOnlyDictionary<string, string> controlTokens, bool addGenerationPrompt)
    {
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (conversation.TemplateArguments is { } arguments)
        {
            foreach (var (key, value) in Json(arguments, "template_arguments"))
            {
                string name = ((TemplateText)key).Value;
                if (Reserved.Contains(name) || controlTokens.ContainsKey(name) || name.EndsWith("_token", StringComparison.Ordinal))
                    throw new RequestException("template_arguments", $"template_arguments has '{Short(name)}', which requests cannot set.");
                variables[name] = value;
            }
        }
        foreach (var (name, token) in controlTokens) variables[name] = TemplateText.Trusted(token);
        List<object?> messages = [.. conversation.Items.Select(Message)];
        List<TemplateMap>? tools = conversation.Tools is { Count: > 0 } given ? [.. given.Select(Tool)] : null;
        if (tools is not null && Tools == ToolsPlace.SystemMessage) GiveToSystem(messages, tools);
        variables["messages"] = new TemplateList(messages, isData: true);
        variables["tools"] = tools is null ? null : new TemplateList([.. tools], isData: true);
        if (Tools == ToolsPlace.XmlVariable) variables["xml_tools"] = variables["tools"];
        variables["documents"] = null;
        variables["add_generation_prompt"] = addGenerationPrompt;
        return variables;
    }

    private TemplateMap Message(ChatMessage message, int place)
    {
        var map = new TemplateMap
        {
            // Roles are a fixed list, so a template may make a control token of one: <|user|>.
            ["role"] = TemplateText.Trusted(message.Role),
            ["content"] = TemplateText.Data(message.Content),
        };
        if (message.Name is { } name) map["name"] = TemplateText.Data(name);
        if (message.Reasoning is { } reasoning)
            foreach (string key in ReasoningKeys) map[key] = TemplateText.Data(reasoning);
        if (message.ToolCallId is { } id) map["tool_call_id"] = TemplateText.Data(id);
        if (message.ToolCalls is { Count: > 0 } given)
        {
            TemplateMap[] calls = [.. given.Select((call, i) => Call(call, FormattableString.Invariant($"messages[{place}].tool_calls[{i}].arguments")))];
            if (Tools == ToolsPlace.SystemMessage) map["content"] = WithCalls(message.Content, calls);
            else map["tool_calls"] = new TemplateList([.. calls], isData: true);
        }
        return map;
    }

    private static void GiveToSystem(List<object?> messages, IEnumerable<TemplateMap> tools)
    {
        if (messages is not [TemplateMap system, ..] || !system.TryGet("role", out object? role) || role is not TemplateText { Value: "system" })
            messages.Insert(0, system = new TemplateMap { ["role"] = TemplateText.Trusted("system"), ["content"] = TemplateText.Empty });
        system["tools"] = Functions(tools);
    }

    private static TemplateText WithCalls(string content, IEnumerable<TemplateMap> calls) => new TemplateText.Builder()
        .Append(content, trusted: false)
        .Append(AnswerFormat.ListedCalls.Open, trusted: true).Append(Functions(calls)).Append(AnswerFormat.ListedCalls.Close!, trusted: true).Build();

    // The functions of tools or calls as JSON, spaced as Python's json.dumps does.
    private static TemplateText Functions(IEnumerable<TemplateMap> items)
    {
        var functions = new TemplateList([.. items.Select(item => item.TryGet("function", out object? function) ? function : null)]);
        return TemplateJson.Write(new TemplateRun(new TemplateLimits(), SystemClock.Instance), functions, new TemplateJson.Style(null, ", ", ": ", SortsKeys: false, AsciiOnly: false));
    }

    private TemplateMap Call(ToolCall call, string field)
    {
        var arguments = Json(call.Arguments, field);
        return new TemplateMap
        {
            ["id"] = TemplateText.Data(call.Id),
            ["type"] = TemplateText.Trusted("function"),
            ["function"] = new TemplateMap
            {
                ["name"] = TemplateText.Data(call.Name),
                ["arguments"] = ArgumentsAsText ? TemplateText.Data(call.Arguments) : arguments,
            },
        };
    }

    private static TemplateMap Tool(ToolDefinition tool, int place)
    {
        var function = new TemplateMap { ["name"] = TemplateText.Data(tool.Name) };
        if (tool.Description is { } description) function["description"] = TemplateText.Data(description);
        if (tool.Parameters is { } parameters) function["parameters"] = Json(parameters, FormattableString.Invariant($"tools[{place}].parameters"));
        return new TemplateMap { ["type"] = TemplateText.Trusted("function"), ["function"] = function };
    }

    private static TemplateMap Json(string text, string field)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MostDepth });
            return TemplateJson.Read(document.RootElement) as TemplateMap ?? throw new RequestException(field, $"{field} is JSON, but no object; expected an object.");
        }
        catch (JsonException)
        {
            throw new RequestException(field, $"{field} is not valid JSON of at most {MostDepth} levels; expected the text of a JSON object.");
        }
        catch (FormatException error)
        {
            throw new RequestException(field, $"{field}: {error.Message}.");
        }
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
