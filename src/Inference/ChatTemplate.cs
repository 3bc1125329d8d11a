using System.Runtime.CompilerServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>The chat template of a model: turns conversations into token ids. Immutable and safe for many threads.</summary>
/// <remarks>Only what the template itself wrote becomes a control token: the text of one inside a message, a tool or an argument is encoded as plain text.
/// A template that asks for something unsupported is refused when it is loaded; there is no fallback.</remarks>
public sealed class ChatTemplate
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "chat_template.jinja";

    /// <summary>This project's own template in Jinja, for <c>chat_template.jinja</c>; no line break at the end.</summary>
    public const string Text =
        "<|begin_of_text|>" +
        "{% for message in messages %}" +
        "{% if message['role'] not in ['system', 'user', 'assistant'] %}" +
        "{{ raise_exception('unknown role ' ~ message['role']) }}" +
        "{% endif %}" +
        "<|{{ message['role'] }}|>{{ message['content'] }}<|end_of_turn|>" +
        "{% endfor %}" +
        "{% if add_generation_prompt %}<|assistant|>{% endif %}";

    private static readonly ConditionalWeakTable<Tokenizer, ChatTemplate> OwnOfTokenizers = [];

    private readonly Tokenizer _tokenizer;
    private readonly IClock _clock;
    private readonly IReadOnlyDictionary<string, string> _controlTokens;
    private readonly Template _template;
    private readonly Template? _withTools;
    private readonly ConversationValues _values;

    private ChatTemplate(
        Tokenizer tokenizer, IClock? clock, IReadOnlyDictionary<string, string> controlTokens, (string Source, string Text) template, (string Source, string Text)? withTools)
    {
        (_tokenizer, _clock, _controlTokens) = (tokenizer, clock ?? SystemClock.Instance, controlTokens);
        _template = Read(template);
        _withTools = withTools is { } other ? Read(other) : null;
        Format = AnswerFormat.Of(template.Text + withTools?.Text);
        var mentioned = _withTools is null ? _template.Mentioned : new HashSet<string>([.. _template.Mentioned, .. _withTools.Mentioned], StringComparer.Ordinal);
        string[] keys = [.. AnswerFormat.ReasoningKeys.Where(mentioned.Contains)];
        SupportsReasoning = Format.Reasoning is not null;
        _values = new ConversationValues(keys, ArgumentsAsText: false, ToolsPlace.Variable);
        if (PlaceOfTools(mentioned) is { } place) (SupportsTools, _values) = (true, _values with { Tools = place });
        if (mentioned.Contains("tool_calls") && WantsArgumentsAsText()) _values = _values with { ArgumentsAsText = true };
    }

    /// <summary>The roles that messages can have. A template may refuse some.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>Whether the template shows tools to the model.</summary>
    public bool SupportsTools { get; }

    /// <summary>Whether the template knows what the model thinks before it answers.</summary>
    public bool SupportsReasoning { get; }

    /// <summary>How the model's answers mark reasoning and calls.</summary>
    internal AnswerFormat Format { get; }

    /// <summary>This project's own template.</summary>
    /// <exception cref="UserErrorException">The tokenizer lacks one of this project's control tokens.</exception>
    public static ChatTemplate Own(Tokenizer tokenizer) =>
        OwnOfTokenizers.GetValue(tokenizer, static tokenizer => Parse(Text, tokenizer, new Dictionary<string, string>(), "this project's own template"));

    /// <summary>Reads a template.</summary>
    /// <param name="text">The template in Jinja, as <c>chat_template.jinja</c> or <c>tokenizer.chat_template</c> of a GGUF file has it.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="controlTokens">The special tokens that the template may name, by name (<c>bos_token</c>).</param>
    /// <param name="source">What the template is called in errors.</param>
    /// <param name="clock">The time that templates may ask for; null for the machine's.</param>
    /// <exception cref="UserErrorException">The template is malformed or asks for something unsupported; the message has the line.</exception>
    public static ChatTemplate Parse(string text, Tokenizer tokenizer, IReadOnlyDictionary<string, string> controlTokens, string source = "chat template", IClock? clock = null)
    {
        if (text.TrimEnd('\n', '\r') == Text) _ = tokenizer.Chat;    // says which token is missing
        return new ChatTemplate(tokenizer, clock, controlTokens, (source, text), null);
    }

    /// <summary>Renders a conversation to token ids with this project's own template.</summary>
    /// <param name="messages">The turns, in order.</param>
    /// <param name="tokenizer">A tokenizer with this project's chat tokens.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's turn is opened at the end.</param>
    /// <exception cref="UserErrorException">The tokenizer lacks a chat token.</exception>
    /// <exception cref="RequestException">A role is unknown.</exception>
    public static int[] Render(IReadOnlyList<ChatMessage> messages, Tokenizer tokenizer, bool addGenerationPrompt) =>
        Own(tokenizer).Render(new GenerationInput.Messages(messages), addGenerationPrompt);

    /// <summary>Renders a conversation to token ids.</summary>
    /// <param name="conversation">The turns and tools.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's turn is opened at the end.</param>
    /// <exception cref="RequestException">The template refuses the conversation, or something in it is malformed.</exception>
    public int[] Render(GenerationInput.Messages conversation, bool addGenerationPrompt)
    {
        var text = RenderText(conversation, addGenerationPrompt);
        return _tokenizer.Encode(text.Value, [.. text.Stretches().Where(stretch => stretch.Trusted).Select(stretch => stretch.Start..stretch.End)]);
    }

    /// <summary>The template of a model folder or a GGUF file, or null with the reason why its conversations cannot be rendered.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="clock">The time that templates may ask for; null for the machine's.</param>
    /// <param name="obstacle">The reason, or null.</param>
    public static ChatTemplate? Load(string path, Tokenizer tokenizer, IClock? clock, out string? obstacle)
    {
        try
        {
            (var template, obstacle) = ModelPlace.With(path, model => (Load(model, tokenizer, clock, out string? why), why));
            return template;
        }
        catch (UserErrorException exception)
        {
            obstacle = exception.Message;
            return null;
        }
    }

    /// <summary>The template of an opened model; see the public form.</summary>
    internal static ChatTemplate? Load(ModelPlace model, Tokenizer tokenizer, IClock? clock, out string? obstacle)
    {
        try
        {
            var templates = ModelTemplates.Read(model);
            if (!templates.TryGetValue("default", out var template))
            {
                obstacle = templates.Count == 0
                    ? $"the model has no {FileName}: it continues text but cannot chat; use text input."
                    : $"the model has no chat template 'default', only {string.Join(", ", templates.Keys.Order(StringComparer.Ordinal))}; use text input.";
                return null;
            }
            if (template.Text.TrimEnd('\n', '\r') == Text) _ = tokenizer.Chat;
            obstacle = null;
            return new ChatTemplate(tokenizer, clock, ModelTemplates.ControlTokens(model, tokenizer), template, templates.TryGetValue("tool_use", out var withTools) ? withTools : null);
        }
        catch (UserErrorException exception)
        {
            obstacle = exception.Message;
            return null;
        }
    }

    /// <summary>What reads the model's answers to a prompt.</summary>
    internal ChatAnswers? Answers(int[] prompt, int choices, Grammars.AnswerForm? form = null) => Format.IsPlain ? null : new ChatAnswers(Format, _tokenizer, prompt, choices, form);

    internal TemplateText RenderText(GenerationInput.Messages conversation, bool addGenerationPrompt)
    {
        var template = conversation.Tools is { Count: > 0 } && _withTools is not null ? _withTools : _template;
        if (conversation.Tools is { Count: > 0 } && !SupportsTools)
            throw new RequestException("tools", "tools were given, but the model's chat template does not show tools to the model.");
        try
        {
            return template.Render(_values.Of(conversation, _controlTokens, addGenerationPrompt), _clock);
        }
        catch (TemplateException error)
        {
            throw new RequestException("messages", error.Raised ? $"the model's chat template refuses the conversation: {error.Reason}"
                : $"the model's chat template cannot render the conversation (line {error.Line}): {error.Reason}.");
        }
    }

    private static Template Read((string Source, string Text) template)
    {
        try
        {
            return new Template(template.Text);
        }
        catch (TemplateException error)
        {
            throw new UserErrorException($"{template.Source}: line {error.Line}: {error.Reason}; the model cannot chat. Use text input.", error);
        }
    }

    // Where tools have to be given so that they change what is written; null where they never do.
    private ToolsPlace? PlaceOfTools(IReadOnlySet<string> mentioned)
    {
        if (!mentioned.Contains("tools") && !mentioned.Contains("xml_tools")) return null;
        var plain = new GenerationInput.Messages([new("user", "a")]);
        var withTools = plain with { Tools = [new("oellm_probe", "a", """{"type": "object", "properties": {"b": {"type": "string", "description": "c"}}, "required": ["b"]}""")] };
        string? without = TryRender(_values, plain);
        foreach (var place in Enum.GetValues<ToolsPlace>())
        {
            if (TryRender(_values with { Tools = place }, withTools) is not { } shown) continue;
            // A message of the system alone changes what is written, too.
            if (place == ToolsPlace.SystemMessage ? shown.Contains("oellm_probe", StringComparison.Ordinal) : shown != without) return place;
        }
        return null;
    }

    private string? TryRender(ConversationValues values, GenerationInput.Messages conversation)
    {
        try
        {
            return (_withTools ?? _template).Render(values.Of(conversation, _controlTokens, addGenerationPrompt: true), _clock).Value;
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    // Whether a call comes out whole only when its arguments are given as JSON text.
    private bool WantsArgumentsAsText()
    {
        const string mark = "oellm_probe";
        string? mapped = Probe(_values), written = Probe(_values with { ArgumentsAsText = true });
        return (mapped is null || mapped.Contains($"'{mark}'", StringComparison.Ordinal)) && written is not null && written.Contains($"\"{mark}\"", StringComparison.Ordinal);

        string? Probe(ConversationValues values)
        {
            var call = new ChatMessage("assistant", "") { ToolCalls = [new ToolCall("abcdefghi", "f", $$"""{"{{mark}}": 1}""")] };
            return TryRender(values, new([new("user", "a"), call, new("tool", "b") { ToolCallId = "abcdefghi", Name = "f" }]));
        }
    }
}
