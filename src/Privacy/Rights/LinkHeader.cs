namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Finds RSL licences in a <c>Link</c> header (RFC 8288).</summary>
internal static class LinkHeader
{
    /// <summary>Targets of links with relation <c>license</c> and the media type of RSL, as written.</summary>
    public static IEnumerable<string> RslLicenses(string value)
    {
        int at = 0;
        while (at < value.Length)
        {
            int open = value.IndexOf('<', at), close = open < 0 ? -1 : value.IndexOf('>', open);
            if (close < 0) yield break;
            at = EndOf(value, close + 1);
            string parameters = value[(close + 1)..at];
            if (Says(parameters, "rel", "license") && Says(parameters, "type", RslDocument.MediaType)) yield return value[(open + 1)..close].Trim();
        }
    }

    /// <summary>Where a link ends: at a comma outside quotation marks.</summary>
    private static int EndOf(string value, int at)
    {
        for (bool quoted = false; at < value.Length; at++)
        {
            if (value[at] == '"') quoted = !quoted;
            else if (value[at] == '\\' && quoted) at++;
            else if (value[at] == ',' && !quoted) break;
        }
        return Math.Min(at, value.Length);
    }

    private static bool Says(string parameters, string name, string word)
    {
        foreach (string parameter in parameters.Split(';', StringSplitOptions.TrimEntries))
        {
            int equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !parameter.AsSpan(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            if (parameter[(equals + 1)..].Trim().Trim('"').Split(' ').Contains(word, StringComparer.OrdinalIgnoreCase)) return true;
        }
        return false;
    }
}
