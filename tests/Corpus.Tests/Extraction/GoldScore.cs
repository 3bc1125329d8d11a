using System.Globalization;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

/// <summary>How extracted texts are compared with what people marked.</summary>
/// <remarks>Word F1: words are the longest runs of letters, digits and combining marks, in small letters; a page's precision and recall are shares of the bag of its words that both texts have
/// (a word that stands n and m times counts min(n, m)); F1 is their harmonic mean, averaged over pages. Segments are looked for after runs of white space are made one.</remarks>
internal static class GoldScore
{
    public static double WordF1(string text, string gold)
    {
        Dictionary<string, int> found = Words(text), wanted = Words(gold);
        double common = wanted.Sum(word => Math.Min(word.Value, found.GetValueOrDefault(word.Key)));
        double total = found.Values.Sum() + wanted.Values.Sum();
        return total == 0 ? 1 : 2 * common / total;
    }

    public static bool Contains(string text, string segment) => OneSpace(text).Contains(OneSpace(segment), StringComparison.Ordinal);

    private static string OneSpace(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static Dictionary<string, int> Words(string text)
    {
        var words = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int at = 0; at < text.Length;)
        {
            int start = at;
            while (at < text.Length && IsOfWord(text[at])) at++;
            if (at == start)
            {
                at++;
                continue;
            }
            string word = text[start..at].ToLowerInvariant();
            words[word] = words.GetValueOrDefault(word) + 1;
        }
        return words;
    }

    private static bool IsOfWord(char unit) => char.IsLetterOrDigit(unit) || char.GetUnicodeCategory(unit) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
