using System.Buffers;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>E-mail addresses, with an at sign or with what people write instead of it.</summary>
internal sealed class EmailMatcher(RuleBook rules)
{
    private const int MostLocal = 64, MostLabel = 63, MostAddress = 254;

    private readonly SearchValues<string> _words = SearchValues.Create([.. rules.Email.AtWords], StringComparison.OrdinalIgnoreCase);

    /// <summary>The address around an at sign.</summary>
    public Candidate? AroundSign(string text, int at) => Around(text, at, at + 1, inWords: false);

    /// <summary>The address around a bracket that says "at".</summary>
    public Candidate? AroundBracket(string text, int open)
    {
        foreach (string sign in rules.Email.At)
            if (StartsWith(text, open, sign)) return Around(text, open, open + sign.Length, inWords: true);
        return null;
    }

    /// <summary>The place of the next word that may say "at"; -1 when there is none.</summary>
    public int NextWord(string text, int from)
    {
        int found = text.AsSpan(from).IndexOfAny(_words);
        return found < 0 ? -1 : from + found;
    }

    /// <summary>The address around a word that says "at".</summary>
    public Candidate? AroundWord(string text, int at)
    {
        foreach (string word in rules.Email.AtWords)
        {
            int end = at + word.Length;
            if (StartsWith(text, at, word) && at > 0 && text[at - 1] == ' ' && end < text.Length && text[end] == ' ') return Around(text, at, end, inWords: true);
        }
        return null;
    }

    private Candidate? Around(string text, int sign, int afterSign, bool inWords)
    {
        int localEnd = sign, domainStart = afterSign;
        if (inWords)
        {
            if (localEnd > 0 && text[localEnd - 1] == ' ') localEnd--;
            if (domainStart < text.Length && text[domainStart] == ' ') domainStart++;
        }
        int start = localEnd, invisible = 0;
        while (start > 0 && localEnd - start <= MostLocal + invisible && (IsLocal(text[start - 1]) || (IsInvisible(text[start - 1]) && ++invisible <= 16))) start--;
        if (localEnd - start > MostLocal + invisible) return null;
        while (start < localEnd && text[start] is '.' or '\'' or '-' or '%' or '+') start++;
        if (start == localEnd || text[localEnd - 1] == '.' || text.AsSpan(start, localEnd - start).Contains("..", StringComparison.Ordinal)) return null;
        int end = DomainEnd(text, domainStart, inWords, out int labels, out int lastLabel, out bool inNumbers);
        if (labels < 2 || inNumbers || end - start > MostAddress) return null;
        if (IsSkipped(text, start, localEnd, domainStart, lastLabel, end)) return null;
        return new Candidate(rules.EmailAddress, null, PersonalDataTier.A, start, end, Candidate.Named, null);
    }

    /// <summary>Where the domain ends: labels of letters, digits and hyphens, the last of letters.</summary>
    private int DomainEnd(string text, int at, bool inWords, out int labels, out int lastLabel, out bool inNumbers)
    {
        labels = 0;
        lastLabel = at;
        inNumbers = true;
        int end = at, limit = Math.Min(text.Length, at + MostAddress);
        while (at < limit)
        {
            int labelStart = at, labelEnd = at;
            bool letters = true, punycode = StartsWith(text, at, "xn--");
            int invisible = 0;
            while (at < limit && (char.IsLetterOrDigit(text[at]) || text[at] == '-' || IsMark(text[at]) || (IsInvisible(text[at]) && ++invisible <= 16)))
            {
                letters &= !char.IsDigit(text[at]) && text[at] != '-';
                at++;
                if (text[at - 1] != '-') labelEnd = at;
            }
            int length = labelEnd - labelStart - invisible;
            if (length == 0 || length > MostLabel || text[labelStart] == '-') break;
            labels++;
            // "host.1" ends at "host"; a top level is of letters.
            if (labels > 1 && ((letters && length >= 2) || punycode)) (end, lastLabel, inNumbers) = (labelEnd, labelStart, false);
            else if (labels == 1) end = labelEnd;
            if (labelEnd < at) break;
            int dot = DotLength(text, at, inWords);
            if (dot == 0) break;
            at += dot;
        }
        return end;
    }

    private int DotLength(string text, int at, bool inWords)
    {
        if (at < text.Length && text[at] is '.' or '．' or '。') return 1;
        if (!inWords || at >= text.Length) return 0;
        int from = at;
        if (text[at] == ' ') at++;
        foreach (string dot in rules.Email.Dot)
            if (StartsWith(text, at, dot)) return at + dot.Length - from + (at + dot.Length < text.Length && text[at + dot.Length] == ' ' ? 1 : 0);
        if (at == from) return 0;
        foreach (string word in rules.Email.DotWords)
            if (StartsWith(text, at, word) && at + word.Length < text.Length && text[at + word.Length] == ' ') return at + word.Length + 1 - from;
        return 0;
    }

    private bool IsSkipped(string text, int start, int localEnd, int domainStart, int lastLabel, int end)
    {
        ReadOnlySpan<char> local = text.AsSpan(start, localEnd - start), domain = text.AsSpan(domainStart, end - domainStart), top = text.AsSpan(lastLabel, end - lastLabel);
        foreach (string skipped in rules.Email.SkippedTopLevel)
            if (top.Equals(skipped, StringComparison.OrdinalIgnoreCase)) return true;
        foreach (string skipped in rules.Email.SkippedLocals)
            if (local.Equals(skipped, StringComparison.OrdinalIgnoreCase)) return true;
        int dot = domain[..^top.Length].TrimEnd(". ([{)]}").LastIndexOf('.');
        ReadOnlySpan<char> name = domain[(dot + 1)..];
        foreach (string skipped in rules.Email.SkippedDomains)
            if (name.StartsWith(skipped, StringComparison.OrdinalIgnoreCase) && name.Length > skipped.Length && !char.IsLetterOrDigit(name[skipped.Length]) && name[skipped.Length] != '-') return true;
        return false;
    }

    private static bool StartsWith(string text, int at, string word) => text.AsSpan(at).StartsWith(word, StringComparison.OrdinalIgnoreCase);

    private static bool IsLocal(char letter) => char.IsLetterOrDigit(letter) || letter is '.' or '_' or '%' or '+' or '\'' or '-' || IsMark(letter);

    private static bool IsMark(char letter) => letter is >= '\u0300' and <= '\u036F';

    private static bool IsInvisible(char letter) => letter is '\u00AD' or '\u200B' or '\u200C' or '\u200D' or '\u2060' or '\uFEFF';
}
