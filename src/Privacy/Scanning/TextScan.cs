using System.Buffers;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>The work on one text at a time: looks for places where personal data may begin, and has each looked at.</summary>
internal sealed class TextScan
{
    /// <summary>A word of letters and digits that is longer holds no number.</summary>
    private const int LongestWord = 48;

    /// <summary>Letters that may stand apart before a number: the first part of an Italian code, or the name of a country.</summary>
    private const int LongestPrefix = 6;

    private static readonly SearchValues<char> PlainStarts = SearchValues.Create(SymbolTable.PlainStarts);
    private static readonly SearchValues<char> AllStarts = SearchValues.Create(SymbolTable.AllStarts());

    private readonly RuleBook _rules;
    private readonly ContextFinder _context;
    private readonly NumberWindow _window = new();
    private readonly NumberMatcher _numbers;
    private readonly PhoneMatcher _phones;
    private readonly EmailMatcher _emails;
    private readonly IpMatcher _addresses;
    private readonly List<Candidate> _found = [];
    private long _walked;
    private int _free;   // everything before is decided

    public TextScan(RuleBook rules)
    {
        _rules = rules;
        _context = new ContextFinder(rules);
        _numbers = new NumberMatcher(rules, _context);
        _phones = new PhoneMatcher(rules, _context);
        _emails = new EmailMatcher(rules);
        _addresses = new IpMatcher(rules, _context);
    }

    private Candidate? Last => _found.Count > 0 ? _found[^1] : null;

    /// <summary>Characters looked at so far, by all parts.</summary>
    public long Steps => _walked + _context.Steps + _window.Steps;

    /// <summary>All personal data in a text, in its order, none overlapping another.</summary>
    public IReadOnlyList<PersonalDataFinding> Run(string text, string? language)
    {
        ulong countries = _rules.CountriesOf(language);
        _context.Begin(text);
        _found.Clear();
        _free = 0;
        SearchValues<char> starts = HasRareCharacters(text) ? AllStarts : PlainStarts;
        int at = 0;
        while (at < text.Length)
        {
            int next = text.AsSpan(at).IndexOfAny(starts);
            if (next < 0) break;
            at += next;
            _walked++;
            at = text[at] switch
            {
                '@' or '＠' or '﹫' => Take(_emails.AroundSign(text, at), at + 1),
                '(' or '[' or '{' or '<' => Take(_emails.AroundBracket(text, at), at + 1),
                _ => Number(text, at, countries),
            };
        }
        for (int word = _emails.NextWord(text, 0); word >= 0; word = word + 1 < text.Length ? _emails.NextWord(text, word + 1) : -1)
        {
            _free = 0;
            Take(_emails.AroundWord(text, word), 0);
        }
        return Findings(text);
    }

    private List<PersonalDataFinding> Findings(string text)
    {
        if (_found.Count == 0) return [];
        _found.Sort((left, right) => left.Start != right.Start ? left.Start.CompareTo(right.Start) : right.End.CompareTo(left.End));
        var findings = new List<PersonalDataFinding>(_found.Count);
        int end = 0;
        foreach (Candidate found in _found)
        {
            if (found.Start < end) continue;
            end = found.End;
            findings.Add(new PersonalDataFinding(
                found.Rule.Type, found.Country, found.Tier, found.Start, found.End - found.Start, found.Rule.Name, found.Rule.Version,
                found.Context is { Length: > 0 } word ? _context.Word(word) : null));
        }
        return findings;
    }

    private int Take(Candidate? candidate, int otherwise)
    {
        if (candidate is not { } found || found.Start < _free) return otherwise;
        _found.Add(found);
        _free = found.End;
        return found.End;
    }

