using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>The chat template of this project, as the text that model folders carry and as the ids that it renders to.</summary>
/// <remarks>The ids are built from parts, never from rendered text: content is encoded as plain text, so nothing that a user writes
/// becomes a control token.</remarks>
public static class ChatTemplate
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "chat_template.jinja";

    /// <summary>The template in Jinja, for <c>chat_template.jinja</c>; no line break at the end.</summary>
    public const string Text =
        "<|begin_of_text|>" +
        "{% for message in messages %}" +
        "{% if message['role'] not in ['system', 'user', 'assistant'] %}" +
        "{{ raise_exception('unknown role ' ~ message['role']) }}" +
        "{% endif %}" +
        "<|{{ message['role'] }}|>{{ message['content'] }}<|end_of_turn|>" +
        "{% endfor %}" +
        "{% if add_generation_prompt %}<|assistant|>{% endif %}";

    /// <summary>The roles that the template knows.</summary>
    public static IReadOnlyList<string> Roles { get; } = ["system", "user", "assistant"];

    /// <summary>Renders a conversation to token ids.</summary>
    /// <param name="messages">The turns, in order; roles of <see cref="Roles"/>.</param>
    /// <param name="tokenizer">A tokenizer with this project's chat tokens.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's turn is opened at the end.</param>
    /// <exception cref="UserErrorException">The tokenizer lacks a chat token.</exception>
    /// <exception cref="ArgumentException">A role is unknown.</exception>
    public static int[] Render(IReadOnlyList<ChatMessage> messages, Tokenizer tokenizer, bool addGenerationPrompt)
    {
        var control = tokenizer.Chat;
        var ids = new List<int> { control.BeginOfText };
        foreach (var (role, content) in messages)
        {
            ids.Add(role switch
            {
                "system" => control.System,
                "user" => control.User,
                "assistant" => control.Assistant,
                _ => throw new ArgumentException($"role '{role}' is unknown; known: {string.Join(", ", Roles)}.", nameof(messages)),
            });
            ids.AddRange(tokenizer.Encode(content, allowSpecial: false));
            ids.Add(control.EndOfTurn);
        }

        if (addGenerationPrompt) ids.Add(control.Assistant);
        return [.. ids];
    }

    /// <summary>Why conversations cannot be rendered for a model folder, or null when they can: its template is this project's own
    /// and its tokenizer has the chat tokens.</summary>
    internal static string? Obstacle(string folder, Tokenizer tokenizer)
    {
        var (found, file) = Find(folder);
        if (found is null)
            return $"the model has no {FileName}: it continues text but cannot chat; use text input.";
        if (found.TrimEnd('\n', '\r') != Text)
            return $"{file} of the model is not this project's own chat template; other templates are not rendered " +
                   "until the open-models work. Use text input.";
        try
        {
            _ = tokenizer.Chat;
            return null;
        }
        catch (UserErrorException exception)
        {
            return exception.Message;
        }
    }

    // The file wins over the older field of tokenizer_config.json.
    private static (string? Template, string? File) Find(string folder)
    {
        if (ModelPaths.IsGguf(folder))
        {
            const string key = "tokenizer.chat_template";
            using var file = GgufFile.Open(folder);
            return (file.Text(key), key);
        }

        string path = Path.Combine(folder, FileName);
        if (File.Exists(path)) return (File.ReadAllText(path), FileName);

        const string configName = "tokenizer_config.json";
        using var config = GenerationSettings.ReadJson(folder, configName);
        if (config is null || !config.RootElement.TryGetProperty("chat_template", out var template)) return (null, null);
        return template.ValueKind switch
        {
            JsonValueKind.Null => (null, null),
            JsonValueKind.String => (template.GetString(), configName + " (chat_template)"),
            _ => ("", configName + " (chat_template)"),    // a list of templates: certainly not ours
        };
    }
}
