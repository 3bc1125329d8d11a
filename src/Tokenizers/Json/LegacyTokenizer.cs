using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Folders from before <c>tokenizer.json</c>: <c>vocab.json</c> and <c>merges.txt</c> of a byte-level tokenizer, with added tokens in
/// <c>added_tokens.json</c>, <c>special_tokens_map.json</c> and <c>tokenizer_config.json</c>. They are read and never written.</summary>
internal static class LegacyTokenizer
{
    public const string VocabularyName = "vocab.json";
    public const string MergesName = "merges.txt";
    private const string AddedName = "added_tokens.json";
    private const string SpecialName = "special_tokens_map.json";

    private static readonly string[] NamedTokens = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "additional_special_tokens", "extra_special_tokens"];

    /// <summary>Whether a folder holds such files.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, VocabularyName)) && File.Exists(Path.Combine(folder, MergesName));

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="read">Reads one of its files.</param>
    /// <param name="configuration">The bytes of <c>tokenizer_config.json</c>, or null.</param>
    /// <exception cref="UserErrorException">A file is damaged, or the tokenizer is of a class that is not known here.</exception>
    public static Tokenizer Load(string folder, Func<string, byte[]> read, byte[]? configuration)
    {
        string vocabularyPath = Path.Combine(folder, VocabularyName), mergesPath = Path.Combine(folder, MergesName);
        try
        {
            using var vocabulary = Parse($"{{\"vocab\":{Encoding.UTF8.GetString(read(vocabularyPath))}}}");
            var (ids, tokens) = VocabularyJson.Read(new JsonPart(vocabularyPath, "", vocabulary.RootElement));
            var merges = ReadMerges(Encoding.UTF8.GetString(read(mergesPath)), mergesPath, ids);
            using var settings = Parse(configuration is null ? "{}" : Encoding.UTF8.GetString(configuration));
            var part = new JsonPart(Path.Combine(folder, TokenizerFolder.ConfigurationName), "", settings.RootElement);
            var added = new AddedList(ids);
            foreach (string name in (string[])[SpecialName, TokenizerFolder.ConfigurationName])
                if (File.Exists(Path.Combine(folder, name)))
                    using (var document = Parse(Encoding.UTF8.GetString(read(Path.Combine(folder, name)))))
                        added.AddNamed(new JsonPart(Path.Combine(folder, name), "", document.RootElement), NamedTokens);
            if (File.Exists(Path.Combine(folder, AddedName)))
                using (var document = Parse(Encoding.UTF8.GetString(read(Path.Combine(folder, AddedName)))))
                    added.AddIds(new JsonPart(Path.Combine(folder, AddedName), "", document.RootElement));
            added.AddDescribed(part);
            var (normalizer, preTokenizer) = Steps(part);
            return new Tokenizer(new TokenizerParts(new BpeSettings(tokens, merges), added.All(), normalizer, preTokenizer, Decoder: new ByteLevelDecoder(UseRegex: true)), configuration);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{folder}: a file of the tokenizer is not valid JSON: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }

    private static JsonDocument Parse(string json) => JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });

    /// <summary>The classes whose steps are known; one without a name is that of GPT-2.</summary>
    private static (INormalizer? Normalizer, IPreTokenizer PreTokenizer) Steps(JsonPart configuration)
    {
        bool prefix = configuration.Flag("add_prefix_space", absent: false);
        string kind = configuration.Text("tokenizer_class", absent: "GPT2Tokenizer");
        return kind switch
        {
            "GPT2Tokenizer" or "GPT2TokenizerFast" or "PreTrainedTokenizerFast" => (null, new ByteLevelPreTokenizer(prefix, TrimOffsets: true, UseRegex: true)),
            "Qwen2Tokenizer" or "Qwen2TokenizerFast" => (UnicodeForm.Nfc, new PreTokenizerSequence(
            [
                new SplitPreTokenizer(new TextPattern(SplitPatterns.Qwen2, SplitPatterns.Scanner.Qwen2), SplitBehavior.Isolated, Invert: false),
                new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: false, UseRegex: false),
            ])),
            _ => throw configuration.Refuse($"tokenizer_class '{JsonPart.Shown(kind)}' is not known without a tokenizer.json; known: GPT2Tokenizer, Qwen2Tokenizer. Convert it with the program that made it"),
        };
    }

    private static List<Merge> ReadMerges(string text, string path, Dictionary<string, int> ids)
    {
        var merges = new MergeList(ids, "", 16, what => new UserErrorException($"{path}: {what}."));
        foreach (var range in text.AsSpan().Split('\n'))
        {
            string line = text[range].TrimEnd('\r');
            if (line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
                merges.Add(line.Split(' '));
        }
        return merges.All;
    }

    /// <summary>Added tokens as several files tell of them.</summary>
    private sealed class AddedList(Dictionary<string, int> vocabulary)
    {
        private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
        private readonly HashSet<string> _special = new(StringComparer.Ordinal);

        /// <summary>Special tokens by their part: <c>{"eos_token": "…" or {"content": …}}</c>, and lists of them.</summary>
        public void AddNamed(JsonPart part, IReadOnlyList<string> names)
        {
            foreach (string name in names.Where(part.Has))
            {
                if (part.Element.GetProperty(name).ValueKind == JsonValueKind.Array)
                    foreach (var item in part.List(name))
                        AddSpecial(item);
                else
                    AddSpecial(part.Part(name));
            }

            void AddSpecial(JsonPart item) => _special.Add(item.Element.ValueKind == JsonValueKind.String ? item.Element.GetString()! : item.Text("content", absent: ""));
        }

        /// <summary><c>{"content": id}</c></summary>
        public void AddIds(JsonPart part)
        {
            if (part.Element.ValueKind != JsonValueKind.Object)
                throw part.Refuse("the file is no object");
            foreach (var entry in part.Element.EnumerateObject())
                _tokens[entry.Name] = new AddedToken(part.Id(entry.Name), entry.Name, Special: false);
        }

        /// <summary><c>"added_tokens_decoder": {"id": {"content": …, flags}}</c></summary>
        public void AddDescribed(JsonPart configuration)
        {
            if (configuration.Optional("added_tokens_decoder") is not { } list)
                return;
            foreach (var entry in list.Element.EnumerateObject())
            {
                if (!int.TryParse(entry.Name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int id) || id > JsonPart.MaximumId)
                    throw list.Refuse($"{list.Name} has the key '{JsonPart.Shown(entry.Name)}'; expected a token id");
                var token = list.Part(entry.Name);
                string content = token.Text("content");
                bool special = token.Flag("special", absent: false);
                _tokens[content] = new AddedToken(id, content, special, token.Flag("single_word", absent: false), token.Flag("lstrip", absent: false), token.Flag("rstrip", absent: false),
                    token.Flag("normalized", absent: !special));
            }
        }

        /// <summary>All with an id; a special token that nothing gives one is left out.</summary>
        public List<AddedToken> All()
        {
            foreach (string content in _special)
            {
                if (_tokens.TryGetValue(content, out var token))
                    _tokens[content] = token with { Special = true };
                else if (vocabulary.TryGetValue(content, out int id) && content.Length > 0)
                    _tokens[content] = new AddedToken(id, content, Special: true);
            }
            return [.. _tokens.Values.Where(token => token.Content.Length is > 0 and <= AddedToken.LongestContentBytes / 3).DistinctBy(token => token.Id).OrderBy(token => token.Id)];
        }
    }
}
