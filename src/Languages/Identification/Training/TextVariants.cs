using System.Reflection;
using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Text of one language or spelling made from that of a near one, by rules that are written down in <c>languages/identification/</c>.</summary>
internal static class TextVariants
{
    private const string Cyrillic = "абвгдђежзијклљмнњопрстћуфхцчџш";
    private static readonly string[] _latin = "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š".Split(' ');

    private static readonly HashSet<string> _western = ["vrijeme", "gdje", "prije", "poslije", "dijete", "svijet", "riječ", "uvijek", "ovdje", "čovjek", "mjesto", "dvije", "lijepo", "htio", "vidio"];
    private static readonly HashSet<string> _eastern = ["vreme", "gde", "pre", "posle", "dete", "svet", "reč", "uvek", "ovde", "čovek", "mesto", "dve", "lepo", "hteo", "video"];

    private static readonly Lazy<WordRules> _bosnianFromCroatian = new(() => WordRules.Load("bs-from-hr")), _bosnianFromSerbian = new(() => WordRules.Load("bs-from-sr"));

    /// <summary>Serbian in Latin letters.</summary>
    public static string SerbianLatin(string cyrillic)
    {
        var text = new StringBuilder(cyrillic.Length + 16);
        foreach (char letter in cyrillic)
        {
            char lower = char.ToLowerInvariant(letter);
            int place = Cyrillic.IndexOf(lower, StringComparison.Ordinal);
            string replacement = place < 0 ? "" : _latin[place];
            if (place < 0) text.Append(letter);
            else if (lower == letter) text.Append(replacement);
            else text.Append(char.ToUpperInvariant(replacement[0])).Append(replacement, 1, replacement.Length - 1);
        }

        return text.ToString();
    }

    /// <summary>Whether a text in Latin letters has the western vowels: <c>vrijeme, gdje</c> and not <c>vreme, gde</c>.</summary>
    public static bool IsIjekavian(string latin)
    {
        int western = 0, eastern = 0;
        foreach (string word in latin.Split(' '))
            if (_western.Contains(word)) western++;
            else if (_eastern.Contains(word)) eastern++;
        return western > eastern;
    }

    /// <summary>Bosnian words for Croatian ones.</summary>
    public static string BosnianFromCroatian(string text) => _bosnianFromCroatian.Value.Apply(text);

    /// <summary>Ijekavian forms and Bosnian words for the Serbian ones of a text in Latin letters.</summary>
    public static string BosnianFromSerbian(string text) => _bosnianFromSerbian.Value.Apply(text);

    /// <summary>The spelling of 1948 for the one before it: å for aa.</summary>
    public static string ModernDanish(string text) => text.Replace("Aa", "Å", StringComparison.Ordinal).Replace("aa", "å", StringComparison.Ordinal);

    /// <summary>The spelling of 1906 for the one before it: v for hv, fv and f at the end of common words.</summary>
    public static string ModernSwedish(string text) => text
        .Replace(" af ", " av ", StringComparison.Ordinal).Replace("fv", "v", StringComparison.Ordinal).Replace("hv", "v", StringComparison.Ordinal).Replace("qv", "kv", StringComparison.Ordinal);

    /// <summary>Replacements of whole words, and of beginnings of words: those end in a hyphen.</summary>
    private sealed class WordRules(Dictionary<string, string> words, Dictionary<string, string> beginnings)
    {
        public static WordRules Load(string name)
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"identification/{name}.tsv")!;
            using var reader = new StreamReader(stream);
            var (words, beginnings) = (new Dictionary<string, string>(), new Dictionary<string, string>());
            while (reader.ReadLine() is string line)
            {
                if (line.Length == 0 || line[0] == '#') continue;
                string[] pair = line.Split('\t');
                if (pair[0].EndsWith('-')) beginnings.Add(pair[0][..^1], pair[1].TrimEnd('-'));
                else words.Add(pair[0], pair[1]);
            }

            return new WordRules(words, beginnings);
        }

        public string Apply(string text)
        {
            var result = new StringBuilder(text.Length + 64);
            for (int start = 0; start < text.Length;)
            {
                int end = start;
                while (end < text.Length && char.IsLetter(text[end])) end++;
                if (end > start) Append(result, text[start..end]);
                if (end < text.Length) result.Append(text[end++]);
                start = end;
            }

            return result.ToString();
        }

        private void Append(StringBuilder result, string word)
        {
            string lower = word.ToLowerInvariant();
            string changed = lower;
            if (words.TryGetValue(lower, out string? whole)) changed = whole;
            else
                for (int length = lower.Length; length >= 2; length--)
                    if (beginnings.TryGetValue(lower[..length], out string? beginning))
                    {
                        changed = beginning + lower[length..];
                        break;
                    }

            if (ReferenceEquals(changed, lower)) result.Append(word);
            else if (char.IsUpper(word[0])) result.Append(char.ToUpperInvariant(changed[0])).Append(changed, 1, changed.Length - 1);
            else result.Append(changed);
        }
    }
}
