using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The bytes of <c>tokenizer.json</c>. Whatever would change ids and is not known here is refused by name: ids that are almost
/// right make a model quietly worse.</summary>
internal static class TokenizerJson
{
    public static readonly JsonWriterOptions Writing = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] TopLevel =
        ["version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"];

    private static readonly string[] ModelKeys =
    [
        "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges",
    ];

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="where">The file's path, for messages.</param>
    /// <param name="configuration">The bytes of <c>tokenizer_config.json</c>, kept for writing back.</param>
    public static Tokenizer Parse(ReadOnlyMemory<byte> json, string where, byte[]? configuration = null)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(new Reading(where), document.RootElement, configuration);
        }
        // The second comes from text that is no valid Unicode.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{where}: is not valid JSON: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }

    /// <summary>Writes a tokenizer: indented, one token and one merge a line.</summary>
    public static byte[] Write(Tokenizer tokenizer)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, tokenizer.Added);
            json.WriteNull("normalizer");
            WriteComponents(json, tokenizer.Surroundings.PostProcessor);
            WriteModel(json, tokenizer.Model);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The post-processor that makes other programs start a text with a control token.</summary>
    public static string StartingWith(string content, int id)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            json.WriteString("type", "TemplateProcessing");
            json.WriteStartArray("single");
            WritePiece(json, "SpecialToken", content, 0);
            WritePiece(json, "Sequence", "A", 0);
            json.WriteEndArray();
            json.WriteStartArray("pair");
            WritePiece(json, "SpecialToken", content, 0);
            WritePiece(json, "Sequence", "A", 0);
            WritePiece(json, "SpecialToken", content, 1);
            WritePiece(json, "Sequence", "B", 1);
            json.WriteEndArray();
            json.WriteStartObject("special_tokens");
            json.WriteStartObject(content);
            json.WriteString("id", content);
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(content);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static Tokenizer Read(Reading file, JsonElement root, byte[]? configuration)
    {
        file.RequireKeys(root, "the file", TopLevel);
        file.RequireText(root, "version", "version", "1.0");
        file.RequireAbsent(root, "truncation", "truncation");
        file.RequireAbsent(root, "padding", "padding");
        file.RequireAbsent(root, "normalizer", "normalizer");
        RequirePreTokenizer(file, file.Object(root, "pre_tokenizer", "pre_tokenizer"));
        string? postProcessor = ReadPostProcessor(file, root);
        RequireType(file, file.Object(root, "decoder", "decoder"), "decoder", "ByteLevel");
        var added = ReadAddedTokens(file, root);
        var model = ReadModel(file, file.Object(root, "model", "model"), added);
        foreach (var token in added.Where(token => token.Special))
            if (model.Merges.Any(merge => merge.Merged == token.Id))
                throw file.Refuse($"the control token '{token.Content}' is also made by a merge, so text could become it; remove that merge");
        return new Tokenizer(model, added, new TokenizerSurroundings(postProcessor, configuration));
    }

    private static void RequirePreTokenizer(Reading file, JsonElement preTokenizer)
    {
        const string expected = "a Sequence of Split and ByteLevel";
        RequireType(file, preTokenizer, "pre_tokenizer", "Sequence");
        if (!preTokenizer.TryGetProperty("pretokenizers", out var steps) || steps.ValueKind != JsonValueKind.Array)
            throw file.Refuse($"pre_tokenizer has no list 'pretokenizers'; expected {expected}");
        foreach (var step in steps.EnumerateArray())
            if (Reading.Type(step) is not ("Split" or "ByteLevel"))
                throw file.Refuse($"pre_tokenizer '{Reading.Type(step)}' is not known here; expected {expected}");
        if (steps.GetArrayLength() != 2 || Reading.Type(steps[0]) != "Split" || Reading.Type(steps[1]) != "ByteLevel")
            throw file.Refuse($"pre_tokenizer has other steps; expected {expected}");
        file.RequireKeys(steps[0], "Split", ["type", "pattern", "behavior", "invert"]);
        string? pattern = steps[0].TryGetProperty("pattern", out var given) && given.ValueKind == JsonValueKind.Object
            && given.TryGetProperty("Regex", out var regex) ? regex.GetString() : null;
        if (pattern != SplitPattern.Regex)
            throw file.Refuse($"the split pattern '{pattern ?? given.ToString()}' is not known here; expected the one of Llama 3");
        file.RequireText(steps[0], "behavior", "Split.behavior", "Isolated");
        file.RequireFalse(steps[0], "invert", "Split.invert", absentMeansFalse: false);
        file.RequireKeys(steps[1], "ByteLevel", ["type", "add_prefix_space", "trim_offsets", "use_regex"]);
        file.RequireFalse(steps[1], "add_prefix_space", "ByteLevel.add_prefix_space", absentMeansFalse: false);
        file.RequireFalse(steps[1], "use_regex", "ByteLevel.use_regex", absentMeansFalse: false);
    }

    private static string? ReadPostProcessor(Reading file, JsonElement root)
    {
        if (!root.TryGetProperty("post_processor", out var processor) || processor.ValueKind == JsonValueKind.Null)
            return null;
        RequireKnown(processor);
        return processor.GetRawText();

        void RequireKnown(JsonElement element)
        {
            switch (Reading.Type(element))
            {
                case "ByteLevel" or "TemplateProcessing":
                    break;
                case "Sequence" when element.TryGetProperty("processors", out var parts) && parts.ValueKind == JsonValueKind.Array:
                    foreach (var part in parts.EnumerateArray())
                        RequireKnown(part);
                    break;
                case var other:
                    throw file.Refuse($"post_processor '{other}' is not known here; expected ByteLevel or TemplateProcessing");
            }
        }
    }

    private static void RequireType(Reading file, JsonElement element, string component, string expected)
    {
        if (Reading.Type(element) != expected)
            throw file.Refuse($"{component} '{Reading.Type(element)}' is not known here; expected {expected}");
    }

    private static List<AddedToken> ReadAddedTokens(Reading file, JsonElement root)
    {
        var added = new List<AddedToken>();
        if (!root.TryGetProperty("added_tokens", out var list) || list.ValueKind == JsonValueKind.Null)
            return added;
        if (list.ValueKind != JsonValueKind.Array)
            throw file.Refuse("added_tokens is no list");
        var contents = new HashSet<string>(StringComparer.Ordinal);
        var ids = new HashSet<int>();
        foreach (var item in list.EnumerateArray())
        {
            file.RequireKeys(item, "an added token", ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"]);
            if (!item.TryGetProperty("content", out var text) || text.ValueKind != JsonValueKind.String || text.GetString() is not { Length: > 0 } content)
                throw file.Refuse("an added token has no content");
            if (!item.TryGetProperty("id", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out int id) || id is < 0 or > Reading.MaximumId)
                throw file.Refuse($"added token '{content}' has no id from 0 to {Reading.MaximumId}");
            foreach (string matching in (string[])["single_word", "lstrip", "rstrip"])
                file.RequireFalse(item, matching, $"added token '{content}': {matching}");
            if (!contents.Add(content) || !ids.Add(id))
                throw file.Refuse($"added token '{content}' (id {id}) stands there twice");
            added.Add(new AddedToken(id, content, item.TryGetProperty("special", out var special) && special.ValueKind == JsonValueKind.True));
        }
        return added;
    }

    private static BpeModel ReadModel(Reading file, JsonElement model, List<AddedToken> added)
    {
        RequireType(file, model, "model", "BPE");
        file.RequireKeys(model, "model", ModelKeys);
        foreach (string key in (string[])["dropout", "unk_token"])
            file.RequireAbsent(model, key, $"model.{key}");
        foreach (string key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (model.TryGetProperty(key, out var affix) && affix.ValueKind != JsonValueKind.Null && !affix.ValueEquals(""))
                throw file.Refuse($"model.{key} is '{affix}', which is not known here; expected null");
        foreach (string key in (string[])["fuse_unk", "byte_fallback"])
            file.RequireFalse(model, key, $"model.{key}");
        bool ignoreMerges = model.TryGetProperty("ignore_merges", out var ignore) && ignore.ValueKind == JsonValueKind.True;

        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        byte[]?[] tokens = ReadVocabulary(file, file.Object(model, "vocab", "model.vocab"), added, vocabulary);
        var merges = ReadMerges(file, model, vocabulary);
        for (int value = 0; value < 256; value++)
            if (!vocabulary.ContainsKey(ByteAlphabet.ToCharacter((byte)value).ToString()))
                throw file.Refuse($"byte {value} has no token, so some texts could not be encoded; expected all 256");
        return new BpeModel(tokens, merges, ignoreMerges);
    }

    private static byte[]?[] ReadVocabulary(Reading file, JsonElement vocab, List<AddedToken> added, Dictionary<string, int> vocabulary)
    {
        var addedContents = added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        var addedIds = added.ToDictionary(token => token.Id, token => token.Content);
        var byId = new SortedDictionary<int, byte[]>();
        foreach (var entry in vocab.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || id is < 0 or > Reading.MaximumId)
                throw file.Refuse($"model.vocab: token '{entry.Name}' has the id {entry.Value}; expected 0 to {Reading.MaximumId}");
            // Some writers list added tokens in the vocabulary too. They stay matched as a whole only: no text becomes one.
            if (addedContents.TryGetValue(entry.Name, out int addedId))
            {
                if (addedId != id)
                    throw file.Refuse($"model.vocab: token '{entry.Name}' has the id {id} and as an added token {addedId}; expected one id");
                continue;
            }
            if (addedIds.TryGetValue(id, out string? content))
                throw file.Refuse($"model.vocab: token '{entry.Name}' has the id {id} of the added token '{content}'; expected ids used once");
            byte[] bytes = ByteAlphabet.ToBytes(entry.Name) is { Length: > 0 } known ? known
                : throw file.Refuse($"model.vocab: token '{entry.Name}' (id {id}) holds characters outside the byte alphabet; this is no byte-level vocabulary");
            if (!byId.TryAdd(id, bytes))
                throw file.Refuse($"model.vocab: id {id} stands there twice");
            vocabulary.Add(entry.Name, id);
        }
        byte[]?[] tokens = new byte[]?[byId.Count == 0 ? 0 : byId.Keys.Last() + 1];
        foreach (var (id, bytes) in byId)
            tokens[id] = bytes;
        return tokens;
    }

    private static List<Merge> ReadMerges(Reading file, JsonElement model, Dictionary<string, int> vocabulary)
    {
        if (!model.TryGetProperty("merges", out var list) || list.ValueKind != JsonValueKind.Array)
            throw file.Refuse("model.merges is no list");
        var merges = new List<Merge>(list.GetArrayLength());
        var seen = new PairTable(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
        {
            string[] parts = item.ValueKind switch
            {
                JsonValueKind.String => item.GetString()!.Split(' '),   // the older form "a b"; a space inside a token is another character
                JsonValueKind.Array when item.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) =>
                    [.. item.EnumerateArray().Select(part => part.GetString()!)],
                _ => [],
            };
            if (parts.Length != 2)
                throw file.Refuse($"model.merges: merge {merges.Count} is {item}; expected two tokens");
            var merge = new Merge(Id(parts[0]), Id(parts[1]), Id(parts[0] + parts[1]));
            if (seen.FindOrAdd(PairTable.Key(merge.Left, merge.Right)) != merges.Count)
                throw file.Refuse($"model.merges: merge {merges.Count} ('{parts[0]}' '{parts[1]}') stands there twice");
            merges.Add(merge);
        }
        return merges;

        int Id(string token) => vocabulary.TryGetValue(token, out int id) ? id
            : throw file.Refuse($"model.merges: merge {merges.Count} needs the token '{token}', which is not in the vocabulary");
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, IReadOnlyList<AddedToken> added)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in added)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteComponents(Utf8JsonWriter json, string? postProcessor)
    {
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", SplitPattern.Regex);
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        WriteByteLevel(json);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WritePropertyName("post_processor");
        if (postProcessor is null)
            json.WriteNullValue();
        else
            WriteIndented(json, postProcessor);
        json.WritePropertyName("decoder");
        WriteByteLevel(json);
    }

    private static void WriteByteLevel(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", false);
        json.WriteEndObject();
    }

    private static void WriteIndented(Utf8JsonWriter json, string raw)
    {
        using var parsed = JsonDocument.Parse(raw);
        parsed.WriteTo(json);
    }

    private static void WriteModel(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", model.IgnoreMerges);
        string?[] texts = [.. model.Tokens.Select(token => token is null ? null : ByteAlphabet.ToText(token))];
        json.WriteStartObject("vocab");
        for (int id = 0; id < texts.Length; id++)
            if (texts[id] is { } text)
                json.WriteNumber(text, id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var merge in model.Merges)
            json.WriteRawValue($"[\"{Escape(texts[merge.Left]!)}\", \"{Escape(texts[merge.Right]!)}\"]", skipInputValidation: true);
        json.WriteEndArray();
        json.WriteEndObject();

        static string Escape(string text) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text);
    }

    private static void WritePiece(Utf8JsonWriter json, string kind, string id, int type)
    {
        json.WriteStartObject();
        json.WriteStartObject(kind);
        json.WriteString("id", id);
        json.WriteNumber("type_id", type);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Checks with messages that name the file.</summary>
    private sealed class Reading(string where)
    {
        public const int MaximumId = (1 << 24) - 1;

        public static string Type(JsonElement element) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
                ? type.GetString()! : element.ValueKind == JsonValueKind.Null ? "null" : "(no type)";

        public UserErrorException Refuse(string what) => new($"{where}: {what.ReplaceLineEndings(" ")}.");

        public JsonElement Object(JsonElement parent, string key, string name) =>
            parent.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Object ? value : throw Refuse($"{name} is missing or no object");

        public void RequireKeys(JsonElement element, string name, string[] known)
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw Refuse($"{name} is no object");
            foreach (var property in element.EnumerateObject())
                if (!known.Contains(property.Name, StringComparer.Ordinal))
                    throw Refuse($"{name} has the field '{property.Name}', which is not known here; known: {string.Join(", ", known)}");
        }

        public void RequireText(JsonElement parent, string key, string name, string expected)
        {
            if (!parent.TryGetProperty(key, out var value) || value.ValueKind != JsonValueKind.String || !value.ValueEquals(expected))
                throw Refuse($"{name} is {(value.ValueKind == JsonValueKind.Undefined ? "missing" : $"'{value}'")}; expected '{expected}'");
        }

        public void RequireAbsent(JsonElement parent, string key, string name)
        {
            if (parent.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null)
                throw Refuse($"{name} '{(value.ValueKind == JsonValueKind.Object ? Type(value) : value)}' is not known here; expected null");
        }

        public void RequireFalse(JsonElement parent, string key, string name, bool absentMeansFalse = true)
        {
            bool present = parent.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;
            if (present ? value.ValueKind != JsonValueKind.False : !absentMeansFalse)
                throw Refuse($"{name} is {(present ? value : "missing")}, which is not known here; expected false");
        }
    }
}
