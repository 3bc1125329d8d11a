using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>Counts pairs of letters in texts of known language, and turns the counts into a <see cref="LetterModel"/>.</summary>
internal sealed class LetterModelTrainer
{
    private const double SignCost = 5, LatinCost = 3, ForeignCost = 9, StrangeCost = 13;   // nats; not counted: they are rare in clean text and decide in spoilt text

    /// <summary>Letters of two scripts in one word.</summary>
    private const double MixedCost = 10;

    private const double MarkBeforeLetterCost = 6, MarkAfterLetterCost = 7;
    private const double PairShare = 0.9, Floor = 2e-6;
    private const double RareLetter = 3e-5;

    private readonly SortedDictionary<string, Dictionary<(char First, char Second), long>> _pairs = new(StringComparer.Ordinal);

    /// <summary>Counts a text. A language written in two scripts is counted in each by itself.</summary>
    public void Add(string language, string text)
    {
        long latin = 0, cyrillic = 0;
        foreach (char character in text)
        {
            if (char.IsAsciiLetter(character)) latin++;
            else if (character is >= 'Ѐ' and <= 'ӿ') cyrillic++;
        }
        if (language is "bg" or "mk" or "sr" or "uk" && latin > cyrillic) language += "-Latn";
        if (language is "bg-Latn" or "mk-Latn" or "uk-Latn") return;   // foreign passages
        Count(language, text);
        if (language == "ga") Count("ga-Latg", OldIrish(text));
    }

    /// <summary>The model of what was counted.</summary>
    public LetterModel Build() => new([.. _pairs.Select(language => Build(language.Key, language.Value))]);

    private void Count(string language, string text)
    {
        if (!_pairs.TryGetValue(language, out var pairs)) _pairs[language] = pairs = [];
        char previous = ' ';
        foreach (char character in text)
        {
            char current = char.IsLetter(character) ? LetterPairs.Fold(character) : LetterPairs.IsSign(character) ? '"' : ' ';
            pairs[(previous, current)] = pairs.GetValueOrDefault((previous, current)) + 1;
            previous = current;
        }
    }

    /// <summary>The spelling of Irish before 1950 in its own type, with a dot where now an h follows; the texts of today give it by rule.</summary>
    private static string OldIrish(string text)
    {
        const string Plain = "bcdfgmpstBCDFGMPST", Dotted = "ḃċḋḟġṁṗṡṫḂĊḊḞĠṀṖṠṪ";
        var old = new System.Text.StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            int place = i + 1 < text.Length && text[i + 1] is 'h' or 'H' ? Plain.IndexOf(text[i], StringComparison.Ordinal) : -1;
            old.Append(place >= 0 ? Dotted[place] : text[i]);
            if (place >= 0) i++;
        }
        return old.ToString();
    }

    private static LetterPairs Build(string language, Dictionary<(char First, char Second), long> pairs)
    {
        var counts = new Dictionary<char, long>();
        foreach (((_, char second), long count) in pairs) counts[second] = counts.GetValueOrDefault(second) + count;
        long all = counts.Values.Sum(), asciiLetters = counts.Where(letter => char.IsAsciiLetter(letter.Key)).Sum(letter => letter.Value);
        bool isLatin = asciiLetters * 2 > counts.Where(letter => char.IsLetter(letter.Key)).Sum(letter => letter.Value);
        char[] letters = [.. counts.Where(letter => char.IsLetter(letter.Key) && (isLatin ? letter.Key < '\u0370' || letter.Key is >= 'Ḁ' and <= 'ỿ' : letter.Key >= 0x80 && letter.Key is >= '\u0370' and < '\u1E00'))
            .Where(letter => (isLatin && char.IsAsciiLetter(letter.Key)) || letter.Value >= Math.Max(2, RareLetter * all))
            .Select(letter => letter.Key).Order()];
        if (isLatin) letters = [.. letters.Union("abcdefghijklmnopqrstuvwxyz").Order()];
        int symbols = letters.Length + LetterPairs.FirstLetter;
        var result = new LetterPairs(language, letters, new byte[symbols * symbols]);
        double[,] table = new double[symbols, symbols];
        double[] single = new double[symbols], rows = new double[symbols];
        foreach (((char first, char second), long count) in pairs)
        {
            int from = Symbol(result, first), to = Symbol(result, second);
            table[from, to] += count;
            single[to] += count;
            rows[from] += count;
        }
        double sum = single.Sum();
        for (int from = 0; from < symbols; from++)
            for (int to = 0; to < symbols; to++)
            {
                double alone = single[to] / sum, pair = rows[from] > 0 ? table[from, to] / rows[from] : alone;
                double trust = rows[from] / (rows[from] + 50);
                double probability = (PairShare * trust * pair) + ((1 - (PairShare * trust)) * alone);
                double cost = to switch
                {
                    LetterPairs.Sign => Math.Min(SignCost, -Numerics.Log(Math.Max(probability, Floor))),
                    LetterPairs.Latin => LatinCost,
                    LetterPairs.Mark => from >= LetterPairs.FirstLetter ? MarkAfterLetterCost : SignCost,
                    LetterPairs.Foreign => ForeignCost,
                    LetterPairs.Strange => StrangeCost,
                    _ => -Numerics.Log(Math.Max(probability, Floor)),
                };
                if (from == LetterPairs.Mark && to >= LetterPairs.FirstLetter) cost = Math.Max(cost, MarkBeforeLetterCost);
                if ((from == LetterPairs.Latin && to > LetterPairs.Latin) || (to == LetterPairs.Latin && from > LetterPairs.Latin)) cost = Math.Max(cost, MixedCost) + (to == LetterPairs.Foreign ? 2 : 0);
                result.Costs[(from * symbols) + to] = (byte)Math.Min(255, Math.Round(cost * LetterModel.CostsPerNat));
            }
        return result;
    }

    private static int Symbol(LetterPairs pairs, char counted) => counted switch
    {
        ' ' => LetterPairs.Boundary,
        '"' => LetterPairs.Sign,
        _ => pairs.SymbolOf(counted),
    };
}
