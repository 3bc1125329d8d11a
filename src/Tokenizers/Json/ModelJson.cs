using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The models as they stand in <c>tokenizer.json</c>.</summary>
internal static class ModelJson
{
    private const int DefaultLongestWord = 100;

    public static ModelSettings Read(JsonPart part) => (part.Has("type") ? part.Type : Guess(part)) switch
    {
        "BPE" => ReadBpe(part),
        "Unigram" => ReadUnigram(part),
        "WordPiece" => ReadWordPiece(part),
        "WordLevel" => ReadWordLevel(part),
        _ => throw part.RefuseType("BPE, Unigram, WordPiece, WordLevel"),
    };

    public static void Write(Utf8JsonWriter json, ModelSettings model)
    {
        json.WriteStartObject("model");
        switch (model)
        {
            case BpeSettings settings:
                json.WriteString("type", "BPE");
                json.WriteNull("dropout");
                WriteText("unk_token", settings.UnknownId is int unknown ? Encoding.UTF8.GetString(settings.Tokens[unknown]!) : null);
                WriteText("continuing_subword_prefix", settings.ContinuingSubwordPrefix);
                WriteText("end_of_word_suffix", settings.EndOfWordSuffix);
                json.WriteBoolean("fuse_unk", settings.FuseUnknown);
                json.WriteBoolean("byte_fallback", settings.ByteFallback);
                json.WriteBoolean("ignore_merges", settings.IgnoreMerges);
                VocabularyJson.Write(json, settings.Tokens);
                VocabularyJson.WriteMerges(json, settings.Tokens, settings.Merges);
                break;
            case UnigramSettings settings:
                json.WriteString("type", "Unigram");
                if (settings.UnknownId is int id)
                    json.WriteNumber("unk_id", id);
                else
                    json.WriteNull("unk_id");
                json.WriteStartArray("vocab");
                foreach (var piece in settings.Pieces)
                {
                    json.WriteStartArray();
                    json.WriteStringValue(piece.Text);
                    json.WriteNumberValue(piece.Score);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
                json.WriteBoolean("byte_fallback", settings.ByteFallback);
                break;
            case WordPieceSettings settings:
                json.WriteString("type", "WordPiece");
                json.WriteString("unk_token", settings.Tokens[settings.UnknownId]);
                json.WriteString("continuing_subword_prefix", settings.ContinuingSubwordPrefix);
                json.WriteNumber("max_input_chars_per_word", settings.LongestWordCharacters);
                VocabularyJson.Write(json, settings.Tokens);
                break;
            case WordLevelSettings settings:
                json.WriteString("type", "WordLevel");
                VocabularyJson.Write(json, settings.Tokens);
                json.WriteString("unk_token", settings.Unknown);
                break;
            default:
                throw new ArgumentException($"{model.GetType().Name} has no form in tokenizer.json.", nameof(model));
        }
        json.WriteEndObject();

        void WriteText(string key, string? text)
        {
            if (text is null)
                json.WriteNull(key);
            else
                json.WriteString(key, text);
        }
    }

    /// <summary>Files of the first versions do not say what the model is.</summary>
    private static string Guess(JsonPart part) =>
        part.Has("merges") ? "BPE"
        : part.Has("vocab") && part.Element.GetProperty("vocab").ValueKind == JsonValueKind.Array ? "Unigram"
        : part.Has("max_input_chars_per_word") || part.Has("continuing_subword_prefix") ? "WordPiece"
        : part.Has("vocab") && part.Has("unk_token") ? "WordLevel"
        : part.Type;

    private static BpeSettings ReadBpe(JsonPart part)
    {
        part.Allow("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (part.Has("dropout") && !(part.Element.GetProperty("dropout") is { ValueKind: JsonValueKind.Number } dropout && dropout.TryGetDouble(out double share) && share == 0))
            throw part.Refuse($"{part.Name}.dropout is {JsonPart.Shown(part.Element.GetProperty("dropout").ToString())}, which encodes at random; expected null or 0");
        var (ids, tokens) = VocabularyJson.Read(part);
        string? prefix = part.OptionalText("continuing_subword_prefix");
        return new BpeSettings(tokens, VocabularyJson.ReadMerges(part, ids, prefix ?? ""), Unknown(part, ids), prefix, part.OptionalText("end_of_word_suffix"),
            part.Flag("fuse_unk", absent: false), part.Flag("byte_fallback", absent: false), part.Flag("ignore_merges", absent: false));
    }

    private static UnigramSettings ReadUnigram(JsonPart part)
    {
        part.Allow("unk_id", "vocab", "byte_fallback");
        var pieces = new List<UnigramPiece>();
        foreach (var item in part.List("vocab"))
        {
            var pair = item.Element;
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String || pair[1].ValueKind != JsonValueKind.Number
                || !pair[1].TryGetDouble(out double score) || !double.IsFinite(score))
                throw item.Refuse($"{item.Name} is {JsonPart.Shown(pair.ToString())}; expected a token and its score");
            pieces.Add(new UnigramPiece(Encoding.UTF8.GetBytes(pair[0].GetString()!), score));
        }
        if (pieces.Count is 0 or > JsonPart.MaximumId)
            throw part.Refuse($"{part.Name}.vocab has {pieces.Count} tokens; expected 1 to {JsonPart.MaximumId}");
        return new UnigramSettings(pieces, part.Has("unk_id") ? part.Number("unk_id", 0, pieces.Count - 1) : null, part.Flag("byte_fallback", absent: false));
    }

    private static WordPieceSettings ReadWordPiece(JsonPart part)
    {
        part.Allow("unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab");
        var (ids, tokens) = VocabularyJson.Read(part);
        return new WordPieceSettings(tokens, Unknown(part, ids) ?? throw part.Refuse($"{part.Name}.unk_token is missing; expected a token"),
            part.Text("continuing_subword_prefix", absent: "##"), part.Has("max_input_chars_per_word") ? part.Number("max_input_chars_per_word", 0, int.MaxValue) : DefaultLongestWord);
    }

    private static WordLevelSettings ReadWordLevel(JsonPart part)
    {
        part.Allow("unk_token", "vocab");
        var (ids, tokens) = VocabularyJson.Read(part);
        string unknown = part.Text("unk_token");
        return new WordLevelSettings(tokens, ids.TryGetValue(unknown, out int id) ? id : null, unknown);
    }

    private static int? Unknown(JsonPart part, Dictionary<string, int> ids) => part.OptionalText("unk_token") switch
    {
        null => null,
        var text when ids.TryGetValue(text, out int id) => id,
        var text => throw part.Refuse($"{part.Name}.unk_token is '{JsonPart.Shown(text)}', which is not in the vocabulary; expected a token"),
    };
}
