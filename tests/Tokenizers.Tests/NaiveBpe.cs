namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>Byte-pair encoding written as its definition says, without any cleverness.</summary>
internal static class NaiveBpe
{
    public static List<int> Encode(BpeModel model, byte[] text)
    {
        var ids = new List<int>();
        var ranks = model.Merges.Select((merge, rank) => (merge, rank)).ToDictionary(entry => (entry.merge.Left, entry.merge.Right), entry => entry.rank);
        foreach (byte[] word in Words(text, int.MaxValue))
        {
            var symbols = word.Select(value => model.Find([value])!.Value).ToList();
            while (true)
            {
                int best = -1;
                int bestPlace = 0;
                for (int place = 0; place + 1 < symbols.Count; place++)
                {
                    if (ranks.TryGetValue((symbols[place], symbols[place + 1]), out int rank) && (best < 0 || rank < best))
                        (best, bestPlace) = (rank, place);
                }
                if (best < 0)
                    break;
                symbols[bestPlace] = model.Merges[best].Merged;
                symbols.RemoveAt(bestPlace + 1);
            }
            ids.AddRange(symbols);
        }
        return ids;
    }

    /// <summary>Counts all pairs of all words anew for each merge.</summary>
    public static (List<byte[]> Tokens, List<Merge> Merges) Train(IEnumerable<byte[]> texts, int tokens, long minimumCount)
    {
        var vocabulary = ByteAlphabet.InOrder.Select(value => new[] { value }).ToList();
        var merges = new List<Merge>();
        var words = texts.SelectMany(text => Words(text, BpeTrainer.LongestWordBytes))
            .GroupBy(Convert.ToHexString)
            .Select(group => (Symbols: group.First().Select(value => vocabulary.FindIndex(token => token[0] == value)).ToList(), Count: group.LongCount()))
            .ToList();
        while (vocabulary.Count < tokens)
        {
            var best = words
                .SelectMany(word => word.Symbols.Zip(word.Symbols.Skip(1)).Select(pair => (Pair: pair, word.Count)))
                .GroupBy(entry => entry.Pair)
                .Select(group => (Pair: group.Key, Count: group.Sum(entry => entry.Count)))
                .OrderByDescending(entry => entry.Count).ThenBy(entry => entry.Pair.First).ThenBy(entry => entry.Pair.Second)
                .FirstOrDefault();
            if (best.Count < minimumCount)
                break;
            var (left, right) = best.Pair;
            byte[] bytes = [.. vocabulary[left], .. vocabulary[right]];
            int merged = vocabulary.FindIndex(token => token.AsSpan().SequenceEqual(bytes));
            if (merged < 0)
            {
                merged = vocabulary.Count;
                vocabulary.Add(bytes);
            }
            if (!merges.Any(merge => merge.Left == left && merge.Right == right))
                merges.Add(new Merge(left, right, merged));
            foreach (var (symbols, _) in words)
            {
                for (int place = 0; place + 1 < symbols.Count; place++)
                {
                    if (symbols[place] != left || symbols[place + 1] != right)
                        continue;
                    symbols[place] = merged;
                    symbols.RemoveAt(place + 1);
                }
            }
        }
        return (vocabulary, merges);
    }

    private static IEnumerable<byte[]> Words(byte[] text, int longest)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = SplitPattern.WordEnd(text, start);
            for (; end - start > longest; start += longest)
                yield return text[start..(start + longest)];
            yield return text[start..end];
            start = end;
        }
    }
}
