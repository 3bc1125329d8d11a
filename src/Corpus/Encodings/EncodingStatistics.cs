using System.Collections.Concurrent;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>Finds the encoding in which bytes are, letter after letter, most plausible as text of one of the languages.</summary>
internal sealed class EncodingStatistics
{
    private const int SampleBytes = 2048;
    private const int ContextBytes = 12;

    /// <summary>A pair of ASCII letters tells the language only, and markup is full of them.</summary>
    private const double AsciiWeight = 0.3;

    /// <summary>Nats for a capital right after a small letter: words are not written so, but in a wrong encoding they look so.</summary>
    private const double CapitalInsideCost = 3;

    /// <summary>The encodings looked at, with what an encoding costs before anything is seen (nats), for some are rarer than others.</summary>
    private static readonly (string Name, double Cost)[] Candidates =
    [
        ("windows-1252", 0), ("windows-1250", 0.5), ("windows-1251", 0.5), ("windows-1253", 0.5), ("windows-1254", 1), ("windows-1257", 0.5),
        ("iso-8859-2", 1), ("iso-8859-3", 2), ("iso-8859-4", 2.5), ("iso-8859-5", 2), ("iso-8859-7", 1), ("iso-8859-10", 2.5), ("iso-8859-13", 1.5), ("iso-8859-14", 2),
        ("iso-8859-15", 1), ("iso-8859-16", 2), ("koi8-r", 1.5), ("koi8-u", 1.2), ("ibm866", 2.5), ("ibm852", 3), ("ibm737", 3), ("ibm775", 4), ("ibm850", 3), ("ibm857", 4),
        ("macintosh", 3), ("x-mac-ce", 4), ("x-mac-cyrillic", 3), ("georgian-ps", 1), ("georgian-academy", 2),
    ];

    private static readonly Lazy<EncodingStatistics> Shared = new(() => new EncodingStatistics(LetterModel.Default));

    private readonly Candidate[] _candidates;
    private readonly LetterModel _model;

    public EncodingStatistics(LetterModel model)
    {
        _model = model;
        _candidates = [.. Candidates.Select(candidate => new Candidate(candidate.Name, candidate.Cost, model))];
    }

    /// <summary>The statistics that come with the program.</summary>
    public static EncodingStatistics Default => Shared.Value;

    /// <summary>The encodings that can be found.</summary>
    public static IEnumerable<string> Encodings => Candidates.Select(candidate => candidate.Name);

    /// <summary>The most plausible encoding, and the language it is plausible in.</summary>
    /// <param name="bytes">A text with bytes above ASCII.</param>
    /// <param name="html">Whether markup is to be passed over.</param>
    /// <param name="declared">An encoding that is more likely than others; null for none.</param>
    /// <param name="declaredBonus">By how many nats.</param>
    public (string Encoding, string Language) Find(ReadOnlySpan<byte> bytes, bool html, string? declared = null, double declaredBonus = 0)
    {
        byte[] sample = Sample(bytes, html);
        double[] ascii = new double[_model.Languages.Count];
        for (int language = 0; language < ascii.Length; language++) ascii[language] = AsciiWeight * AsciiCost(_model.Languages[language], sample);
        (string Encoding, string Language) best = ("windows-1252", "en");
        double bestCost = double.MaxValue;
        foreach (Candidate candidate in _candidates)
        {
            double ownCost = LetterModel.CostsPerNat * (candidate.Cost - (candidate.Name == declared ? declaredBonus : 0)) + candidate.CaseCost(sample);
            foreach (int language in candidate.Languages)
            {
                double limit = bestCost - ownCost - ascii[language];
                if (limit <= 0) continue;
                double cost = candidate.HighCost(language, sample, limit);
                if (cost >= limit) continue;
                bestCost = cost + ownCost + ascii[language];
                best = (candidate.Name, _model.Languages[language].Language);
            }
        }
        return best;
    }

