using System.Runtime.InteropServices;
using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Western forms of eastern Serbian words (<c>sneg</c>, <c>snijeg</c>), found in Croatian and Bosnian text: where a word is not used there, and
/// with <c>je</c>, <c>ije</c> or <c>io</c> in place of an <c>e</c> or <c>eo</c> it is, the latter stands for it.</summary>
internal sealed class IjekavianWords
{
    // Rarer words may be accidents of one book.
    private const int LeastUses = 3;

    private const int ShortestWord = 3;

    private readonly Dictionary<string, int> _western = [];
    private readonly Dictionary<string, string> _forms = [];

    /// <summary>Learns the words of a western text.</summary>
    public void Learn(string text)
    {
        foreach (var range in Words(text))
            CollectionsMarshal.GetValueRefOrAddDefault(_western, text[range].ToLowerInvariant(), out _)++;
    }

    /// <summary>An eastern text in Latin letters with western forms.</summary>
    public string Apply(string text)
    {
        var result = new StringBuilder(text.Length + 64);
        int copied = 0;
        foreach (var range in Words(text))
        {
            string word = text[range], lower = word.ToLowerInvariant();
            if (!_forms.TryGetValue(lower, out string? form)) _forms[lower] = form = Form(lower);
            if (form == lower) continue;
            result.Append(text, copied, range.Start.Value - copied).Append(char.IsUpper(word[0]) ? char.ToUpperInvariant(form[0]) : form[0]).Append(form, 1, form.Length - 1);
            copied = range.End.Value;
        }

        return result.Append(text, copied, text.Length - copied).ToString();
    }

    private string Form(string word)
    {
        int own = _western.GetValueOrDefault(word), most = Math.Max(LeastUses, 4 * own);
        string best = word;
        if (word.Length < ShortestWord) return word;
        for (int i = 0; i < word.Length; i++)
        {
            if (word[i] != 'e') continue;
            Try(word, i, "je", 1, ref best, ref most);
            Try(word, i, "ije", 1, ref best, ref most);
            if (i + 1 < word.Length && word[i + 1] == 'o') Try(word, i, "io", 2, ref best, ref most);
        }

        return best;
    }

    private void Try(string word, int at, string vowels, int length, ref string best, ref int most)
    {
        string form = string.Concat(word.AsSpan(0, at), vowels, word.AsSpan(at + length));
        if (_western.GetValueOrDefault(form) is int uses && uses >= most) (best, most) = (form, uses);
    }

    private static IEnumerable<Range> Words(string text)
    {
        for (int start = 0; start < text.Length; start++)
        {
            if (!char.IsLetter(text[start])) continue;
            int end = start;
            while (end < text.Length && char.IsLetter(text[end])) end++;
            yield return start..end;
            start = end;
        }
    }
}
