using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The added tokens as they stand in <c>tokenizer.json</c>.</summary>
internal static class AddedTokenJson
{
    /// <param name="root">The file.</param>
    /// <param name="tokens">The model's tokens, which added ones may repeat and must not contradict.</param>
    public static List<AddedToken> Read(JsonPart root, IReadOnlyList<byte[]?> tokens)
    {
        var added = new List<AddedToken>();
        if (!root.Has("added_tokens"))
            return added;
        var contents = new HashSet<string>(StringComparer.Ordinal);
        var ids = new HashSet<int>();
        foreach (var item in root.List("added_tokens"))
        {
            item.Allow("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            string content = item.Text("content", absent: "");
            int bytes = Encoding.UTF8.GetByteCount(content);
            if (bytes is 0 or > AddedToken.LongestContentBytes)
                throw item.Refuse($"{item.Name} has a content of {bytes} bytes; expected 1 to {AddedToken.LongestContentBytes}");
            bool special = item.Flag("special", absent: false);
            var token = new AddedToken(item.Id("id"), content, special, item.Flag("single_word", absent: false), item.Flag("lstrip", absent: false),
                item.Flag("rstrip", absent: false), item.Flag("normalized", absent: !special));
            if (!contents.Add(content) || !ids.Add(token.Id))
                throw item.Refuse($"{item.Name}: added token '{JsonPart.Shown(content)}' (id {token.Id}) stands there twice");
            added.Add(token);
        }
        CompareWithModel(root, added, tokens);
        return added;
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<AddedToken> added)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in added)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("lstrip", token.LeftStrip);
            json.WriteBoolean("rstrip", token.RightStrip);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void CompareWithModel(JsonPart root, List<AddedToken> added, IReadOnlyList<byte[]?> tokens)
    {
        var byContent = added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        foreach (var token in added)
            if (token.Id < tokens.Count && tokens[token.Id] is { } text && !text.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(token.Content)))
                throw root.Refuse($"model.vocab: token '{JsonPart.Shown(Encoding.UTF8.GetString(text))}' has the id {token.Id} of the added token '{JsonPart.Shown(token.Content)}'; expected ids used once");
        var spans = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> characters = stackalloc char[AddedToken.LongestContentBytes];
        for (int id = 0; id < tokens.Count; id++)
        {
            if (tokens[id] is not { Length: <= AddedToken.LongestContentBytes } text)
                continue;
            int length = Encoding.UTF8.GetChars(text, characters);
            if (spans.TryGetValue(characters[..length], out int addedId) && addedId != id)
                throw root.Refuse($"model.vocab: token '{JsonPart.Shown(characters[..length].ToString())}' has the id {id} and as an added token {addedId}; expected one id");
        }
    }
}
