using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Vocabularies and merges as they stand in <c>tokenizer.json</c>.</summary>
internal static class VocabularyJson
{
    private const int HolesPerToken = 16, FreeHoles = 1 << 20;

    /// <summary>A vocabulary by text, and its texts by id.</summary>
    public static (Dictionary<string, int> Ids, byte[]?[] Tokens) Read(JsonPart model)
    {
        var vocab = model.Part("vocab");
        if (vocab.Element.ValueKind != JsonValueKind.Object)
            throw vocab.Refuse($"{vocab.Name} is no object");
        var ids = new Dictionary<string, int>(vocab.Element.GetPropertyCount(), StringComparer.Ordinal);
        int highest = -1;
        foreach (var entry in vocab.Element.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || id is < 0 or > JsonPart.MaximumId)
                throw vocab.Refuse($"{vocab.Name}: token '{JsonPart.Shown(entry.Name)}' has the id {JsonPart.Shown(entry.Value.ToString())}; expected 0 to {JsonPart.MaximumId}");
            ids.Add(entry.Name, id);
            highest = Math.Max(highest, id);
        }
        if (highest > (long)HolesPerToken * ids.Count + FreeHoles)
            throw vocab.Refuse($"{vocab.Name} has {ids.Count} tokens and the id {highest}; expected ids without so many holes");
        byte[]?[] tokens = new byte[]?[highest + 1];
        foreach (var (text, id) in ids)
        {
            if (tokens[id] is not null)
                throw vocab.Refuse($"{vocab.Name}: id {id} stands there twice");
            tokens[id] = Encoding.UTF8.GetBytes(text);
        }
        return (ids, tokens);
    }

    /// <summary>Merges: pairs of texts, or both in one with a space between them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ids">The vocabulary.</param>
    /// <param name="prefix">What is left out of the right side when two become one.</param>
    public static List<Merge> ReadMerges(JsonPart model, Dictionary<string, int> ids, string prefix)
    {
        var list = model.Element.TryGetProperty("merges", out var found) && found.ValueKind == JsonValueKind.Array ? found : throw model.Refuse($"{model.Name}.merges is no list");
        var merges = new MergeList(ids, prefix, list.GetArrayLength(), what => model.Refuse($"{model.Name}.merges: {what}"));
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String)
                merges.Add(item.GetString()!.Split(' '));
            else if (item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 && item[0].ValueKind == JsonValueKind.String && item[1].ValueKind == JsonValueKind.String)
                merges.Add(item[0].GetString()!, item[1].GetString()!);
            else
                merges.Add(item.ToString());
        }
        return merges.All;
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<byte[]?> tokens)
    {
        json.WriteStartObject("vocab");
        for (int id = 0; id < tokens.Count; id++)
            if (tokens[id] is { } text)
                json.WriteNumber(text, id);
        json.WriteEndObject();
    }

    public static void WriteMerges(Utf8JsonWriter json, IReadOnlyList<byte[]?> tokens, IReadOnlyList<Merge> merges)
    {
        json.WriteStartArray("merges");
        foreach (var merge in merges)
            json.WriteRawValue($"[\"{Escaped(merge.Left)}\", \"{Escaped(merge.Right)}\"]", skipInputValidation: true);
        json.WriteEndArray();

        string Escaped(int id) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(Encoding.UTF8.GetString(tokens[id]!));
    }
}
