using System.Buffers;
using System.Net;
using System.Text;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Finds sentences that forbid training or text and data mining in plain words of the 24 official languages. They are recorded with their text for a person to look at;
/// whether such a sentence is a reservation is a question for lawyers.</summary>
public static class PlainBans
{
    private const int MostFound = 4;
    private const int MostLookedAt = 256;
    private const int Before = 240;
    private const int Behind = 240;

    private static readonly (string Language, string Subject, bool IsStem, string[] Bans)[] Phrases = [.. RightsData.BanPhrases
        .SelectMany(phrases => phrases.Subjects.Select(subject => (phrases.Language, subject.TrimEnd('*'), subject.EndsWith('*'), phrases.Bans)))];

    private static readonly SearchValues<string> Subjects = SearchValues.Create([.. Phrases.Select(phrase => phrase.Subject).Distinct()], StringComparison.OrdinalIgnoreCase);

    /// <summary>Finds such sentences.</summary>
    /// <param name="utf8">The page.</param>
    /// <param name="isHtml">Whether it has tags and character references, which are taken out.</param>
    public static IReadOnlyList<RightsStatement> Find(ReadOnlySpan<byte> utf8, bool isHtml)
    {
        string text = Encoding.UTF8.GetString(utf8);
        text = Visible(text, isHtml);
        return Find(isHtml && text.Contains('&', StringComparison.Ordinal) ? Visible(WebUtility.HtmlDecode(text), isHtml: false) : text);
    }

    private static List<RightsStatement> Find(string text)
    {
        var found = new List<RightsStatement>();
        for (int at = 0, looked = 0; found.Count < MostFound && looked < MostLookedAt; looked++)
        {
            int next = text.AsSpan(at).IndexOfAny(Subjects);
            if (next < 0) break;
            at += next;
            int end = at + 1;
            foreach ((string language, string subject, bool isStem, string[] bans) in Phrases)
            {
                if (!IsWordAt(text, at, subject, isStem)) continue;
                (int start, int length) = Sentence(text, at, subject.Length);
                string sentence = text.Substring(start, length);
                if (!Array.Exists(bans, ban => HasWord(sentence, ban))) continue;
                found.Add(new RightsStatement(StatementSource.Text, language, sentence.Trim()));
                end = Math.Max(end, start + length);
                break;
            }
            at = end;
        }
        return found;
    }

    private static bool IsWordAt(string text, int at, string word, bool isStem) =>
        text.AsSpan(at).StartsWith(word, StringComparison.OrdinalIgnoreCase) && (at == 0 || !char.IsLetterOrDigit(text[at - 1]))
        && (isStem || at + word.Length == text.Length || !char.IsLetterOrDigit(text[at + word.Length]));

    /// <summary>Whether a word of the sentence begins so.</summary>
    private static bool HasWord(string sentence, string word)
    {
        for (int at = 0; (at = sentence.IndexOf(word, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
            if (at == 0 || !char.IsLetterOrDigit(sentence[at - 1])) return true;
        return false;
    }

    /// <summary>The sentence around a place, or as much of it as is looked at.</summary>
    private static (int Start, int Length) Sentence(string text, int at, int length)
    {
        int first = Math.Max(0, at - Before), last = Math.Min(text.Length, at + length + Behind);
        int start = at, end = at + length;
        while (start > first && !IsEnd(text, start - 1)) start--;
        while (end < last && !IsEnd(text, end)) end++;
        if (end < text.Length && IsEnd(text, end)) end++;
        return (start, end - start);
    }

    /// <summary>Whether a sentence ends at a place: a full stop counts before a blank only, so that addresses and numbers are not cut.</summary>
    private static bool IsEnd(string text, int at) =>
        text[at] is '!' or '?' or '\n' || (text[at] is '.' or ';' && (at + 1 == text.Length || text[at + 1] is ' ' or '\n'));

    /// <summary>The text without tags, runs of blanks as one.</summary>
    private static string Visible(string text, bool isHtml)
    {
        char[] buffer = ArrayPool<char>.Shared.Rent(text.Length);
        try
        {
            int length = 0;
            bool blank = true;
            for (int at = 0; at < text.Length; at++)
            {
                char letter = text[at];
                if (isHtml && letter == '<')
                {
                    int close = text.IndexOf('>', at);
                    if (close < 0) break;
                    at = close;
                    letter = ' ';
                }
                if (letter is ' ' or '\t' or '\r' or '\n' or '\u00A0' or '\u00AD')
                {
                    if (!blank) buffer[length++] = ' ';
                    blank = true;
                    continue;
                }
                buffer[length++] = letter;
                blank = false;
            }
            return new string(buffer, 0, length);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }
}
