using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Layer norm of each row: y = (x − mean) / √(variance + ε) · gain + bias. Source: arXiv:1607.06450, equation 4.</summary>
internal static unsafe class LayerNorm
{
    /// <summary>One row; the mean and 1 / √(variance + ε) are what the backward pass needs.</summary>
    /// <param name="bias">Null: none.</param>
    public static void Forward(float* x, float* gain, float* bias, int width, float epsilon, float* y, out float mean, out float inverse)
    {
        mean = (float)(Lanes.Total(x, width) / (double)width);
        inverse = (float)(1 / Math.Sqrt(SquaredDistance(x, width, mean) / (double)width + epsilon));
        var (middle, factor) = (Vector256.Create(mean), Vector256.Create(inverse));
        var i = 0;
        for (; i + 8 <= width; i += 8)
        {
            var normal = (Vector256.Load(x + i) - middle) * factor;
            (bias == null ? normal * Vector256.Load(gain + i) : Vector256.FusedMultiplyAdd(normal, Vector256.Load(gain + i), Vector256.Load(bias + i))).Store(y + i);
        }
        for (; i < width; i++)
        {
            var normal = (x[i] - mean) * inverse;
            y[i] = bias == null ? normal * gain[i] : float.FusedMultiplyAdd(normal, gain[i], bias[i]);
        }
    }

    /// <summary>One row, with d = x − mean and g = dy·gain: dx = inverse · (g − mean(g)) − d · inverse³ · mean(g·d), added to or stored in <paramref name="dx"/>.</summary>
    public static void Backward(float* x, float* gain, float* dy, int width, float mean, float inverse, float* dx, bool resume)
    {
        Sums(x, gain, dy, width, mean, out var total, out var along);
        var offset = (float)(-total * (double)inverse / width);
        var slope = (float)(-along * (double)inverse * inverse * inverse / width);
        var (middle, factor, shift, turn) = (Vector256.Create(mean), Vector256.Create(inverse), Vector256.Create(offset), Vector256.Create(slope));
        var i = 0;
        for (; i + 8 <= width; i += 8)
        {
            var g = Vector256.Load(dy + i) * Vector256.Load(gain + i);
            var d = Vector256.FusedMultiplyAdd(Vector256.Load(x + i) - middle, turn, Vector256.FusedMultiplyAdd(g, factor, shift));
            (resume ? Vector256.Load(dx + i) + d : d).Store(dx + i);
        }
        for (; i < width; i++)
        {
            var d = float.FusedMultiplyAdd(x[i] - mean, slope, float.FusedMultiplyAdd(dy[i] * gain[i], inverse, offset));
            dx[i] = resume ? dx[i] + d : d;
        }
    }

    private static float SquaredDistance(float* x, int width, float mean)
    {
        var middle = Vector256.Create(mean);
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        var buffer = stackalloc float[Lanes.Width];
        for (var i = 0; i < width; i += Lanes.Width)
        {
            var source = x + i;
            if (width - i < Lanes.Width)
            {
                Lanes.Tail(source, width - i, buffer, mean); // at no distance
                source = buffer;
            }
            var (a, b) = (Vector256.Load(source) - middle, Vector256.Load(source + 8) - middle);
            low = Vector256.FusedMultiplyAdd(a, a, low);
            high = Vector256.FusedMultiplyAdd(b, b, high);
        }
        return Lanes.Sum(low, high);
    }

    /// <summary>Σ g and Σ g·d.</summary>
    private static void Sums(float* x, float* gain, float* dy, int width, float mean, out float total, out float along)
    {
        var middle = Vector256.Create(mean);
        var (low, high, lowAlong, highAlong) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        var buffer = stackalloc float[3 * Lanes.Width];
        for (var i = 0; i < width; i += Lanes.Width)
        {
            float* own = x + i, factor = gain + i, gradient = dy + i;
            if (width - i < Lanes.Width)
            {
                Lanes.Tail(own, width - i, buffer, mean);
                Lanes.Tail(factor, width - i, buffer + Lanes.Width);
                Lanes.Tail(gradient, width - i, buffer + 2 * Lanes.Width);
                own = buffer;
                factor = buffer + Lanes.Width;
                gradient = buffer + 2 * Lanes.Width;
            }
            var (a, b) = (Vector256.Load(gradient) * Vector256.Load(factor), Vector256.Load(gradient + 8) * Vector256.Load(factor + 8));
            low += a;
            high += b;
            lowAlong = Vector256.FusedMultiplyAdd(a, Vector256.Load(own) - middle, lowAlong);
            highAlong = Vector256.FusedMultiplyAdd(b, Vector256.Load(own + 8) - middle, highAlong);
        }
        total = Lanes.Sum(low, high);
        along = Lanes.Sum(lowAlong, highAlong);
    }
}
