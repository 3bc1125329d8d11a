using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Rotary position embedding, rotate-half form: elements i and i + D/2 of a head turn by position · θ^(−2i/D).
/// Source: arXiv:2104.09864.</summary>
internal static class RotaryDefinition
{
    /// <param name="x">(rows, heads · dimension).</param>
    /// <param name="positions">One for each row.</param>
    /// <param name="back">Turns by the negative angle: the backward pass.</param>
    public static double[] Apply(double[] x, int heads, int dimension, int[] positions, double theta, bool back)
    {
        var y = new double[x.Length];
        var half = dimension / 2;
        for (var r = 0; r < positions.Length; r++)
        {
            for (var head = 0; head < heads; head++)
            {
                var first = (r * heads + head) * dimension;
                for (var i = 0; i < half; i++)
                {
                    var angle = positions[r] * Numerics.Pow(theta, -2.0 * i / dimension);
                    var (cos, sin) = (Numerics.Cos(angle), back ? -Numerics.Sin(angle) : Numerics.Sin(angle));
                    var (a, b) = (x[first + i], x[first + half + i]);
                    y[first + i] = a * cos - b * sin;
                    y[first + half + i] = b * cos + a * sin;
                }
            }
        }
        return y;
    }
}
