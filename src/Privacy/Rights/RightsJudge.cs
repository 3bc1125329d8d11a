namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Gives verdicts. May be used by several threads.</summary>
/// <param name="policy">The user's rules.</param>
/// <param name="source">What sites say; null: nothing is known of any.</param>
public sealed class RightsJudge(RightsPolicy policy, PolicySource? source)
{
    /// <summary>Judges a page.</summary>
    /// <param name="url">Its address; of a page without one only what it says itself counts.</param>
    /// <param name="page">What it says.</param>
    /// <param name="licenses">Names and addresses of its licences.</param>
    public RightsVerdict Judge(string? url, PageRights page, IReadOnlyList<string>? licenses = null)
    {
        ArgumentNullException.ThrowIfNull(page);
        licenses ??= [];
        var signals = new List<RightsSignal>(8);
        WebAddress? address = WebAddress.Parse(url);
        if (address is { } known) new SiteStatements(policy, source, known, url!, page, signals).Add();
        PageStatements.Add(policy, page, signals);
        SupersedeTdm(signals, page.Fetched);
        AddOwnRules(address, licenses, signals);
        for (int at = 0; at < signals.Count; at++)
            if (signals[at].Ruling == RightsRuling.Deny && !policy.Honours(signals[at].Protocol)) signals[at] = signals[at] with { Ruling = RightsRuling.Flag, Problem = "not honoured, as the settings say" };
        signals.Sort(Order);   // few, and the order within a protocol is settled below
        RightsSignal? denial = signals.Find(signal => signal.Denies);
        string? license = denial is null ? null : Lifting(address, licenses);
        if (license is not null) denial = signals.Find(signal => signal.Denies && signal.Protocol is RightsProtocol.Blocklist or RightsProtocol.License);
        return new RightsVerdict(denial is not null, denial is null ? null : RightsNames.Of(denial.Protocol), signals, license, RightsData.Version);
    }

    private static int Order(RightsSignal one, RightsSignal other)
    {
        int order = one.Protocol.CompareTo(other.Protocol);
        if (order == 0) order = other.Denies.CompareTo(one.Denies);
        return order != 0 ? order : string.CompareOrdinal(one.Source, other.Source);
    }

    /// <summary>The user's own rules come beside what others say.</summary>
    private void AddOwnRules(WebAddress? address, IReadOnlyList<string> licenses, List<RightsSignal> signals)
    {
        if (address is { } known && policy.Blocklist?.Find(known.Domain) is { } blocked)
            signals.Add(RightsSignal.Of(RightsProtocol.Blocklist, RightsRuling.Deny, blocked.Note is null ? blocked.Entry : $"{blocked.Entry} {blocked.Note}", policy.Blocklist.Path));
        if (LicensePatterns.Find(policy.DropLicenses, licenses) is (string dropped, string pattern))
            signals.Add(RightsSignal.Of(RightsProtocol.License, RightsRuling.Deny, dropped, $"settings: licences dropped as {pattern}"));
        else if (policy.KeepLicenses.Count > 0 && LicensePatterns.Find(policy.KeepLicenses, licenses) is null)
            signals.Add(RightsSignal.Of(RightsProtocol.License, RightsRuling.Deny, string.Join(' ', licenses), "settings: no licence that is kept"));
    }

    /// <summary>The licence that lifts reservations; null when there is none.</summary>
    private string? Lifting(WebAddress? address, IReadOnlyList<string> licenses)
    {
        if (address is { } known && policy.HeldLicenses?.Find(known.Domain) is { } held) return held.Note is null ? $"held for {held.Entry}" : $"{held.Note} (held for {held.Entry})";
        return LicensePatterns.Find(policy.OverridingLicenses, licenses)?.License;
    }

    /// <summary>Of the ways of TDMRep the later one counts: file, header, head, document. What a page said before its site changed its file does not count against the file.</summary>
    private static void SupersedeTdm(List<RightsSignal> signals, DateTimeOffset? page)
    {
        int last = signals.FindLastIndex(signal => signal.Protocol == RightsProtocol.TdmRep && signal.Ruling is RightsRuling.Allow or RightsRuling.Deny);
        for (int at = 0; at < last; at++)
        {
            if (signals[at] is not { Protocol: RightsProtocol.TdmRep, Ruling: RightsRuling.Allow or RightsRuling.Deny } earlier) continue;
            bool isNewerFile = earlier.DocumentSha256 is not null && page is not null && earlier.Fetched > page;
            if (!isNewerFile) signals[at] = earlier with { IsSuperseded = true };
        }
    }
}
