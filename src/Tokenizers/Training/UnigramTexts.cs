using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Different stretches of text with their weights, in the order of their bytes: sums over them have the same bits whatever counted them. A space is U+2581
/// already; characters without a piece of their own are left out, and words are cut there.</summary>
internal sealed class UnigramTexts
{
    /// <summary>Longer words are cut: probabilities of long ones leave the range of numbers.</summary>
    private const int LongestBytes = 64;

    private static readonly byte[] Space = "\u2581"u8.ToArray();

    private readonly byte[] _bytes;
    private readonly int[] _ends;

    private UnigramTexts(byte[] bytes, int[] ends, double[] weights, IReadOnlyList<(Rune Character, double Weight)> characters) =>
        (_bytes, _ends, Weights, Characters) = (bytes, ends, weights, characters);

    public int Count => _ends.Length;

    public double[] Weights { get; }

    /// <summary>The characters that have pieces of their own, the most frequent first.</summary>
    public IReadOnlyList<(Rune Character, double Weight)> Characters { get; }

    public ReadOnlySpan<byte> this[int number] => _bytes.AsSpan(number == 0 ? 0 : _ends[number - 1], _ends[number] - (number == 0 ? 0 : _ends[number - 1]));

    /// <param name="languages">The counted words.</param>
    /// <param name="multipliers">By language: how much its words count.</param>
    /// <param name="unit">What one occurrence of a word weighs when it counts once.</param>
    /// <param name="coverage">The share of characters that get pieces.</param>
    public static UnigramTexts Of(IReadOnlyList<LanguageWords> languages, IReadOnlyList<long> multipliers, double unit, double coverage)
    {
        var weights = new Dictionary<int, Int128>();
        ForEach(languages, multipliers, (word, weight) =>
        {
            foreach (var rune in Encoding.UTF8.GetString(word).EnumerateRunes())
                weights[rune.Value] = weights.GetValueOrDefault(rune.Value) + weight;
        });
        var ordered = weights.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).ToList();
        double all = ordered.Sum(entry => (double)entry.Value);
        double covered = 0;
        var characters = new List<(Rune, double)>();
        var known = new HashSet<int>();
        foreach (var (character, weight) in ordered)
        {
            if (covered >= coverage * all && known.Count > 0)
                break;
            covered += (double)weight;
            known.Add(character);
            characters.Add((new Rune(character), (double)weight / unit));
        }
        var joined = new WordCounter();
        ForEach(languages, multipliers, (word, weight) =>
        {
            int start = 0;
            for (int at = 0; at < word.Length;)
            {
                Rune.DecodeFromUtf8(word[at..], out var rune, out int length);
                bool isKnown = known.Contains(rune.Value);
                if ((!isKnown || at + length - start > LongestBytes) && at > start)
                    joined.Add(word[start..at], weight);
                if (!isKnown)
                    start = at + length;
                else if (at + length - start > LongestBytes)
                    start = at;
                at += length;
            }
            if (start < word.Length)
                joined.Add(word[start..], weight);
        });
        byte[] bytes = new byte[joined.Bytes];
        int[] ends = new int[joined.Words];
        double[] sums = new double[joined.Words];
        int end = 0, count = 0;
        foreach (int number in joined.Sorted())
        {
            joined.Word(number).CopyTo(bytes.AsSpan(end));
            ends[count] = end += joined.Word(number).Length;
            sums[count++] = joined.Sum(number).Count / unit;
        }
        return new UnigramTexts(bytes, ends, sums, characters);
    }

    private static void ForEach(IReadOnlyList<LanguageWords> languages, IReadOnlyList<long> multipliers, WeightedWord receive)
    {
        Span<byte> spaced = stackalloc byte[BpeTrainer.LongestWordBytes * 3];
        for (int language = 0; language < languages.Count; language++)
        {
            var list = languages[language].List;
            for (int number = 0; number < list.Words; number++)
            {
                var word = list.Word(number);
                long weight = checked(list.Sum(number).Weight * multipliers[language]);
                if (weight == 0 || !System.Text.Unicode.Utf8.IsValid(word))
                    continue;     // broken text is written in bytes
                int length = 0;
                foreach (byte value in word)
                {
                    if (value == ' ')
                    {
                        Space.CopyTo(spaced[length..]);
                        length += Space.Length;
                    }
                    else
                    {
                        spaced[length++] = value;
                    }
                }
                receive(spaced[..length], weight);
            }
        }
    }

    private delegate void WeightedWord(ReadOnlySpan<byte> word, long weight);
}
