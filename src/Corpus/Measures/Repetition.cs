namespace OpenEuroLLM.Corpus.Measures;

/// <summary>How much of a text says again what it has said.</summary>
internal static class Repetition
{
    private const ulong Base = 0x9E3779B97F4A7C15;

    [ThreadStatic]
    private static SeenHashes? _seen;

    [ThreadStatic]
    private static ulong[]? _prefixes;

    /// <summary>The shares of parts that repeat an earlier part, by number and by characters; 0 of none.</summary>
    public static (double Parts, double Characters) Of(string text, IReadOnlyList<TextShape.Span> parts)
    {
        if (parts.Count < 2) return (0, 0);
        SeenHashes seen = _seen ??= new SeenHashes();
        seen.Clear(parts.Count);
        int repeated = 0, characters = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            if (seen.Add(Hash(parts[i].In(text))) == 1) continue;
            repeated++;
            characters += parts[i].Length;
        }
        return ((double)repeated / parts.Count, (double)characters / text.Length);
    }

    /// <summary>The share of the words' characters that lies in the most frequent sequence of so many words, and in sequences that have come before.</summary>
    public static NgramShares Prepare(string text, TextShape shape)
    {
        ulong[] prefixes = _prefixes ??= new ulong[1 << 12];
        if (prefixes.Length <= shape.Words.Count) _prefixes = prefixes = new ulong[shape.Words.Count * 2];
        prefixes[0] = 0;
        for (int i = 0; i < shape.Words.Count; i++) prefixes[i + 1] = prefixes[i] * Base + Hash(shape.Words[i].In(text));
        return new NgramShares(shape, prefixes, _seen ??= new SeenHashes());
    }

    private static ulong Hash(ReadOnlySpan<char> text)
    {
        ulong hash = 0xCBF29CE484222325 ^ (uint)text.Length;
        foreach (char letter in text) hash = (hash ^ letter) * 0x100000001B3;
        hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93;
        return hash ^ (hash >> 32);
    }

    /// <summary>Shares of word sequences of one text; valid until the thread prepares another.</summary>
    internal readonly ref struct NgramShares(TextShape shape, ulong[] prefixes, SeenHashes seen)
    {
        /// <summary>The share of all words' characters in the most frequent sequence of <paramref name="words"/> words, if it occurs twice.</summary>
        public double Top(int words)
        {
            int count = shape.Words.Count - words + 1;
            if (count < 2) return 0;
            seen.Clear(count);
            ulong factor = Power(words);
            long most = 0;
            for (int i = 0; i < count; i++)
            {
                int times = seen.Add(prefixes[i + words] - prefixes[i] * factor);
                if (times > 1) most = Math.Max(most, (long)times * Characters(i, words));
            }
            return (double)most / shape.WordCharacters;
        }

        /// <summary>The share of all words' characters in sequences of <paramref name="words"/> words that have come before; what was counted is not counted again.</summary>
        public double Repeated(int words)
        {
            int count = shape.Words.Count - words + 1;
            if (count < 2) return 0;
            seen.Clear(count);
            ulong factor = Power(words);
            long characters = 0;
            for (int i = 0; i < count;)
            {
                if (seen.Add(prefixes[i + words] - prefixes[i] * factor) == 1)
                {
                    i++;
                    continue;
                }
                characters += Characters(i, words);
                i += words;
            }
            return (double)characters / shape.WordCharacters;
        }

        private int Characters(int word, int words)
        {
            int characters = 0;
            for (int i = word; i < word + words; i++) characters += shape.Words[i].Length;
            return characters;
        }

        private static ulong Power(int exponent)
        {
            ulong power = 1;
            for (int i = 0; i < exponent; i++) power *= Base;
            return power;
        }
    }
}
