namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The rules of some groups of a robots.txt, read as one list.</summary>
internal sealed class RobotsView(RobotsFile file, IReadOnlyList<RobotsGroup> groups)
{
    private static readonly byte[] OwnPath = "/robots.txt"u8.ToArray();

    /// <summary>The rule that decides about a path in its one spelling: the longest that matches, and Allow of equals; null when none does, which allows it.</summary>
    public RobotsRule? Decide(ReadOnlySpan<byte> path)
    {
        RobotsRule? best = null;
        if (path.SequenceEqual(OwnPath)) return null;
        foreach (RobotsGroup group in groups)
        {
            if (group.Decide(path) is not { } rule) continue;
            if (best is not { } known || rule.Pattern.Length > known.Pattern.Length || (rule.Pattern.Length == known.Pattern.Length && rule.Allow && !known.Allow)) best = rule;
        }
        return best;
    }

    /// <summary>Whether a path in its one spelling may be fetched.</summary>
    public bool Allows(ReadOnlySpan<byte> path) => Decide(path) is not { Allow: false };

    /// <summary>The statement of a protocol that holds for a path: of those with the longest pattern one that denies, else one that allows, else any; null when there is none.</summary>
    public RobotsUsage? Usage(RightsProtocol protocol, ReadOnlySpan<byte> path)
    {
        RobotsUsage? best = null;
        foreach (RobotsGroup group in groups)
        {
            foreach (RobotsUsage usage in group.Usages)
            {
                if (usage.Protocol != protocol || (usage.Pattern is { } pattern && !pattern.Matches(path))) continue;
                if (best is not { } known || usage.Length > known.Length || (usage.Length == known.Length && Rank(usage.Ruling) > Rank(known.Ruling))) best = usage;
            }
        }
        return best;
    }

    /// <summary>The line of a rule as written.</summary>
    public string Line(RobotsRule rule) => file.Line(rule.Start, rule.LineLength);

    /// <summary>The line of a statement as written.</summary>
    public string Line(RobotsUsage usage) => file.Line(usage.Start, usage.LineLength);

    private static int Rank(RightsRuling ruling) => ruling switch { RightsRuling.Deny => 2, RightsRuling.Allow => 1, _ => 0 };
}

/// <summary>Lines that belong together under one or more agents.</summary>
internal sealed class RobotsGroup
{
    private readonly List<RobotsRule> _rules = [];

    /// <summary>The statements about use in their order.</summary>
    public List<RobotsUsage> Usages { get; } = [];

    /// <summary>Adds a rule.</summary>
    public void Add(RobotsRule rule) => _rules.Add(rule);

    /// <summary>Puts the rules into the order in which the first that matches decides.</summary>
    public void Sort() => _rules.Sort((one, other) => one.Pattern.Length != other.Pattern.Length ? other.Pattern.Length.CompareTo(one.Pattern.Length)
        : one.Allow != other.Allow ? other.Allow.CompareTo(one.Allow) : one.Start.CompareTo(other.Start));

    /// <summary>The rule of this group that decides about a path; null when none does.</summary>
    public RobotsRule? Decide(ReadOnlySpan<byte> path)
    {
        foreach (RobotsRule rule in _rules)
            if (rule.Pattern.Matches(path)) return rule;
        return null;
    }
}

/// <summary>An Allow or Disallow.</summary>
/// <param name="Allow">Which of them.</param>
/// <param name="Pattern">The paths it is about.</param>
/// <param name="Start">Where its line begins.</param>
/// <param name="LineLength">Bytes of its line.</param>
internal readonly record struct RobotsRule(bool Allow, PathPattern Pattern, int Start, int LineLength);

/// <summary>A Content-Usage or Content-Signal.</summary>
/// <param name="Protocol">Which of them.</param>
/// <param name="Ruling">What it says about training.</param>
/// <param name="Pattern">The paths it is about; null: all.</param>
/// <param name="Problem">What is wrong with it; null when nothing is.</param>
/// <param name="Start">Where its line begins.</param>
/// <param name="LineLength">Bytes of its line.</param>
internal readonly record struct RobotsUsage(RightsProtocol Protocol, RightsRuling Ruling, PathPattern? Pattern, string? Problem, int Start, int LineLength)
{
    /// <summary>Length of its pattern: of two that match, the longer is meant.</summary>
    public int Length => Pattern?.Length ?? 0;
}
