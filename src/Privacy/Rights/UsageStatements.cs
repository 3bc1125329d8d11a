namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What a value of <c>Content-Usage</c> or <c>Content-Signal</c> says about training.</summary>
internal static class UsageStatements
{
    /// <summary>Content-Usage: a dictionary of structured fields. Of the older keys only a denial counts.</summary>
    /// <param name="value">The dictionary.</param>
    /// <param name="problem">What is wrong with it; null when nothing is.</param>
    /// <remarks>Source: draft-ietf-aipref-vocab and draft-ietf-aipref-attach.</remarks>
    public static RightsRuling ContentUsage(ReadOnlySpan<char> value, out string? problem)
    {
        problem = null;
        if (StructuredDictionary.Parse(value) is not { } members)
        {
            problem = "not a dictionary of structured fields";
            return RightsRuling.Unset;
        }
        var keys = RightsData.ContentUsage;
        RightsRuling ruling = RightsRuling.Unset;
        foreach ((string key, string? token) in members)
        {
            bool isTraining = keys.Training.Contains(key);
            if (token == keys.Deny && (isTraining || keys.OlderDeny.Contains(key))) return RightsRuling.Deny;
            if (token == keys.Allow && isTraining) ruling = RightsRuling.Allow;
        }
        return ruling;
    }

    /// <summary>Content-Signal: keys with values, divided by commas. Source: contentsignals.org.</summary>
    public static RightsRuling ContentSignal(ReadOnlySpan<char> value)
    {
        var keys = RightsData.ContentSignal;
        var training = keys.Training.GetAlternateLookup<ReadOnlySpan<char>>();
        RightsRuling ruling = RightsRuling.Unset;
        foreach (Range part in value.Split(','))
        {
            ReadOnlySpan<char> member = value[part];
            int equals = member.IndexOf('=');
            if (equals < 0 || !training.Contains(member[..equals].Trim())) continue;
            ReadOnlySpan<char> said = member[(equals + 1)..].Trim();
            if (said.Equals(keys.Deny, StringComparison.OrdinalIgnoreCase)) return RightsRuling.Deny;
            if (said.Equals(keys.Allow, StringComparison.OrdinalIgnoreCase)) ruling = RightsRuling.Allow;
        }
        return ruling;
    }
}
