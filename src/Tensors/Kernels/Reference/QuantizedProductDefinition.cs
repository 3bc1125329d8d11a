namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>The law of products with quantized weights, written down plainly; the kernels give the same bits.</summary>
/// <remarks>
/// Activations, per block of 32: m is the largest |x|; the scale is m / 32639 in single precision; each integer is x / scale in single precision,
/// to the nearest, half to even. A block with m below 2^−111 has the scale 0 and zeros; one with a number that is not finite has a
/// scale that is not a number.
/// Weights are groups of 32 integers (q6_K, q3_K, q2_K: of 16) with a scale each, and in q4_1, q5_1, q4_K, q5_K and q2_K a minimum (in the first
/// two, −m). From y = +0, groups ascending: y = fma(weight scale · activation scale, (float)Σ weight · activation, y), the sum being exact, and
/// then, where there are minima, y = fma(−minimum · activation scale, (float)Σ activation, y) with the sum over the group.
/// </remarks>
internal static class QuantizedProductDefinition
{
    /// <summary>One output.</summary>
    /// <param name="integers">The row's weights, offsets taken off: as long as <paramref name="x"/>.</param>
    /// <param name="scales">A scale for each 32 or 16 of them, single-precision products of the block's and the group's.</param>
    /// <param name="minima">Empty, or as many minima.</param>
    public static float Output(ReadOnlySpan<float> x, ReadOnlySpan<int> integers, ReadOnlySpan<float> scales, ReadOnlySpan<float> minima)
    {
        var y = 0f;
        var group = x.Length / scales.Length;
        var rounded = new int[32];
        for (var block = 0; block < x.Length / 32; block++)
        {
            var scale = Round(x.Slice(32 * block, 32), rounded);
            for (var first = 0; first < 32; first += group)
            {
                var (sum, plain) = (0, 0);
                for (var i = first; i < first + group; i++) (sum, plain) = (sum + integers[32 * block + i] * rounded[i], plain + rounded[i]);
                var at = (32 * block + first) / group;
                y = float.FusedMultiplyAdd(scales[at] * scale, sum, y);
                if (minima.Length > 0) y = float.FusedMultiplyAdd(-minima[at] * scale, plain, y);
            }
        }
        return y;
    }

    /// <summary>Rounds a block of 32 activations; returns its scale.</summary>
    public static float Round(ReadOnlySpan<float> x, Span<int> rounded)
    {
        rounded.Clear();
        var largest = 0f;
        foreach (var value in x)
        {
            if (!float.IsFinite(value)) return float.NaN;
            largest = Math.Max(largest, Math.Abs(value));
        }
        if (largest < 3.851859888774472e-34f) return 0; // 2^−111
        var scale = largest / 32639f;
        for (var i = 0; i < x.Length; i++) rounded[i] = (int)Math.Round((double)(x[i] / scale), MidpointRounding.ToEven);
        return scale;
    }
}
