namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What the files of a site say about one of its pages.</summary>
internal sealed class SiteStatements(RightsPolicy policy, PolicySource? source, WebAddress page, string url, PageRights rights, List<RightsSignal> signals)
{
    private const int MostRedirections = 5;
    private const int MostLicenses = 16;

    private static readonly string[] TrustPaths = ["/trust.txt", "/.well-known/trust.txt"];

    private readonly byte[] _path = page.NormalizedPath();

    /// <summary>Adds all statements, also those of files that say nothing.</summary>
    public void Add()
    {
        SitePolicy site = source?.Find(page.Host) ?? SitePolicy.Unknown;
        var licenses = new List<string>();
        if (site.IsKnown)
        {
            if (Follow(site.Find(SiteFileKind.Robots, "/robots.txt", rights.Fetched, policy)) is { } robots) Robots(robots, licenses);
            if (Follow(site.Find(SiteFileKind.TdmRep, "/.well-known/tdmrep.json", rights.Fetched, policy)) is { Content: { } tdm } tdmRep) TdmRep(tdmRep, tdm.TdmRep);
            if (Follow(site.Find(SiteFileKind.AiText, "/ai.txt", rights.Fetched, policy)) is { Content: { } ai } aiText) AiText(aiText, ai.Robots);
            foreach (string path in TrustPaths)
                if (Follow(site.Find(SiteFileKind.TrustText, path, rights.Fetched, policy)) is { Content: { } trust } trustText)
                    signals.Add(trust.Trust is (RightsRuling ruling, string raw) ? trustText.Say(RightsProtocol.TrustText, ruling, raw) : trustText.Silent(RightsProtocol.TrustText));
        }
        foreach (RightsStatement statement in rights.Statements)
        {
            if (statement is { Source: StatementSource.Header, Name: "link" }) licenses.AddRange(LinkHeader.RslLicenses(statement.Value).Take(MostLicenses));
            else if (statement.Source == StatementSource.Link) licenses.Add(statement.Value);
        }
        for (int at = 0; at < licenses.Count && at < MostLicenses; at++)
            if (AbsoluteAddress.Of(url, licenses[at]) is { } address && licenses.FindIndex(other => other == licenses[at]) == at) Rsl(address);
    }

    /// <summary>The file that a redirection leads to, as far as it was captured.</summary>
    private SiteVersion? Follow(SiteVersion? version)
    {
        for (int hops = 0; version is { File.Status: >= 300 and < 400 }; hops++)
        {
            if (hops == MostRedirections || WebAddress.Parse(version.File.Location) is not { } target) return version;
            if (source!.Find(target.Host).FindAny(target.Path, rights.Fetched, policy) is not { } next) return version;
            version = next;
        }
        return version;
    }

    private void Robots(SiteVersion version, List<string> licenses)
    {
        if (version.IsError)
        {
            signals.Add(version.Say(RightsProtocol.Robots, RightsRuling.Deny, FormattableString.Invariant($"status {version.File.Status}"), problem: "the server failed, which closes the site"));
            return;
        }
        if (version.Content is null)
        {
            bool lost = version.File.Status is >= 300 and < 400;
            signals.Add(version.Say(RightsProtocol.Robots, RightsRuling.Unset, FormattableString.Invariant($"status {version.File.Status}"), problem: lost ? "what the redirection leads to was not captured" : null));
            return;
        }
        RobotsFile file = version.Content.Robots;
        signals.Add(Disallowed(file, _path) is { } raw ? version.Say(RightsProtocol.Robots, RightsRuling.Deny, raw)
            : file.IsTruncated ? version.Say(RightsProtocol.Robots, RightsRuling.Unset, "", problem: FormattableString.Invariant($"only the first {RobotsFile.MaxBytes} bytes were read"))
            : version.Silent(RightsProtocol.Robots));
        if (file.HasUsages)
        {
            Usage(version, file, RightsProtocol.ContentUsage);
            Usage(version, file, RightsProtocol.ContentSignal);
        }
        foreach (string stray in file.Strays)
            signals.Add(version.Say(stray.StartsWith("content-usage", StringComparison.OrdinalIgnoreCase) ? RightsProtocol.ContentUsage : RightsProtocol.ContentSignal, RightsRuling.Flag, stray, problem: "stands before any group"));
        foreach (string license in file.Licenses)
            if (AbsoluteAddress.Of(version.File.Url, license) is { } address) licenses.Add(address);
    }

