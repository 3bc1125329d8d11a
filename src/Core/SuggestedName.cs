namespace OpenEuroLLM.Core;

/// <summary>Finds what the user probably meant.</summary>
public static class SuggestedName
{
    /// <summary>The known name nearest to <paramref name="found"/> by edit distance (case ignored), or null when none is near:
    /// at most a third of the letters, and at least one, may differ.</summary>
    public static string? Closest(string found, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = Math.Max(1, found.Length / 3) + 1;
        foreach (string name in known)
        {
            int distance = Distance(found.ToUpperInvariant(), name.ToUpperInvariant());
            if (distance >= bestDistance) continue;
            (best, bestDistance) = (name, distance);
        }

        return best;
    }

    /// <summary>The tail of an error message: <c>; did you mean 'x'?</c> or, when nothing is near, <c>; known: a, b, c.</c></summary>
    public static string Hint(string found, IReadOnlyCollection<string> known) =>
        Closest(found, known) is string name ? $"; did you mean '{name}'?" : $"; known: {string.Join(", ", known)}.";

    // Insertions, deletions, substitutions and swaps of neighbours count one each.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int change = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(change, 1 + Math.Min(rows[i - 1, j], rows[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }

        return rows[a.Length, b.Length];
    }
}
