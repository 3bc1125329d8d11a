using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Which characters differ in case only. Single characters only: ß is not ss.</summary>
internal static class CaseFolding
{
    // The small form of the capital form says it: it joins the same characters as Unicode's simple case folding (compared for all of them).
    private static readonly Lazy<int[][]> Groups = new(() =>
    [
        .. Enumerable.Range(0, 0x110000).Where(value => Rune.IsValid(value) && Rune.IsLetter(new Rune(value)) || IsCasedElsewhere(value))
            .GroupBy(value => Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(value))).Value)
            .Select(group => group.ToArray()).Where(group => group.Length > 1),
    ]);

    /// <summary>The set with every character that differs from one of its own in case only.</summary>
    public static CodePointSet Close(CodePointSet set)
    {
        int[] more = [.. Groups.Value.Where(group => Array.Exists(group, set.Contains)).SelectMany(group => group)];
        return more.Length == 0 ? set : CodePointSet.Union(set, CodePointSet.Of(more));
    }

    // A mark, Roman numerals and circled letters have cases, and are no letters.
    private static bool IsCasedElsewhere(int value) => value is 0x345 or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9);
}