    private static double AsciiCost(LetterPairs pairs, byte[] sample)
    {
        Span<byte> symbols = stackalloc byte[128];
        for (int i = 0; i < 128; i++) symbols[i] = (byte)pairs.SymbolOf((char)i);
        int cost = 0;
        for (int i = 1; i < sample.Length; i++)
            if (sample[i] < 0x80 && sample[i - 1] < 0x80) cost += pairs.Costs[(symbols[sample[i - 1]] * pairs.Symbols) + symbols[sample[i]]];
        return cost;
    }

    /// <summary>The bytes above ASCII with some context each: the rest of a text tells nothing about its encoding.</summary>
    private static byte[] Sample(ReadOnlySpan<byte> bytes, bool html)
    {
        var sample = new List<byte>(SampleBytes + 64) { (byte)' ' };
        int done = 0;
        while (sample.Count < SampleBytes)
        {
            int found = bytes[done..].IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (found < 0) break;
            int high = done + found, start = Math.Max(done, high - ContextBytes), end = high + 1;
            if (start > done) sample.Add((byte)' ');
            for (int quiet = 0; end < bytes.Length && quiet < ContextBytes && end - high < SampleBytes; end++) quiet = bytes[end] >= 0x80 ? 0 : quiet + 1;
            for (int i = start; i < end; i++)
            {
                if (html && bytes[i] == '<')
                {
                    int close = bytes[i..end].IndexOf((byte)'>');
                    if (close > 0)
                    {
                        sample.Add((byte)' ');
                        i += close;
                        continue;
                    }
                }
                sample.Add(bytes[i]);
            }
            done = end;
        }
        return [.. sample];
    }

    private sealed class Candidate
    {
        private readonly LetterModel _model;
        private readonly ConcurrentDictionary<int, byte[]> _symbols = new();
        private readonly IReadOnlyList<char> _characters;
        private readonly bool[] _isSmall = new bool[256], _isCapital = new bool[256];

        public Candidate(string name, double cost, LetterModel model)
        {
            (Name, Cost, _model) = (name, cost, model);
            _characters = CharacterEncoding.Of(name).Characters!;
            for (int i = 0; i < 256; i++) (_isSmall[i], _isCapital[i]) = (char.IsLower(_characters[i]), char.IsUpper(_characters[i]));
            HashSet<char> letters = [.. _characters.Skip(0x80).Where(char.IsLetter).Select(LetterPairs.Fold)];
            bool isLatin = letters.Count(letter => letter < '\u0370' || letter > '\u1DFF') > letters.Count / 2;
            Languages = [.. Enumerable.Range(0, model.Languages.Count)
                .Where(language => model.Languages[language].IsLatin == isLatin)
                .Where(language => isLatin || model.Languages[language].Letters.Count(letter => letter >= 0x80 && letters.Contains(letter)) * 2 >= model.Languages[language].Letters.Count(letter => letter >= 0x80))];
        }

        public string Name { get; }

        public double Cost { get; }

        /// <summary>The languages of its script.</summary>
        public int[] Languages { get; }

        public double CaseCost(byte[] sample)
        {
            int inside = 0;
            for (int i = 1; i < sample.Length; i++)
                if (_isCapital[sample[i]] && _isSmall[sample[i - 1]] && (sample[i] | sample[i - 1]) >= 0x80) inside++;
            return inside * CapitalInsideCost * LetterModel.CostsPerNat;
        }

        /// <summary>The cost of all pairs with a byte above ASCII; more than the limit, it need not be right.</summary>
        public double HighCost(int language, byte[] sample, double limit)
        {
            LetterPairs pairs = _model.Languages[language];
            byte[] symbols = _symbols.GetOrAdd(language, _ => [.. _characters.Select(character => (byte)pairs.SymbolOf(character))]);
            byte[] costs = pairs.Costs;
            int width = pairs.Symbols, cost = 0;
            for (int i = 1; i < sample.Length; i++)
            {
                if ((sample[i] | sample[i - 1]) < 0x80) continue;
                cost += costs[(symbols[sample[i - 1]] * width) + symbols[sample[i]]];
                if (cost >= limit) return cost;
            }
            return cost;
        }
    }
}