    /// <summary>Looks at the number that a digit belongs to.</summary>
    /// <returns>Where to go on.</returns>
    private int Number(string text, int digit, ulong countries)
    {
        SymbolKind first = SymbolTable.At(text, digit, out _, out int units);
        if (first is not (SymbolKind.Digit or SymbolKind.RaisedDigit)) return digit + units;
        int wordEnd = WordEnd(text, digit);
        int start = WordStart(text, digit);
        if (start < 0) return wordEnd;
        if ((start > 0 && text[start - 1] == ':') || (wordEnd < text.Length && text[wordEnd] == ':'))
            if (_addresses.V6(text, digit) is { } address) return Take(address, wordEnd);
        if (!NumberEdges.MayBegin(text, start, out bool afterPlus, out int plus)) return wordEnd;
        _window.Read(text, start);
        Candidate? best = null;
        if (afterPlus) best = _phones.Best(text, _window, plus, countries, Last);
        else
        {
            best = _addresses.V4(text, _window);
            if (best is not null) return Take(best, wordEnd);
            if (_window.Count >= 4) best = _numbers.Best(text, _window, countries);
            if (_phones.Best(text, _window, null, countries, Last) is { } phone && phone.IsBetterThan(best)) best = phone;
            // The country, or the first letters of a code, may stand apart.
            for (int words = 0, from = start; words < 2 && (from = PrefixStart(text, from)) >= 0; words++)
            {
                if (!NumberEdges.MayBegin(text, from, out bool plusBefore, out _) || plusBefore) break;
                _window.Read(text, from);
                if (_numbers.Best(text, _window, countries) is { } longer && (best is null || longer.Score >= best.Value.Score)) best = longer;
            }
        }
        return Take(best, wordEnd);
    }

    /// <summary>Where the word of letters and digits around a digit begins; -1 when it is no word of an identifier.</summary>
    private int WordStart(string text, int digit)
    {
        int start = digit, at = digit;
        for (int length = 0; at > 0; length++)
        {
            SymbolKind kind = SymbolTable.Before(text, at, out int begin, out _);
            _walked++;
            if (kind == SymbolKind.ForeignLetter || length > LongestWord) return -1;
            if (kind is SymbolKind.Digit or SymbolKind.Letter or SymbolKind.RaisedDigit) start = begin;
            else if (kind != SymbolKind.Invisible) break;
            at = begin;
        }
        return start;
    }

    private int WordEnd(string text, int digit)
    {
        int end = digit, at = digit;
        while (at < text.Length)
        {
            SymbolKind kind = SymbolTable.At(text, at, out _, out int units);
            _walked++;
            at += units;
            if (kind is SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter or SymbolKind.RaisedDigit) end = at;
            else if (kind != SymbolKind.Invisible) break;
        }
        return end;
    }

    /// <summary>Where a short word of capitals begins that stands before a place, one space or hyphen between; -1 when there is none.</summary>
    private int PrefixStart(string text, int at)
    {
        if (at == 0 || SymbolTable.Before(text, at, out int gap, out _) is not (SymbolKind.Space or SymbolKind.Hyphen)) return -1;
        int start = gap, length = 0;
        while (start > 0)
        {
            SymbolKind kind = SymbolTable.Before(text, start, out int begin, out _);
            _walked++;
            if (kind is SymbolKind.Digit or SymbolKind.ForeignLetter) return -1;
            if (kind != SymbolKind.Letter) break;
            if (char.IsLower(text, begin) || ++length > LongestPrefix) return -1;
            start = begin;
        }
        return length == 0 ? -1 : start;
    }

    /// <summary>Whether a text has characters beyond those of European scripts and common signs, among which there may be digits.</summary>
    private static bool HasRareCharacters(ReadOnlySpan<char> text) =>
        text.ContainsAnyInRange('\u0600', '\u1DFF') || text.ContainsAnyInRange('\u2070', '\u209F') || text.ContainsAnyInRange('\u2460', '\u24FF')
        || text.ContainsAnyInRange('\u2776', '\u2793') || text.ContainsAnyInRange('\uA600', '\uDFFF') || text.ContainsAnyInRange('\uFF10', '\uFF19')
        || text.ContainsAny('²', '³', '¹');
}
