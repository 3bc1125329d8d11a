using OpenEuroLLM.Privacy.Checks;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>Compares the words from a place on with the numbers that have a check: identifiers, VAT and account numbers, cards.</summary>
internal sealed class NumberMatcher(RuleBook rules, ContextFinder context)
{
    private const int ShortestNumber = 4;

    /// <summary>The best of all numbers that begin where the window does; null when there is none.</summary>
    public Candidate? Best(string text, NumberWindow window, ulong countries)
    {
        Candidate? best = null;
        ReadOnlySpan<char> symbols = window.Symbols;
        // The last groups of a longer number are none by themselves.
        bool follows = window.Count > 0 && window.StartOf(0) is > 1 and int first && text[first - 1] == ' ' && char.IsDigit(text[first - 2]);
        for (int count = symbols.Length; count >= ShortestNumber; count--)
        {
            if (!window.EndsAfter(count) || !TryGaps(window, count, out int gaps, out char sign)) continue;
            bool? mayEnd = null;   // asked only of what is a number: most are none
            int start = window.StartOf(0), end = window.EndOf(count - 1);
            ReadOnlySpan<char> number = symbols[..count];
            foreach (NumberForm form in rules.OfLength(count))
            {
                if (!form.Accepts(number, sign)) continue;
                bool usual = gaps == 0 || IsUsual(window, count, form.Groups);
                if (sign == '+' && !usual) continue;
                if (!(mayEnd ??= NumberEdges.MayEnd(text, end))) break;
                if (Judge(form.Rule, form.Tier, start, end, usual, gaps > 0 && follows, countries) is { } candidate && candidate.IsBetterThan(best)) best = candidate;
            }
            if (IsIban(number) && (mayEnd ??= NumberEdges.MayEnd(text, end)))
            {
                string country = number[..2].ToString();
                var candidate = new Candidate(rules.Iban, country == "GR" ? "EL" : country, PersonalDataTier.A, start, end, Candidate.Named, null);
                if (candidate.IsBetterThan(best)) best = candidate;
            }
            if (NetworkOf(number) is { } network && CheckDigits.Luhn(number) && (mayEnd ??= NumberEdges.MayEnd(text, end)))
            {
                bool usual = gaps == 0 || IsUsual(window, count, rules.CardGroups);
                PersonalDataTier tier = network.Alone ? PersonalDataTier.A : PersonalDataTier.C;
                if (Judge(rules.Card, tier, start, end, usual, gaps > 0 && follows, countries) is { } candidate && candidate.IsBetterThan(best)) best = candidate;
            }
        }
        return best;
    }

    private Candidate? Judge(RuleName rule, PersonalDataTier tier, int start, int end, bool usual, bool rest, ulong countries)
    {
        if (!usual && tier == PersonalDataTier.C) return null;   // "VAT of 100 000 euros"
        ContextHit? hit = context.Near(rule.Concept, start, end, inSentence: !rule.HasCheck);
        bool home = (rule.Countries & countries) != 0;
        // Beside "NIF" or "VAT" every third number of nine digits is one of some country: without its letters it is one of the country of the text.
        if (rule.Type == PersonalDataType.Vat && tier == PersonalDataTier.C && !home && countries != 0) return null;
        if (hit is not null) return new Candidate(rule, rule.Country, tier, start, end, Candidate.Named, hit, home);
        if (!usual || rest || tier == PersonalDataTier.C || context.HitBefore(rules.Blockers, start) is not null) return null;
        if (tier == PersonalDataTier.B) return home ? new Candidate(rule, rule.Country, tier, start, end, Candidate.AtHome, null, home) : null;
        return new Candidate(rule, rule.Country, tier, start, end, home ? Candidate.SureAtHome : Candidate.Sure, null, home);
    }

    private static bool TryGaps(NumberWindow window, int count, out int gaps, out char sign)
    {
        gaps = 0;
        sign = '\0';
        for (int i = 1; i < count; i++)
        {
            Gap gap = window.GapBefore(i);
            if (gap == Gap.None) continue;
            if (gap is Gap.Bracket or Gap.Spaced) return false;
            sign = gaps++ > 0 ? '\0' : gap switch { Gap.Hyphen => '-', Gap.Plus => '+', _ => '\0' };
            if (gap == Gap.Plus && gaps > 1) return false;
        }
        return true;
    }

    private static bool IsUsual(NumberWindow window, int count, IReadOnlyList<byte[]> groups)
    {
        foreach (byte[] lengths in groups)
            if (window.HasGroups(count, lengths)) return true;
        return false;
    }

    private bool IsIban(ReadOnlySpan<char> symbols)
    {
        if (symbols.Length < 15 || !char.IsAsciiLetter(symbols[0]) || !char.IsAsciiLetter(symbols[1]) || !char.IsAsciiDigit(symbols[2]) || !char.IsAsciiDigit(symbols[3])) return false;
        FrozenLookup(symbols[..2], out int length, out bool letters);
        if (length != symbols.Length || (!letters && symbols[4..].ContainsAnyExceptInRange('0', '9'))) return false;
        Span<char> turned = stackalloc char[symbols.Length];
        symbols[4..].CopyTo(turned);
        symbols[..4].CopyTo(turned[^4..]);
        return CheckDigits.Remainder97(turned) == 1;
    }

    private void FrozenLookup(ReadOnlySpan<char> country, out int length, out bool letters)
    {
        rules.IbanLengths.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(country, out length);
        letters = rules.IbanLetters.GetAlternateLookup<ReadOnlySpan<char>>().Contains(country);
    }

    private CardNetwork? NetworkOf(ReadOnlySpan<char> symbols)
    {
        if (symbols.Length is < 12 or > 19 || symbols.ContainsAnyExceptInRange('0', '9')) return null;
        foreach ((Rules.Range prefix, CardNetwork network) in rules.CardNetworks)
            if (network.Lengths.Contains(symbols.Length) && prefix.Begins(symbols)) return network;
        return null;
    }
}
