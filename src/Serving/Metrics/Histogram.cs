namespace OpenEuroLLM.Serving.Metrics;

/// <summary>Counts values by upper bounds. Many threads may add at once.</summary>
internal sealed class Histogram(double[] bounds)
{
    private readonly Lock counting = new();
    private readonly long[] counts = new long[bounds.Length + 1];
    private double sum;

    /// <summary>Seconds, from a millisecond to three quarters of an hour: the bounds of vLLM's time to first token.</summary>
    public static double[] Seconds { get; } =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    /// <summary>1, 2, 5, 10, 20, 50 and so on up to the first bound that holds the most.</summary>
    public static double[] Tokens(int most)
    {
        var bounds = new List<double>();
        for (double decade = 1; bounds.Count == 0 || bounds[^1] < most; decade *= 10)
        {
            foreach (int step in (ReadOnlySpan<int>)[1, 2, 5])
            {
                if (bounds.Count == 0 || bounds[^1] < most) bounds.Add(step * decade);
            }
        }
        return [.. bounds];
    }

    public void Add(double value)
    {
        int place = Array.BinarySearch(bounds, value);
        lock (counting)
        {
            counts[place < 0 ? ~place : place]++; // a value on a bound belongs below it
            sum += value;
        }
    }

    /// <summary>All counts as of one moment.</summary>
    public HistogramValues Read()
    {
        lock (counting) return Of(bounds, counts, sum);
    }

    /// <summary>Values that were counted elsewhere.</summary>
    /// <param name="bounds">Upper bounds, ascending.</param>
    /// <param name="counts">Values up to each bound and above the one before; one more for those above all.</param>
    /// <param name="sum">The sum of all.</param>
    public static HistogramValues Of(IReadOnlyList<double> bounds, IReadOnlyList<long> counts, double sum)
    {
        var buckets = new (double, long)[bounds.Count];
        long count = 0;
        for (int i = 0; i < buckets.Length; i++) buckets[i] = (bounds[i], count += counts[i]);
        return new HistogramValues(buckets, sum, count + counts[^1]);
    }
}

/// <summary>The bounds with the number of values up to each, the sum and the number of all.</summary>
internal sealed record HistogramValues(IReadOnlyList<(double Bound, long Count)> Buckets, double Sum, long Count);
