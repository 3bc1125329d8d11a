using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Rotary position embedding of one row at a time: pair (a, b) becomes (a·cos − b·sin, b·cos + a·sin), the inner products rounded first; cosines and sines carry the attention factor.
/// Source: arXiv:2104.09864.</summary>
internal static unsafe class Rotary
{
    /// <summary>Numbers of a position's row in the table: cosines and sines of R/2 pairs, or, interleaved, both of R numbers in their places.</summary>
    public static int TableWidth(in RotarySettings settings, int headDimension) =>
        settings.TurnedOf(headDimension) * (settings.Pairing == RotaryPairing.Interleaved ? 2 : 1);

    /// <summary>Fills the table's rows for positions 0 to <paramref name="positions"/> − 1.</summary>
    public static void FillTable(in RotarySettings settings, int headDimension, int positions, float* table)
    {
        var turned = settings.TurnedOf(headDimension);
        var width = TableWidth(settings, headDimension);
        var factor = settings.TurnedFactor;
        for (var i = 0; i < turned / 2; i++)
        {
            var frequency = Frequency(settings, turned, i);
            for (var position = 0; position < positions; position++)
            {
                var row = table + (long)position * width;
                var (cos, sin) = ((float)(factor * Numerics.Cos(position * frequency)), (float)(factor * Numerics.Sin(position * frequency)));
                if (settings.Pairing == RotaryPairing.Half)
                {
                    (row[i], row[turned / 2 + i]) = (cos, sin);
                    continue;
                }
                (row[2 * i], row[2 * i + 1]) = (cos, cos);
                (row[turned + 2 * i], row[turned + 2 * i + 1]) = (-sin, sin);
            }
        }
    }

    /// <summary>Radians by which pair <paramref name="pair"/> turns from one position to the next.</summary>
    public static double Frequency(in RotarySettings settings, int turned, int pair)
    {
        var frequency = Numerics.Pow(settings.Theta, -2.0 * pair / turned);
        if (settings.Scaling == RotaryScaling.Linear) frequency /= settings.Factor;
        if (settings.Scaling == RotaryScaling.Llama3)
        {
            var wave = 2 * Math.PI / frequency;
            var (low, high, original) = (settings.LowFrequencyFactor, settings.HighFrequencyFactor, (double)settings.OriginalContextLength);
            if (wave > original / low) frequency /= settings.Factor;
            else if (wave >= original / high)
            {
                var share = (original / wave - low) / (high - low);
                frequency = (1 - share) * frequency / settings.Factor + share * frequency;
            }
        }
        if (settings.Scaling == RotaryScaling.Yarn)
        {
            var (first, last) = YarnBounds(settings, turned);
            var divided = Math.Clamp((pair - first) / (last - first), 0, 1);
            frequency = (1 - divided) * frequency + divided * frequency / settings.Factor;
        }
        return settings.Divisors.IsEmpty ? frequency : frequency / settings.Divisors.Span[pair];
    }

    /// <summary>Between which pairs, counted with fractions, YaRN goes from kept to divided frequencies.</summary>
    private static (double First, double Last) YarnBounds(in RotarySettings settings, int turned)
    {
        var (theta, original) = (settings.Theta, settings.OriginalContextLength);
        // The pair that turns so many times within the original context.
        double Pair(double turns) => turned * Numerics.Log(original / (turns * 2 * Math.PI)) / (2 * Numerics.Log(theta));
        var (first, last) = (Pair(settings.BetaFast), Pair(settings.BetaSlow));
        if (settings.Truncate) (first, last) = (Math.Floor(first), Math.Ceiling(last));
        (first, last) = (Math.Max(first, 0), Math.Min(last, turned - 1));
        return (first, first == last ? last + 0.001 : last);
    }

    /// <summary>Turns the first <paramref name="turned"/> numbers of one head of one row, in place.</summary>
    /// <param name="table">The row's position in the table.</param>
    /// <param name="back">Turns the other way: the backward pass.</param>
    /// <param name="wide">Use 512-bit registers.</param>
    public static void Turn(float* row, int turned, bool interleaved, float* table, bool back, bool wide)
    {
        if (interleaved) TurnNeighbours(row, turned, table, back);
        else TurnHalves(row, turned / 2, table, back, wide);
    }

    private static void TurnHalves(float* row, int half, float* table, bool back, bool wide)
    {
        var sines = table + half;
        var upper = row + half;
        var i = 0;
        if (wide)
        {
            for (; i + 16 <= half; i += 16)
            {
                var (a, b) = (Vector512.Load(row + i), Vector512.Load(upper + i));
                var (cos, sin) = (Vector512.Load(table + i), Vector512.Load(sines + i));
                if (back) sin = -sin;
                Vector512.FusedMultiplyAdd(a, cos, -(b * sin)).Store(row + i);
                Vector512.FusedMultiplyAdd(b, cos, a * sin).Store(upper + i);
            }
        }
        for (; i + 8 <= half; i += 8)
        {
            var (a, b) = (Vector256.Load(row + i), Vector256.Load(upper + i));
            var (cos, sin) = (Vector256.Load(table + i), Vector256.Load(sines + i));
            if (back) sin = -sin;
            Vector256.FusedMultiplyAdd(a, cos, -(b * sin)).Store(row + i);
            Vector256.FusedMultiplyAdd(b, cos, a * sin).Store(upper + i);
        }
        for (; i < half; i++)
        {
            var (a, b) = (row[i], upper[i]);
            var sin = back ? -sines[i] : sines[i];
            row[i] = float.FusedMultiplyAdd(a, table[i], -(b * sin));
            upper[i] = float.FusedMultiplyAdd(b, table[i], a * sin);
        }
    }

    private static void TurnNeighbours(float* row, int turned, float* table, bool back)
    {
        var sines = table + turned;
        var i = 0;
        for (; i + 8 <= turned; i += 8)
        {
            var x = Vector256.Load(row + i);
            var partner = Vector256.Shuffle(x, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
            var sin = back ? -Vector256.Load(sines + i) : Vector256.Load(sines + i);
            Vector256.FusedMultiplyAdd(x, Vector256.Load(table + i), partner * sin).Store(row + i);
        }
        for (; i < turned; i += 2)
        {
            var (a, b) = (row[i], row[i + 1]);
            var sin = back ? -sines[i + 1] : sines[i + 1];
            row[i] = float.FusedMultiplyAdd(a, table[i], -(b * sin));
            row[i + 1] = float.FusedMultiplyAdd(b, table[i], a * sin);
        }
    }
}
