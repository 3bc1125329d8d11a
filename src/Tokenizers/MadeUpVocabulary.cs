namespace OpenEuroLLM.Tokenizers;

/// <summary>A vocabulary without a language, for models of random weights: the bytes, then the shortest strings of bytes that are left, each made
/// by one merge, and the control tokens at the end. It encodes any text, and other programs load it.</summary>
public static class MadeUpVocabulary
{
    /// <summary>The fewest tokens: the bytes and the control tokens.</summary>
    public static int SmallestSize => 256 + SpecialTokens.All.Count;

    /// <summary>Makes a tokenizer; the same size gives the same one.</summary>
    /// <param name="size">Tokens, at least <see cref="SmallestSize"/>.</param>
    public static Tokenizer Create(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, SmallestSize);
        var tokens = new byte[]?[size - SpecialTokens.All.Count];
        var merges = new List<Merge>();
        for (int id = 0; id < tokens.Length; id++)
        {
            if (id < 256)
            {
                tokens[id] = [ByteAlphabet.InOrder[id]];
                continue;
            }
            var (prefix, last) = ((id - 256) / 256, (id - 256) % 256);
            tokens[id] = [.. tokens[prefix]!, .. tokens[last]!];
            merges.Add(new Merge(prefix, last, id));
        }
        return new Tokenizer(new BpeModel(tokens, merges, ignoreMerges: true),
            [.. SpecialTokens.All.Select((content, i) => new AddedToken(tokens.Length + i, content, Special: true))],
            new TokenizerSurroundings(TokenizerJson.StartingWith(SpecialTokens.BeginOfText, tokens.Length)));
    }
}
