using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>What a place may be, with how much speaks for it.</summary>
internal readonly record struct Candidate(RuleName Rule, string? Country, PersonalDataTier Tier, int Start, int End, int Score, ContextHit? Context, bool Home = false)
{
    /// <summary>A word names it.</summary>
    public const int Named = 60;

    /// <summary>Its own check is enough, and it is at home in the document's language.</summary>
    public const int SureAtHome = 45;

    /// <summary>It is at home in the document's language.</summary>
    public const int AtHome = 35;

    /// <summary>Its own check is enough.</summary>
    public const int Sure = 30;

    /// <summary>It is grouped as telephone numbers are.</summary>
    public const int Grouped = 25;

    /// <summary>Whether this explains the place better: by what speaks for it, by the nearer word, by length.</summary>
    public bool IsBetterThan(Candidate? other)
    {
        if (other is not { } before) return true;
        if (Score != before.Score) return Score > before.Score;
        int distance = Context?.Distance ?? 0, otherDistance = before.Context?.Distance ?? 0;
        if (distance != otherDistance) return distance < otherDistance;
        return Home != before.Home ? Home : End - Start > before.End - before.Start;
    }
}
