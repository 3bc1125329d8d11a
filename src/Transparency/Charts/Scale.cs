namespace OpenEuroLLM.Transparency.Charts;

/// <summary>The scale of an axis.</summary>
internal static class Scale
{
    /// <summary>About five steps of 1, 2 or 5 times a power of ten that contain the values.</summary>
    public static (double Low, double High, double Step) Around(double least, double most)
    {
        double span = most > least ? most - least : Math.Max(Math.Abs(most), 1);
        double power = 1;
        while (power * 10 <= span / 5) power *= 10;
        while (power > span / 5) power /= 10;
        double step = span / 5 / power > 5 ? power * 10 : span / 5 / power > 2 ? power * 5 : power * 2;
        double low = Math.Floor(least / step) * step, high = Math.Ceiling(most / step) * step;
        return (low, high > low ? high : low + step, step);
    }
}
