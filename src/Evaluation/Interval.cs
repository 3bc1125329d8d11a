namespace OpenEuroLLM.Evaluation;

/// <summary>Where a share probably lies.</summary>
/// <param name="Low">Lower bound, 0 to 1.</param>
/// <param name="High">Upper bound, 0 to 1.</param>
public readonly record struct Interval(double Low, double High)
{
    private const double Quantile = 1.959963984540054;    // of the standard normal distribution at 0.975

    /// <summary>The 95 % interval of a share by Wilson's score method, which stays within 0 and 1 and is sound for few items.</summary>
    /// <remarks>Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.</remarks>
    /// <param name="hits">Items that were right.</param>
    /// <param name="items">All items, at least 1.</param>
    public static Interval Wilson(int hits, int items)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(hits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hits, items);
        double share = (double)hits / items, square = Quantile * Quantile;
        double centre = share + square / (2 * items);
        double half = Quantile * Math.Sqrt(share * (1 - share) / items + square / (4.0 * items * items));
        double scale = 1 + square / items;
        return new Interval(
            hits == 0 ? 0 : (centre - half) / scale,            // exact at the ends, whatever rounding does
            hits == items ? 1 : (centre + half) / scale);
    }
}
