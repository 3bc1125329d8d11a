namespace OpenEuroLLM.Tokenizers;

/// <summary>The merges that ranks mean. With ranks, two neighbours merge when together they are a token, the one of the lowest rank first; a list of
/// merges in order of their results says the same.</summary>
/// <remarks>Whatever stands around it, a token comes from one and the same pair: until the pair merges, nothing crosses the bounds of its bytes, so
/// they have merged as they do alone. That pair is found by merging each token's bytes alone.</remarks>
internal static class RankMerges
{
    /// <summary>The merges in order of rank; a token that its own bytes never merge to has none.</summary>
    /// <param name="tokens">The bytes of each token by rank; null where there is none. Every byte is a token.</param>
    /// <param name="table">Finds them.</param>
    public static List<Merge> Derive(IReadOnlyList<byte[]?> tokens, TokenTable table)
    {
        var merges = new List<Merge>(tokens.Count);
        var known = new Dictionary<ulong, int>(tokens.Count);
        var symbols = new List<int>();
        for (int id = 0; id < tokens.Count; id++)
        {
            if (tokens[id] is not { Length: > 1 } bytes)
                continue;
            // With the merges of lower rank alone two symbols are left of most; where there are more, those of higher rank come in.
            Merge(bytes, (left, right) => known.TryGetValue(PairTable.Key(left, right), out int merged) ? merged : null);
            if (symbols.Count != 2)
                Merge(bytes, (left, right) => table.Find([.. tokens[left]!, .. tokens[right]!]));
            if (symbols.Count != 2)
                continue;
            known.Add(PairTable.Key(symbols[0], symbols[1]), id);
            merges.Add(new Merge(symbols[0], symbols[1], id));

            void Merge(byte[] word, Func<int, int, int?> result)
            {
                symbols.Clear();
                foreach (byte value in word)
                    symbols.Add(table.Find([value])!.Value);
                while (symbols.Count > 2)
                {
                    int best = -1;
                    int lowest = int.MaxValue;
                    for (int place = 0; place + 1 < symbols.Count; place++)
                        if (result(symbols[place], symbols[place + 1]) is int merged && merged < lowest)
                            (best, lowest) = (place, merged);
                    if (best < 0)
                        return;
                    symbols[best] = lowest;
                    symbols.RemoveAt(best + 1);
                }
            }
        }
        return merges;
    }
}
