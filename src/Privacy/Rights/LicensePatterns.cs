namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Patterns over the names and addresses of licences: <c>*</c> means any run, letter case makes no difference.</summary>
internal static class LicensePatterns
{
    /// <summary>The first of the licences that a pattern matches, with the pattern; null when none does.</summary>
    public static (string License, string Pattern)? Find(IReadOnlyList<string> patterns, IEnumerable<string> licenses)
    {
        foreach (string license in licenses)
            foreach (string pattern in patterns)
                if (Matches(pattern, license)) return (license, pattern);
        return null;
    }

    /// <summary>Whether a pattern means all of a text. Linear but for the length of the parts between stars.</summary>
    private static bool Matches(string pattern, string text)
    {
        string[] parts = pattern.Split('*');
        if (parts.Length == 1) return text.Equals(pattern, StringComparison.OrdinalIgnoreCase);
        if (!text.StartsWith(parts[0], StringComparison.OrdinalIgnoreCase)) return false;
        int at = parts[0].Length;
        foreach (string part in parts.AsSpan(1, parts.Length - 2))
        {
            int found = text.IndexOf(part, at, StringComparison.OrdinalIgnoreCase);
            if (found < 0) return false;
            at = found + part.Length;
        }
        return text.Length - at >= parts[^1].Length && text.EndsWith(parts[^1], StringComparison.OrdinalIgnoreCase);
    }
}
