using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A byte-level tokenizer as metadata of a GGUF file (<c>tokenizer.ggml.*</c>).</summary>
public static class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Its model there: byte-level pair encoding.</summary>
    private const string Model = "gpt2";

    /// <summary>Its split pattern there: the one of Llama 3, the only one that is known here.</summary>
    private const string Split = "llama-bpe";

    private const int Normal = 1, Control = 3, UserDefined = 4, Unused = 5;

    /// <summary>The metadata of a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="size">Tokens of the model; ids without a token are filled as the format wants it.</param>
    /// <param name="beginOfTextId">The token before every text, or null.</param>
    /// <param name="endIds">Tokens that end a generation: the end of a text and the end of a turn, as far as there are several.</param>
    /// <param name="paddingId">The token for filling up, or null.</param>
    /// <exception cref="UserErrorException">The tokenizer has more tokens than the model.</exception>
    public static IEnumerable<KeyValuePair<string, object>> Describe(Tokenizer tokenizer, int size, int? beginOfTextId, IReadOnlyList<int> endIds, int? paddingId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(endIds);
        if (tokenizer.VocabularySize > size)
            throw new UserErrorException($"The tokenizer has {tokenizer.VocabularySize} tokens and the model {size}; expected at most as many. They do not belong together.");
        string[] tokens = new string[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++)
            (tokens[id], types[id]) = id < tokenizer.Model.Tokens.Count && tokenizer.Model.Tokens[id] is { } bytes ? (ByteAlphabet.ToText(bytes), Normal) : ($"[PAD{id}]", Unused);
        foreach (var token in tokenizer.Added)
            (tokens[token.Id], types[token.Id]) = (token.Content, token.Special ? Control : UserDefined);
        string[] merges = [.. tokenizer.Model.Merges.Select(merge => $"{tokens[merge.Left]} {tokens[merge.Right]}")];
        yield return new(Prefix + "model", Model);
        yield return new(Prefix + "pre", Split);
        yield return new(Prefix + "tokens", tokens);
        yield return new(Prefix + "token_type", types);
        yield return new(Prefix + "merges", merges);
        if (beginOfTextId is int begin)
        {
            yield return new(Prefix + "bos_token_id", (uint)begin);
            yield return new(Prefix + "add_bos_token", true);
        }
        int? endOfTurn = endIds.Cast<int?>().FirstOrDefault(id => id == tokenizer.TokenId(SpecialTokens.EndOfTurn));
        int? end = endIds.Cast<int?>().FirstOrDefault(id => id != endOfTurn) ?? endOfTurn;
        if (end is int last)
            yield return new(Prefix + "eos_token_id", (uint)last);
        if (endOfTurn is int turn && turn != end)
            yield return new(Prefix + "eot_token_id", (uint)turn);
        if (paddingId is int padding)
            yield return new(Prefix + "padding_token_id", (uint)padding);
    }

    /// <summary>How many tokens a text that is exactly such a token would not become by merges alone. The readers of these files take whole words that
    /// are tokens at once; where this is not 0 and the tokenizer does not, they may split a few words in another way.</summary>
    public static int TokensBesideMerges(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (tokenizer.Model.IgnoreMerges)
            return 0;
        var ids = new List<int>();
        return tokenizer.Model.Tokens.Where(token => token is not null).Count(token =>
        {
            ids.Clear();
            tokenizer.Model.EncodeWord(token, ids);
            return ids.Count != 1;
        });
    }

    /// <summary>Reads the tokenizer of a file.</summary>
    /// <exception cref="UserErrorException">The file has none, or one of another kind.</exception>
    public static Tokenizer Read(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        RequireText("model", Model);
        RequireText("pre", Split);
        string[] texts = Items<string>("tokens");
        int[] types = Items<int>("token_type");
        if (types.Length != texts.Length)
            throw Refuse($"token_type has {types.Length} items and tokens {texts.Length}; expected as many");
        byte[]?[] tokens = new byte[]?[texts.Length];
        var added = new List<AddedToken>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < texts.Length; id++)
        {
            if (types[id] == Unused)
                continue;
            if (texts[id].Length == 0 || !ids.TryAdd(texts[id], id))
                throw Refuse($"token {id} ('{GgufFile.Shown(texts[id])}') is empty or stands there twice");
            if (types[id] is Control or UserDefined)
                added.Add(new AddedToken(id, texts[id], types[id] == Control));
            else
                tokens[id] = ByteAlphabet.ToBytes(texts[id]) ?? throw Refuse($"token {id} ('{GgufFile.Shown(texts[id])}') holds characters outside the byte alphabet; this is no byte-level vocabulary");
        }
        for (int value = 0; value < 256; value++)
            if (!ids.TryGetValue(ByteAlphabet.ToCharacter((byte)value).ToString(), out int id) || tokens[id] is null)
                throw Refuse($"byte {value} has no token, so some texts could not be encoded; expected all 256");
        var merges = Merges(ids, tokens);
        int used = Array.FindLastIndex(tokens, token => token is not null) + 1;
        IPostProcessor? start = file.Value(Prefix + "bos_token_id") is not null && texts.Length > 0
            ? TokenizerJson.StartingWith(texts[file.Integer(Prefix + "bos_token_id", 0, texts.Length - 1)], file.Integer(Prefix + "bos_token_id", 0, texts.Length - 1)) : null;
        return new Tokenizer(new BpeModel(tokens[..used], merges, ignoreMerges: true), added, new TokenizerSurroundings(start));

        List<Merge> Merges(Dictionary<string, int> ids, byte[]?[] tokens)
        {
            var merges = new List<Merge>();
            var seen = new PairTable(16);
            foreach (string text in Items<string>("merges"))
            {
                string[] parts = text.Split(' ');
                if (parts.Length != 2 || !Known(parts[0], out int left) || !Known(parts[1], out int right) || !Known(parts[0] + parts[1], out int merged))
                    throw Refuse($"merge {merges.Count} is '{GgufFile.Shown(text)}'; expected two tokens whose joint form is a token");
                if (seen.FindOrAdd(PairTable.Key(left, right)) != merges.Count)
                    throw Refuse($"merge {merges.Count} ('{GgufFile.Shown(text)}') stands there twice");
                merges.Add(new Merge(left, right, merged));
            }
            return merges;

            bool Known(string token, out int id) => ids.TryGetValue(token, out id) && tokens[id] is not null;
        }

        void RequireText(string key, string expected)
        {
            if (file.Text(Prefix + key) is var found && found != expected)
                throw Refuse($"{key} is {(found is null ? "missing" : $"'{GgufFile.Shown(found)}'")}, which is not known here; expected '{expected}'");
        }

        T[] Items<T>(string key) => file.Value(Prefix + key)?.Content as T[] ?? throw Refuse($"{key} is {file.Value(Prefix + key)?.ToString() ?? "missing"}; expected an array of {typeof(T).Name}");

        UserErrorException Refuse(string what) => new($"{file.Path}: {Prefix}{what}.");
    }
}