    /// <summary>The rule that closes the path to a training agent, with all agents that it closes it to; null when there is none.</summary>
    private static string? Disallowed(RobotsFile file, ReadOnlySpan<byte> path)
    {
        string? line = null;
        List<string>? agents = null;
        foreach ((RobotsView view, IReadOnlyList<string> names) in file.TrainingViews())
        {
            if (view.Decide(path) is not { Allow: false } rule) continue;
            string text = view.Line(rule);
            line ??= text;
            if (text == line) (agents ??= []).AddRange(names);
        }
        return line is null ? null : $"{string.Concat(agents!.Distinct().Select(agent => $"User-agent: {agent}\n"))}{line}";
    }

    /// <summary>Of the statements for all training agents that may fetch the page, one that denies, else one that allows.</summary>
    private void Usage(SiteVersion version, RobotsFile file, RightsProtocol protocol)
    {
        RightsSignal? best = null;
        foreach ((RobotsView view, IReadOnlyList<string> names) in file.TrainingViews())
        {
            if (!view.Allows(_path) || view.Usage(protocol, _path) is not { } usage) continue;
            if (best is null || usage.Ruling == RightsRuling.Deny || (usage.Ruling == RightsRuling.Allow && best.Ruling == RightsRuling.Unset))
                best = version.Say(protocol, usage.Ruling, $"{string.Concat(names.Select(agent => $"User-agent: {agent}\n"))}{view.Line(usage)}", problem: usage.Problem);
            if (best.Ruling == RightsRuling.Deny) break;
        }
        if (best is not null) signals.Add(best);
    }

    private void TdmRep(SiteVersion version, TdmRepFile file)
    {
        if (file.Problem is not null) signals.Add(version.Say(RightsProtocol.TdmRep, RightsRuling.Unset, "", problem: file.Problem));
        else if (file.Find(_path) is { } rule) signals.Add(version.Say(RightsProtocol.TdmRep, rule.Ruling, rule.Raw, Terms(rule.Policy, version.File.Url)));
        else signals.Add(version.Silent(RightsProtocol.TdmRep));
    }

    /// <summary>The address of terms, with the hash of what was captured there.</summary>
    private string? Terms(string? terms, string from)
    {
        if (terms is null || AbsoluteAddress.Of(from, terms) is not { } address || WebAddress.Parse(address) is not { } place) return terms;
        return source!.Find(place.Host).Find(SiteFileKind.TdmPolicy, place.Path, rights.Fetched, policy)?.File.Sha256 is { } hash ? $"{address} (sha256 {hash})" : address;
    }

    private void AiText(SiteVersion version, RobotsFile file)
    {
        if (!file.IsRobotsLike)
        {
            signals.Add(version.Say(RightsProtocol.AiText, RightsRuling.Unset, "", problem: "another format of this name"));
            return;
        }
        int query = _path.AsSpan().IndexOf((byte)'?');   // names end before the query
        string? raw = Disallowed(file, _path) ?? (query < 0 ? null : Disallowed(file, _path.AsSpan(0, query)));
        signals.Add(raw is null ? version.Silent(RightsProtocol.AiText) : version.Say(RightsProtocol.AiText, RightsRuling.Deny, raw));
    }

    private void Rsl(string address)
    {
        if (WebAddress.Parse(address) is not { } place) return;
        if (Follow(source?.Find(place.Host).Find(SiteFileKind.Rsl, place.Path, rights.Fetched, policy)) is not { Content: { } content } version)
        {
            signals.Add(RightsSignal.Of(RightsProtocol.Rsl, RightsRuling.Flag, address, address, problem: "the licence was not captured"));
            return;
        }
        RslDocument document = content.Rsl;
        if (document.Problem is not null) signals.Add(version.Say(RightsProtocol.Rsl, RightsRuling.Unset, "", problem: document.Problem));
        else if (document.Find(page, _path) is (RightsRuling ruling, string raw)) signals.Add(version.Say(RightsProtocol.Rsl, ruling, raw));
        else signals.Add(version.Silent(RightsProtocol.Rsl));
    }
}
