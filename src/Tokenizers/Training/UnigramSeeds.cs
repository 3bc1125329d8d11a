using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The pieces to begin with: all characters, and the strings inside words that occur often and are long. A string of n characters can only be frequent
/// where both strings of n - 1 characters in it are, so they are counted length by length.</summary>
internal static class UnigramSeeds
{
    private const double LeastWeight = 2;

    /// <summary>Finds the pieces, characters first.</summary>
    /// <param name="texts">The words.</param>
    /// <param name="pieces">How many are wanted, characters included.</param>
    /// <param name="longest">Their greatest length in characters.</param>
    /// <param name="cancellation">Stops between lengths.</param>
    public static List<(byte[] Text, double Weight)> Find(UnigramTexts texts, int pieces, int longest, CancellationToken cancellation)
    {
        var seeds = texts.Characters.Select(character => (Text: Encoding.UTF8.GetBytes(character.Character.ToString()), character.Weight)).ToList();
        var level = seeds.Select((seed, i) => new Found(seed.Text, seed.Text, seed.Weight)).ToList();
        var (places, starts) = Places(texts);
        var all = new List<(Found Piece, int Length)>();
        double minimum = LeastWeight;
        for (int length = 2; length <= longest && level.Count > 0; length++)
        {
            cancellation.ThrowIfCancellationRequested();
            var candidates = Count(texts, places, starts, level);
            minimum = Math.Max(minimum, Bound(candidates, checked(pieces * 2)));
            var next = new List<Found>();
            int[] numbers = new int[candidates.Count];
            for (int i = 0; i < candidates.Count; i++)
            {
                var (left, right, weight) = candidates[i];
                if (weight < minimum)
                    continue;
                var (prefix, suffix) = (level[left], level[right]);
                // What is always followed by one and the same character explains nothing that the longer string does not.
                prefix.IsRedundant |= weight == prefix.Weight;
                next.Add(new Found([.. prefix.Text, .. suffix.Last], suffix.Last, weight));
                numbers[i] = next.Count;
            }
            for (int place = 0; place < places.Length; place++)
                places[place] = places[place] == 0 ? 0 : numbers[places[place] - 1];
            all.AddRange(next.Select(piece => (piece, length)));
            level = next;
        }
        var best = all.Where(entry => !entry.Piece.IsRedundant)
            .OrderByDescending(entry => entry.Piece.Weight * entry.Length).ThenBy(entry => entry.Piece.Text, Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)));
        seeds.AddRange(best.Take(Math.Max(0, pieces - seeds.Count)).Select(entry => (entry.Piece.Text, entry.Piece.Weight)));
        return seeds;
    }

    /// <summary>For each character of all words the number, from 1, of the string that begins there; at first the character itself.</summary>
    private static (int[] Places, int[] Starts) Places(UnigramTexts texts)
    {
        var numbers = texts.Characters.Select((character, i) => (character.Character, i)).ToDictionary(entry => entry.Character, entry => entry.i + 1);
        int[] starts = new int[texts.Count + 1];
        var places = new List<int>();
        for (int word = 0; word < texts.Count; word++)
        {
            starts[word] = places.Count;
            for (var rest = texts[word]; rest.Length > 0;)
            {
                Rune.DecodeFromUtf8(rest, out var rune, out int length);
                places.Add(numbers[rune]);
                rest = rest[length..];
            }
        }
        starts[^1] = places.Count;
        return ([.. places], starts);
    }

    /// <summary>Counts the strings that are one character longer; each place gets the number of the one that begins there, from 1.</summary>
    private static List<(int Left, int Right, double Weight)> Count(UnigramTexts texts, int[] places, int[] starts, List<Found> level)
    {
        var pairs = new PairTable(1 << 16);
        var candidates = new List<(int Left, int Right, double Weight)>();
        for (int word = 0; word < texts.Count; word++)
        {
            for (int place = starts[word]; place < starts[word + 1]; place++)
            {
                int left = places[place];
                int right = place + 1 < starts[word + 1] ? places[place + 1] : 0;
                places[place] = 0;
                if (left == 0 || right == 0)
                    continue;
                int pair = pairs.FindOrAdd(PairTable.Key(left, right));
                if (pair == candidates.Count)
                    candidates.Add((left - 1, right - 1, 0));
                candidates[pair] = candidates[pair] with { Weight = candidates[pair].Weight + texts.Weights[word] };
                places[place] = pair + 1;
            }
        }
        return candidates;
    }

    /// <summary>The weight that so many of the candidates reach.</summary>
    private static double Bound(List<(int Left, int Right, double Weight)> candidates, int most)
    {
        if (candidates.Count <= most)
            return 0;
        double[] weights = [.. candidates.Select(candidate => candidate.Weight)];
        Array.Sort(weights);
        return weights[^most];
    }

    private sealed class Found(byte[] text, byte[] last, double weight)
    {
        public byte[] Text => text;

        /// <summary>The last character.</summary>
        public byte[] Last => last;

        public double Weight => weight;

        public bool IsRedundant { get; set; }
    }
}
