using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A tokenizer as metadata of a GGUF file (<c>tokenizer.ggml.*</c>): byte-level pair encoding (<c>gpt2</c>) with a known split pattern, and the
/// SentencePiece kinds <c>llama</c> and <c>t5</c>.</summary>
public static class GgufVocabulary
{
    private const string Prefix = GgufTokens.Prefix;
    private const string ByteLevel = "gpt2";

    /// <summary>The metadata of a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer. The format has no Unicode normalization for byte-level ones; readers leave it out.</param>
    /// <param name="size">Tokens of the model; ids without a token are filled as the format wants it.</param>
    /// <param name="beginOfTextId">The token before every text, or null.</param>
    /// <param name="endIds">Tokens that end a generation: the end of a text and the end of a turn, as far as there are several.</param>
    /// <param name="paddingId">The token for filling up, or null.</param>
    /// <exception cref="UserErrorException">The tokenizer has more tokens than the model, or is of a kind that the format cannot say.</exception>
    public static IEnumerable<KeyValuePair<string, object>> Describe(Tokenizer tokenizer, int size, int? beginOfTextId, IReadOnlyList<int> endIds, int? paddingId)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(endIds);
        if (tokenizer.VocabularySize > size)
            throw new UserErrorException($"The tokenizer has {tokenizer.VocabularySize} tokens and the model {size}; expected at most as many. They do not belong together.");
        bool isSentencePiece = tokenizer.Parts.Model is SentencePieceSettings;
        foreach (var entry in tokenizer.Parts.Model is SentencePieceSettings settings ? GgufSentencePiece.Describe(settings.Vocabulary.File, size) : DescribeByteLevel(tokenizer, size))
            yield return entry;
        if (beginOfTextId is int begin)
        {
            yield return new(Prefix + "bos_token_id", (uint)begin);
            yield return new(Prefix + "add_bos_token", true);
        }
        else if (isSentencePiece)
        {
            yield return new(Prefix + "add_bos_token", false);
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

    /// <summary>How many tokens a text that is exactly such a token would not become in the programs that read these files, because they take whole words
    /// that are tokens at once and the tokenizer does not, or the other way round.</summary>
    public static int TokensBesideMerges(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (tokenizer.Parts.Model is SentencePieceSettings || SplitOf(tokenizer).WholeWords == tokenizer.Model.IgnoreMerges)
            return 0;
        var merging = tokenizer.Model.IgnoreMerges ? new BpeModel(tokenizer.Model.Tokens, tokenizer.Model.Merges, ignoreMerges: false) : tokenizer.Model;
        var ids = new List<int>();
        return merging.Tokens.Where(token => token is not null).Count(token =>
        {
            ids.Clear();
            merging.EncodeWord(token, ids);
            return ids.Count != 1;
        });
    }

    /// <summary>Reads the tokenizer of a file.</summary>
    /// <exception cref="UserErrorException">The file has none, or one of another kind.</exception>
    public static Tokenizer Read(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        string? model = file.Text(Prefix + "model");
        if (model is not (ByteLevel or GgufSentencePiece.Llama or GgufSentencePiece.T5))
            throw new UserErrorException($"{file.Path}: {Prefix}model is {(model is null ? "missing" : $"'{GgufFile.Shown(model)}'")}, which is not known here; expected '{ByteLevel}', '{GgufSentencePiece.Llama}' or '{GgufSentencePiece.T5}'.");
        var tokens = new GgufTokens(file);
        return model == ByteLevel ? ReadByteLevel(tokens) : GgufSentencePiece.Read(tokens, model);
    }

    private static GgufSplit SplitOf(Tokenizer tokenizer) =>
        GgufSplit.Of(tokenizer.Parts.PreTokenizer, tokenizer.Model.IgnoreMerges)
            ?? throw new UserErrorException($"The tokenizer's split pattern has no name in GGUF files; expected that of {string.Join(", ", GgufSplit.Known.Select(split => split.Name))}.");

    private static IEnumerable<KeyValuePair<string, object>> DescribeByteLevel(Tokenizer tokenizer, int size)
    {
        string[] tokens = new string[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++)
            (tokens[id], types[id]) = id < tokenizer.Model.Tokens.Count && tokenizer.Model.Tokens[id] is { } bytes
                ? (ByteAlphabet.ToText(bytes), GgufTokenType.Normal) : (GgufTokens.Hole(id), GgufTokenType.Unused);
        foreach (var token in tokenizer.Added)
            (tokens[token.Id], types[token.Id]) = (token.Content, token.Special ? GgufTokenType.Control : GgufTokenType.UserDefined);
        string[] merges = [.. tokenizer.Model.Merges.Select(merge => $"{tokens[merge.Left]} {tokens[merge.Right]}")];
        yield return new(Prefix + "model", ByteLevel);
        yield return new(Prefix + "pre", SplitOf(tokenizer).Name);
        yield return new(Prefix + "tokens", tokens);
        yield return new(Prefix + "token_type", types);
        yield return new(Prefix + "merges", merges);
    }

    private static Tokenizer ReadByteLevel(GgufTokens file)
    {
        string pre = file.Required("pre");
        var split = GgufSplit.Known.FirstOrDefault(known => known.Name == pre)
            ?? throw file.Refuse($"pre is '{GgufFile.Shown(pre)}', which is not known here; expected {string.Join(", ", GgufSplit.Known.Select(known => known.Name))}");
        var (texts, types) = (file.Texts, file.Types);
        byte[]?[] tokens = new byte[]?[texts.Length];
        var added = new List<AddedToken>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < texts.Length; id++)
        {
            if (types[id] == GgufTokenType.Unused)
                continue;
            if (texts[id].Length == 0 || !ids.TryAdd(texts[id], id))
                throw file.Refuse($"token {id} ('{GgufFile.Shown(texts[id])}') is empty or stands there twice");
            if (types[id] is GgufTokenType.Control or GgufTokenType.UserDefined)
                added.Add(new AddedToken(id, texts[id], types[id] == GgufTokenType.Control));
            else
                tokens[id] = ByteAlphabet.ToBytes(texts[id]) ?? throw file.Refuse($"token {id} ('{GgufFile.Shown(texts[id])}') holds characters outside the byte alphabet; this is no byte-level vocabulary");
        }
        for (int value = 0; value < 256; value++)
            if (!ids.TryGetValue(ByteAlphabet.ToCharacter((byte)value).ToString(), out int id) || tokens[id] is null)
                throw file.Refuse($"byte {value} has no token, so some texts could not be encoded; expected all 256");
        var merges = ReadMerges(file, ids, tokens);
        int used = Array.FindLastIndex(tokens, token => token is not null) + 1;
        var model = BpeSettings.Of(new BpeModel(tokens[..used], merges, split.WholeWords));
        return new Tokenizer(new TokenizerParts(model, added, PreTokenizer: split.Steps, PostProcessor: file.Surroundings(addsBegin: true, addsEnd: false), Decoder: new ByteLevelDecoder()));
    }

    private static List<Merge> ReadMerges(GgufTokens file, Dictionary<string, int> ids, byte[]?[] tokens)
    {
        var merges = new List<Merge>();
        var seen = new PairTable(16);
        foreach (string text in file.Items<string>("merges"))
        {
            string[] parts = text.Split(' ');
            if (parts.Length != 2 || !Known(parts[0], out int left) || !Known(parts[1], out int right) || !Known(parts[0] + parts[1], out int merged))
                throw file.Refuse($"merge {merges.Count} is '{GgufFile.Shown(text)}'; expected two tokens whose joint form is a token");
            if (seen.FindOrAdd(PairTable.Key(left, right)) != merges.Count)
                throw file.Refuse($"merge {merges.Count} ('{GgufFile.Shown(text)}') stands there twice");
            merges.Add(new Merge(left, right, merged));
        }
        return merges;

        bool Known(string token, out int id) => ids.TryGetValue(token, out id) && tokens[id] is not null;
    }
}
