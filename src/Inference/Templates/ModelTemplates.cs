using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>The chat templates of a model folder or a GGUF file, and the special tokens that they may name.</summary>
internal static class ModelTemplates
{
    private const string ConfigName = "tokenizer_config.json", MapName = "special_tokens_map.json", MoreTemplates = "additional_chat_templates";
    private const string DefaultName = "default", TemplateKey = "tokenizer.chat_template";
    private const int MostTemplates = 64, MostControlTokens = 4096;

    /// <summary>The templates by name, each with the file it is from: a template file wins over the older field, and a file of a name over both.</summary>
    /// <exception cref="UserErrorException">A file is malformed.</exception>
    public static Dictionary<string, (string Source, string Text)> Read(ModelPlace model)
    {
        var found = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        if (model.File is { } file) ReadFile(file, found);
        else ReadFolder(model.Path, found);
        return found;
    }

    /// <summary>The special tokens by name (<c>bos_token</c>), as the model's files have them.</summary>
    /// <exception cref="UserErrorException">A file is malformed.</exception>
    public static Dictionary<string, string> ControlTokens(ModelPlace model, Tokenizer tokenizer) => model.File is { } file ? FileTokens(file, tokenizer) : FolderTokens(model.Path);

    private static void ReadFile(GgufFile file, Dictionary<string, (string, string)> found)
    {
        foreach (var (key, _) in file.Metadata)
        {
            if (key == TemplateKey) found[DefaultName] = (key, file.Text(key)!);
            else if (key.StartsWith(TemplateKey + ".", StringComparison.Ordinal) && found.Count < MostTemplates) found[key[(TemplateKey.Length + 1)..]] = (key, file.Text(key)!);
        }
    }

    private static Dictionary<string, string> FileTokens(GgufFile file, Tokenizer tokenizer)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, name) in (ReadOnlySpan<(string, string)>)[("bos", "bos"), ("eos", "eos"), ("unknown", "unk"), ("padding", "pad"), ("seperator", "sep")])
        {
            if (file.Value($"tokenizer.ggml.{key}_token_id")?.Integer is { } id && id >= 0 && id < tokenizer.VocabularySize && tokenizer.Contains((int)id))
                tokens[name + "_token"] = Encoding.UTF8.GetString(tokenizer.TokenBytes((int)id));
        }
        return tokens;
    }

    private static void ReadFolder(string folder, Dictionary<string, (string, string)> found)
    {
        using (var config = GenerationSettings.ReadJson(folder, ConfigName))
            if (config is not null && config.RootElement.TryGetProperty("chat_template", out var field)) AddField(folder, field, found);
        string path = Path.Combine(folder, ChatTemplate.FileName);
        if (File.Exists(path)) found[DefaultName] = (ChatTemplate.FileName, Contents(path));
        string more = Path.Combine(folder, MoreTemplates);
        if (!Directory.Exists(more)) return;
        foreach (string file in Directory.EnumerateFiles(more, "*.jinja").Order(StringComparer.Ordinal).Take(MostTemplates))
            found[Path.GetFileNameWithoutExtension(file)] = (MoreTemplates + "/" + Path.GetFileName(file), Contents(file));
    }

    private static Dictionary<string, string> FolderTokens(string folder)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in (ReadOnlySpan<string>)[MapName, ConfigName])
        {
            using var file = GenerationSettings.ReadJson(folder, name);
            if (file is null) continue;
            foreach (var property in file.RootElement.EnumerateObject())
            {
                if (property.Name == "extra_special_tokens" && property.Value.ValueKind == JsonValueKind.Object)
                    foreach (var extra in property.Value.EnumerateObject().Take(MostControlTokens)) Add(extra.Name, extra.Value);
                else if (property.Name.EndsWith("_token", StringComparison.Ordinal) && property.Name is not ("add_bos_token" or "add_eos_token")) Add(property.Name, property.Value);
            }
        }
        return tokens;

        void Add(string name, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out var content)) value = content;
            if (value.ValueKind == JsonValueKind.String) tokens[name] = Text(value, folder);
        }
    }

    private static void AddField(string folder, JsonElement field, Dictionary<string, (string, string)> found)
    {
        const string source = ConfigName + " (chat_template)";
        switch (field.ValueKind)
        {
            case JsonValueKind.Null: return;
            case JsonValueKind.String:
                found[DefaultName] = (source, Text(field, folder));
                return;
            case JsonValueKind.Array:
                foreach (var item in field.EnumerateArray().Take(MostTemplates))
                {
                    if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("name", out var name) || !item.TryGetProperty("template", out var template) ||
                        name.ValueKind != JsonValueKind.String || template.ValueKind != JsonValueKind.String)
                        throw Malformed(folder, "a list with something else than {\"name\", \"template\"}");
                    found[Text(name, folder)] = ($"{ConfigName} (chat_template '{Text(name, folder)}')", Text(template, folder));
                }
                return;
            default: throw Malformed(folder, $"a JSON {field.ValueKind}");
        }
    }

    private static UserErrorException Malformed(string folder, string found) =>
        new($"{Path.Combine(folder, ConfigName)}: chat_template is {found}; expected a text or a list of templates with names.");

    private static string Text(JsonElement value, string folder)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new UserErrorException($"{Path.Combine(folder, ConfigName)}: a text holds half a surrogate pair; expected whole characters.", error);
        }
    }

    private static string Contents(string path)
    {
        const int longest = TemplateParser.LongestTemplate * 4;
        long bytes = new FileInfo(path).Length;
        return bytes <= longest ? File.ReadAllText(path) : throw new UserErrorException($"{path}: has {bytes} bytes; expected a template of at most {longest}.");
    }
}
