using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Rotary position embedding: pair i of a head, of R numbers that turn, goes by the angle position · frequency(i). Sources: arXiv:2104.09864;
/// scaling of frequencies: arXiv:2306.15595 (linear), Llama 3.1, arXiv:2309.00071 (YaRN), arXiv:2402.13753 (LongRoPE).</summary>
internal static class RotaryDefinition
{
    /// <param name="x">(rows, heads · dimension).</param>
    /// <param name="positions">One for each row.</param>
    /// <param name="back">Turns by the negative angle: the backward pass.</param>
    public static double[] Apply(double[] x, int heads, int dimension, int[] positions, RotarySettings settings, bool back)
    {
        var y = (double[])x.Clone();
        var turned = settings.Dimensions ?? dimension;
        var factor = settings.AttentionFactor ?? settings.Scaling switch
        {
            RotaryScaling.Yarn => 0.1 * Numerics.Log(settings.Factor) + 1,
            RotaryScaling.LongRope => Math.Sqrt(1 + Numerics.Log(settings.Factor) / Numerics.Log(settings.OriginalContextLength)),
            _ => 1,
        };
        for (var r = 0; r < positions.Length; r++)
        {
            for (var head = 0; head < heads; head++)
            {
                for (var i = 0; i < turned / 2; i++)
                {
                    var (first, second) = settings.Pairing == RotaryPairing.Half ? (i, i + turned / 2) : (2 * i, 2 * i + 1);
                    first += (r * heads + head) * dimension;
                    second += (r * heads + head) * dimension;
                    var angle = positions[r] * Frequency(settings, turned, i) * (back ? -1 : 1);
                    y[first] = factor * (x[first] * Numerics.Cos(angle) - x[second] * Numerics.Sin(angle));
                    y[second] = factor * (x[second] * Numerics.Cos(angle) + x[first] * Numerics.Sin(angle));
                }
            }
        }
        return y;
    }

    private static double Frequency(RotarySettings settings, int turned, int i)
    {
        var plain = Numerics.Pow(settings.Theta, -2.0 * i / turned);
        var scaled = settings.Scaling switch
        {
            RotaryScaling.Linear => plain / settings.Factor,
            RotaryScaling.Llama3 => Llama3(settings, plain),
            RotaryScaling.Yarn => Yarn(settings, turned, i, plain),
            _ => plain,
        };
        return settings.Divisors.Length == 0 ? scaled : scaled / settings.Divisors.Span[i];
    }

    private static double Yarn(RotarySettings settings, int turned, int i, double frequency)
    {
        // Solves: a wave of original / turns tokens is 2π · theta^(2·pair/R).
        double PairWith(double turns) => turned / 2.0 * Numerics.Log(settings.OriginalContextLength / (2 * Math.PI * turns)) / Numerics.Log(settings.Theta);
        var low = PairWith(settings.BetaFast);
        var high = PairWith(settings.BetaSlow);
        if (settings.Truncate) low = Math.Floor(low);
        if (settings.Truncate) high = Math.Ceiling(high);
        low = Math.Max(0, low);
        high = Math.Min(turned - 1, high);
        if (low == high) high += 0.001;
        var slowed = Math.Min(1, Math.Max(0, (i - low) / (high - low)));
        return frequency / settings.Factor * slowed + frequency * (1 - slowed);
    }

    private static double Llama3(RotarySettings settings, double frequency)
    {
        // How often the pair turns round within the original context.
        var turns = settings.OriginalContextLength * frequency / (2 * Math.PI);
        var kept = Math.Clamp((turns - settings.LowFrequencyFactor) / (settings.HighFrequencyFactor - settings.LowFrequencyFactor), 0, 1);
        return kept * frequency + (1 - kept) * frequency / settings.Factor;
    }
}
