using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>Telephone numbers: with a calling code by themselves, national ones with their trunk prefix in groups, or with a word that names them.</summary>
internal sealed class PhoneMatcher(RuleBook rules, ContextFinder context)
{
    private const int Fewest = 6, MostDigits = 16;
    private const int FewestAlone = 9;   // digits, with the trunk prefix: fewer are dates and prices
    private const int FarthestNext = 40;   // characters between two numbers that one word names

    /// <summary>The telephone number that begins where the window does; null when there is none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="window">The words.</param>
    /// <param name="plus">Where a plus sign stands in front; null when there is none.</param>
    /// <param name="countries">The countries of the document.</param>
    /// <param name="before">What was found last.</param>
    public Candidate? Best(string text, NumberWindow window, int? plus, ulong countries, Candidate? before)
    {
        ReadOnlySpan<char> digits = window.Symbols;
        int letter = digits.IndexOfAnyExceptInRange('0', '9');
        if (letter >= 0) digits = digits[..letter];
        if (digits.Length > MostDigits) digits = digits[..MostDigits];
        Candidate? best = null;
        for (int count = digits.Length; count >= Fewest; count--)
        {
            if (!window.EndsAfter(count) || !HasPhoneGaps(window, count)) continue;
            int end = window.EndOf(count - 1);
            int start = StartOf(text, window, count, plus);
            if (Judge(text, window, digits[..count], plus is not null, start, end, countries, before) is not { } candidate || !NumberEdges.MayEnd(text, end)) continue;
            if (IsBetter(candidate, best)) best = candidate;
        }
        return best;
    }

    // A mobile number that fits exactly beats a longer one that merely has a possible length.
    private static bool IsBetter(Candidate candidate, Candidate? best) => best is null || candidate.Score > best.Value.Score;

    private Candidate? Judge(string text, NumberWindow window, ReadOnlySpan<char> digits, bool plus, int start, int end, ulong countries, Candidate? before)
    {
        if (plus) return International(digits, start, end);
        bool grouped = window.Gaps(digits.Length) > 0;
        if (grouped && LooksLikeDate(window, digits)) return null;
        ContextHit? hit = context.Near(rules.PhoneContext, start, end);
        if (digits.StartsWith("00", StringComparison.Ordinal) && hit is not null && International(digits[2..], start, end) is { } abroad)
            return abroad with { Context = hit };
        // "call him at 694 ..., or the shop at 210 ...": one word names both.
        bool follows = before is { Rule.Type: PersonalDataType.Phone, Score: >= Candidate.Named } last && start - last.End <= FarthestNext;
        Candidate? best = null;
        foreach (PhonePlan plan in rules.PhonePlans)
        {
            bool home = (plan.Rule.Countries & countries) != 0;
            if (!home || National(plan, digits) is not { Length: > 0 } national || !plan.IsNational(national)) continue;
            bool mobile = plan.IsMobile(national);
            bool alone = grouped && (plan.Trunk.Length > 0 || follows) && digits.Length >= FewestAlone && context.HitBefore(rules.Blockers, start) is null
                && context.HitBefore(rules.Labels, start) is null && IsGroupedAsPhones(window, digits.Length, plan.Trunk.Length) && national[0] != '0'
                && !(start > 1 && text[start - 1] == ' ' && char.IsDigit(text[start - 2]));   // the rest of a longer number
            if (hit is null && !alone) continue;
            int score = (hit is null ? Candidate.Grouped : Candidate.Named) + (mobile ? 1 : 0);
            if (best is null || score > best.Value.Score) best = new Candidate(plan.Rule, plan.Rule.Country, PersonalDataTier.B, start, end, score, hit);
        }
        if (best is null && hit is not null && digits[0] == '0' && digits.Length is >= 8 and <= 12)
            best = new Candidate(rules.OtherPhone, null, PersonalDataTier.C, start, end, Candidate.Named, hit);
        return best;
    }

    private static ReadOnlySpan<char> National(PhonePlan plan, ReadOnlySpan<char> digits)
    {
        if (plan.Trunk.Length == 0) return digits;
        if (digits.StartsWith(plan.Trunk, StringComparison.Ordinal)) return digits[plan.Trunk.Length..];
        return plan.Entry.OldTrunk is { } old && digits.StartsWith(old, StringComparison.Ordinal) ? digits[old.Length..] : default;
    }

