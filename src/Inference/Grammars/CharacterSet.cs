namespace OpenEuroLLM.Inference.Grammars;

/// <summary>A set of characters, as ascending ranges that do not touch.</summary>
internal sealed class CharacterSet
{
    private CharacterSet(IEnumerable<(int Low, int High)> ranges)
    {
        var merged = new List<(int Low, int High)>();
        foreach (var range in ranges.Order())
        {
            if (merged.Count > 0 && range.Low <= merged[^1].High + 1) merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, range.High));
            else merged.Add(range);
        }

        Ranges = merged;
    }

    public IReadOnlyList<(int Low, int High)> Ranges { get; }

    /// <summary>The only character; null when there are more or fewer.</summary>
    public int? Single => Ranges is [var (low, high)] && low == high ? low : null;

    public static CharacterSet All { get; } = Of(0, CharacterAutomaton.Last);
    public static CharacterSet Digit { get; } = Of('0', '9');
    public static CharacterSet Word { get; } = new([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    /// <summary>White space and line ends of ECMAScript. Source: ECMA-262, sections 12.2 and 12.3.</summary>
    public static CharacterSet Space { get; } = new([
        (9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);

    /// <summary>All but line ends.</summary>
    public static CharacterSet Dot { get; } = new CharacterSet([(10, 10), (13, 13), (0x2028, 0x2029)]).Not();

    public static CharacterSet Of(int low, int? high = null) => new([(low, high ?? low)]);

    /// <summary>What any of the ranges has.</summary>
    public static CharacterSet Of(IEnumerable<(int Low, int High)> ranges) => new(ranges);

    public CharacterSet Not()
    {
        var gaps = new List<(int, int)>();
        int next = 0;
        foreach (var (low, high) in Ranges)
        {
            if (low > next) gaps.Add((next, low - 1));
            next = high + 1;
        }

        if (next <= CharacterAutomaton.Last) gaps.Add((next, CharacterAutomaton.Last));
        return new(gaps);
    }
}
