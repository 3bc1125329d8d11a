using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus.Measures;

/// <summary>The stop words of a text: the frequent words of grammar in its language, as the catalogue lists them.</summary>
/// <param name="Words">Words in all. A word is a run of letters: <c>dell'arte</c> and <c>il-ktieb</c> are two.</param>
/// <param name="Found">How many of them are stop words.</param>
/// <param name="Distinct">How many different ones.</param>
internal readonly record struct StopWords(int Words, int Found, int Distinct)
{
    private static readonly FrozenDictionary<string, Lazy<Lookup>> Lookups = LanguageCatalog.Identified.Where(language => language.StopWords.Count > 0)
        .ToFrozenDictionary(language => language.Code, language => new Lazy<Lookup>(() => new Lookup(language)), StringComparer.Ordinal);

    /// <summary>Their share of the words, 0 to 1; 0 without words.</summary>
    public double Share => Words == 0 ? 0 : (double)Found / Words;

    /// <summary>Counts them; null where the catalogue has no stop words of the language.</summary>
    public static StopWords? Of(ReadOnlySpan<char> text, string language) =>
        Lookups.TryGetValue(language, out Lazy<Lookup>? lookup) ? lookup.Value.Count(text) : null;

    /// <summary>The stop words of one language by their folded letters.</summary>
    private sealed class Lookup
    {
        private readonly FrozenDictionary<string, int> _numbers;
        private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _byLetters;
        private readonly int _longest;

        public Lookup(Language language)
        {
            // An apostrophe or hyphen parts words here, so those that have one are known by their parts.
            string[] words = [.. language.StopWords.SelectMany(word => word.Split(['\'', '’', '-', ' '], StringSplitOptions.RemoveEmptyEntries))];
            if (language.Alphabets.Any(alphabet => alphabet.Script.Code == "Cyrl") && language.Alphabets.Any(alphabet => alphabet.Script.Code == "Latn"))
                words = [.. words, .. words.Select(SerbianLetters.ToLatin)];
            _numbers = words.Select(FoldedLetters.Of).Distinct(StringComparer.Ordinal).Select((word, number) => (word, number))
                .ToFrozenDictionary(pair => pair.word, pair => pair.number, StringComparer.Ordinal);
            _byLetters = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
            _longest = _numbers.Keys.Max(word => word.Length);
        }

        public StopWords Count(ReadOnlySpan<char> text)
        {
            Span<char> folded = stackalloc char[_longest];
            Span<ulong> seen = stackalloc ulong[(_numbers.Count + 63) / 64];
            seen.Clear();
            ReadOnlySpan<char> table = FoldedLetters.Table;
            int words = 0, found = 0, distinct = 0;
            for (int i = 0; i < text.Length; i++)
            {
                if (table[text[i]] <= FoldedLetters.Mark) continue;
                int length = 0;
                for (char letter; i < text.Length && (letter = table[text[i]]) != FoldedLetters.None; i++)
                {
                    if (letter == FoldedLetters.Mark) continue;
                    if (length < _longest) folded[length] = letter;
                    length++;
                }
                words++;
                if (length > _longest || !_byLetters.TryGetValue(folded[..length], out int number)) continue;
                found++;
                ulong bit = 1UL << (number & 63);
                if ((seen[number >> 6] & bit) != 0) continue;
                seen[number >> 6] |= bit;
                distinct++;
            }
            return new StopWords(words, found, distinct);
        }
    }
}

/// <summary>Letters as they are compared: small; Greek ones without accents and breathings, so that capitals and the older spelling are the same words, and with one
/// sigma; one i, with or without its dot, since in Turkish the capital of one is that of the other elsewhere.</summary>
internal static class FoldedLetters
{
    /// <summary>What is no letter.</summary>
    public const char None = '\0';

    /// <summary>An accent that stands by itself: it belongs to the word and is passed over.</summary>
    public const char Mark = '\u0001';

    private static readonly char[] Folded = [.. Enumerable.Range(0, 0x10000).Select(unit => Fold((char)unit))];

    /// <summary>For each UTF-16 unit its letter, or <see cref="None"/> or <see cref="Mark"/>.</summary>
    public static ReadOnlySpan<char> Table => Folded;

    /// <summary>A word of letters.</summary>
    public static string Of(string word) => string.Concat(word.Select(letter => Folded[letter]).Where(letter => letter > Mark));

    private static char Fold(char unit)
    {
        if (CharUnicodeInfo.GetUnicodeCategory(unit) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark) return Mark;
        if (!char.IsLetter(unit)) return None;
        char small = char.ToLowerInvariant(unit);
        if (unit is 'İ' or 'ı') return 'i';
        if (unit is (>= '\u0370' and < '\u0400') or (>= '\u1F00' and < '\u2000')) small = char.ToLowerInvariant(unit.ToString().Normalize(NormalizationForm.FormD)[0]);
        return small == 'ς' ? 'σ' : small;
    }
}

/// <summary>Serbian is written in two alphabets that answer to each other letter by letter.</summary>
internal static class SerbianLetters
{
    private const string Cyrillic = "абвгдђежзијклљмнњопрстћуфхцчџш";

    private static readonly string[] Latin =
        ["a", "b", "v", "g", "d", "đ", "e", "ž", "z", "i", "j", "k", "l", "lj", "m", "n", "nj", "o", "p", "r", "s", "t", "ć", "u", "f", "h", "c", "č", "dž", "š"];

    /// <summary>A word in small letters, in the other alphabet.</summary>
    public static string ToLatin(string word)
    {
        var latin = new StringBuilder();
        foreach (char letter in word)
        {
            int place = Cyrillic.IndexOf(letter, StringComparison.Ordinal);
            if (place < 0) latin.Append(letter);
            else latin.Append(Latin[place]);
        }
        return latin.ToString();
    }
}
