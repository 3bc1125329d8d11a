using System.Collections.Frozen;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The directives of <c>X-Robots-Tag</c> and <c>meta name="robots"</c>.</summary>
internal static class RobotsTag
{
    /// <summary>Reads a value.</summary>
    /// <param name="value">Directives divided by commas, each perhaps behind an agent's name.</param>
    /// <param name="mayNameAgents">Whether agents may be named in it, as in the header.</param>
    /// <param name="alsoDenied">Directives that the user takes for reservations too, in any case.</param>
    /// <returns>A denial for everybody or for an agent that collects training data; a flag where another agent is denied; otherwise nothing.</returns>
    public static RightsRuling Read(string value, bool mayNameAgents, FrozenSet<string> alsoDenied)
    {
        var words = RightsData.RobotsTag;
        RightsRuling ruling = RightsRuling.Unset;
        bool concernsTraining = true;
        foreach (Range piece in value.AsSpan().Split(','))
        {
            ReadOnlySpan<char> part = value.AsSpan(piece).Trim();
            int colon = part.IndexOf(':');
            if (colon >= 0 && mayNameAgents && IsAgent(part[..colon].Trim()))
            {
                concernsTraining = part[..colon].Trim() is "*" || Has(RightsData.TrainingAgentSet, part[..colon].Trim());
                part = part[(colon + 1)..].Trim();
                colon = part.IndexOf(':');
            }
            if (colon >= 0) part = part[..colon];   // a value, or a part of the date of unavailable_after, which has commas and colons of its own
            foreach (Range word in part.SplitAny(' ', '\t', ';'))
            {
                ReadOnlySpan<char> directive = part[word];
                if (directive.IsEmpty || !(Has(words.Deny, directive) || Has(alsoDenied, directive))) continue;
                if (concernsTraining) return RightsRuling.Deny;
                ruling = RightsRuling.Flag;
            }
        }
        return ruling;
    }

    /// <summary>Whether what stands before a colon is an agent's name, and neither a directive nor a part of a date.</summary>
    private static bool IsAgent(ReadOnlySpan<char> name)
    {
        if (name is "*" || Has(RightsData.TrainingAgentSet, name)) return true;
        var words = RightsData.RobotsTag;
        if (name.IsEmpty || !char.IsAsciiLetter(name[0]) || Has(words.WithValue, name) || Has(words.Deny, name) || Has(words.Images, name) || Has(words.Known, name)) return false;
        foreach (char letter in name)
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.')) return false;
        return true;
    }

    private static bool Has(FrozenSet<string> set, ReadOnlySpan<char> word) => set.Count > 0 && set.GetAlternateLookup<ReadOnlySpan<char>>().Contains(word);
}
