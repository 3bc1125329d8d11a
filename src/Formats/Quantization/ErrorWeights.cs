using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>What an error weighs where an encoder looks for the least sum of squared errors.</summary>
internal static class ErrorWeights
{
    // Columns that the calibration text never lit up may matter in another text: they keep some weight.
    private const float Least = 1f / 1024;

    /// <summary>The importance of each column of a block, as a multiple of the block's mean, 1/1024 at least; all 1 where none has any.</summary>
    public static void Relative(ReadOnlySpan<float> importance, Span<float> relative)
    {
        var sum = 0.0;
        foreach (var value in importance) sum += value;
        if (sum == 0)
        {
            relative.Fill(1);
            return;
        }
        var mean = sum / importance.Length;
        for (var i = 0; i < importance.Length; i++) relative[i] = Math.Max(Least, (float)(importance[i] / mean));
    }

    /// <summary>Root mean square of a whole number of sixteens.</summary>
    public static float Spread(ReadOnlySpan<float> x)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += 16) squares += Lanes.Load(x[i..]) * Lanes.Load(x[i..]);
        return (float)Math.Sqrt(Lanes.Sum(squares) / x.Length);
    }

    /// <summary>The weights of a group: large numbers weigh more, and then columns by their importance.</summary>
    /// <param name="x">The group's numbers.</param>
    /// <param name="importance">Empty, or the block's.</param>
    /// <param name="start">Where the group begins in the block.</param>
    public static TLanes Of<TLanes>(TLanes x, float spread, ReadOnlySpan<float> importance, int start) where TLanes : struct, IGroupLanes<TLanes>
    {
        var weights = TLanes.Abs(x) + TLanes.Create(spread);
        return importance.IsEmpty ? weights : weights * TLanes.Load(importance[start..]);
    }
}