    private Candidate? International(ReadOnlySpan<char> digits, int start, int end)
    {
        foreach (PhonePlan plan in rules.PhonePlans)
        {
            if (!digits.StartsWith(plan.Entry.Code, StringComparison.Ordinal)) continue;
            ReadOnlySpan<char> national = digits[plan.Entry.Code.Length..];
            // "+49 (0) 30" is common, though the trunk prefix is not dialled.
            ReadOnlySpan<char> plain = plan.Trunk.Length > 0 && national.StartsWith(plan.Trunk, StringComparison.Ordinal) ? national[plan.Trunk.Length..] : national;
            bool mobile = plan.IsMobile(plain);
            return mobile || plan.IsNational(plain) ? new Candidate(plan.Rule, plan.Rule.Country, PersonalDataTier.A, start, end, Candidate.Named + (mobile ? 1 : 0), null) : null;
        }
        foreach (Rules.Range code in rules.OtherCodes)
            if (code.Begins(digits) && digits.Length - code.Digits >= rules.Phones.OtherLeast && digits.Length - code.Digits <= rules.Phones.OtherMost)
                return new Candidate(rules.OtherPhone, null, PersonalDataTier.A, start, end, Candidate.Named, null);
        return null;
    }

    private static int StartOf(string text, NumberWindow window, int count, int? plus)
    {
        int start = plus ?? window.StartOf(0);
        if (start == 0 || text[start - 1] != '(') return start;
        for (int i = 1; i < count; i++)
            if (window.GapBefore(i) == Gap.Bracket) return start - 1;
        return start;
    }

    private static bool HasPhoneGaps(NumberWindow window, int count)
    {
        for (int i = 1; i < count; i++)
            if (window.GapBefore(i) == Gap.Plus) return false;
        return true;
    }

    /// <summary>Words of two to six digits, separated alike after the first: not "07.00–22.00" and not "07045-4/2004". An area code after the trunk prefix may have one digit: "06 1".</summary>
    private static bool IsGroupedAsPhones(NumberWindow window, int count, int trunk)
    {
        int length = 0, words = 0;
        Gap common = Gap.None;
        for (int i = 0; i <= count; i++)
        {
            Gap gap = i == 0 || i == count ? Gap.None : window.GapBefore(i);
            if (i < count && gap == Gap.None)
            {
                length++;
                continue;
            }
            if ((length < 2 && !(words == 1 && i == trunk + 1)) || (words == 0 && length > 6)) return false;
            if (words > 0 && i < count)
            {
                if (common != Gap.None && gap != common) return false;
                common = gap;
            }
            words++;
            length = 1;
        }
        return true;
    }

    /// <summary>Days, months and years: 24.12.2023, 2023-12-24, 24/12 2023, 1998-2004.</summary>
    private static bool LooksLikeDate(NumberWindow window, ReadOnlySpan<char> digits)
    {
        if (digits.Length is < 6 or > 8) return false;
        Span<int> words = stackalloc int[8];
        int count = 0, value = 0, length = 0;
        Span<int> lengths = stackalloc int[8];
        for (int i = 0; i < digits.Length; i++)
        {
            if (i > 0 && window.GapBefore(i) != Gap.None)
            {
                (words[count], lengths[count]) = (value, length);
                count++;
                (value, length) = (0, 0);
            }
            value = value + digits[i] - '0';
            length++;
        }
        (words[count], lengths[count]) = (value, length);
        count++;
        if (count == 2) return lengths[0] == 4 && lengths[1] == 4 && IsYear(words[0]) && IsYear(words[1]);
        if (count != 3) return false;
        bool dayFirst = lengths[0] <= 2 && lengths[1] <= 2 && (lengths[2] == 4 ? IsYear(words[2]) : lengths[2] == 2 && digits.Length == 6);
        bool yearFirst = lengths[0] == 4 && IsYear(words[0]) && lengths[1] <= 2 && lengths[2] <= 2;
        if (dayFirst) return words[0] is >= 1 and <= 31 && words[1] is >= 1 and <= 12;
        return yearFirst && words[1] is >= 1 and <= 12 && words[2] is >= 1 and <= 31;
    }

    private static bool IsYear(int value) => value is >= 1000 and <= 2100;
}
