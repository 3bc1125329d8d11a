using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>The pieces that the families are put together from, as their papers define them.</summary>
internal static class Plain
{
    public static double Number(JsonNode node) => ((JsonValue)node).TryGetValue<double>(out var number) ? number : (int)node;

    public static double[] Product(double[][] matrix, double[] x, double[]? bias = null)
    {
        var y = new double[matrix.Length];
        for (var row = 0; row < y.Length; row++)
        {
            var sum = bias?[row] ?? 0;
            for (var i = 0; i < x.Length; i++) sum += matrix[row][i] * x[i];
            y[row] = sum;
        }
        return y;
    }

    /// <summary>Zhang and Sennrich, "Root mean square layer normalization", 2019.</summary>
    public static double[] RmsNorm(double[] x, double[] gain, double epsilon, double gainOffset = 0)
    {
        var root = Math.Sqrt(x.Sum(value => value * value) / x.Length + epsilon);
        return [.. x.Select((value, i) => value / root * (gainOffset + gain[i]))];
    }

    /// <summary>Ba, Kiros and Hinton, "Layer normalization", 2016.</summary>
    public static double[] LayerNorm(double[] x, double[] gain, double[] bias, double epsilon)
    {
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + epsilon);
        return [.. x.Select((value, i) => (value - mean) / deviation * gain[i] + bias[i])];
    }

    /// <summary>Causal attention with grouped heads (Ainslie et al., 2023). A query sees itself and the window − 1 tokens before it; a soft cap
    /// bends scores to ±cap by a hyperbolic tangent (Gemma 2 report, 2024).</summary>
    public static double[][] Attention(double[][] q, double[][] k, double[][] v, int heads, int keyValueHeads, int dimension, double scale, int? window, double? softCap)
    {
        var y = new double[q.Length][];
        for (var t = 0; t < y.Length; t++)
        {
            y[t] = new double[heads * dimension];
            var first = window is { } w ? Math.Max(0, t - w + 1) : 0;
            for (var head = 0; head < heads; head++)
            {
                var (from, shared) = (head * dimension, head / (heads / keyValueHeads) * dimension);
                var weights = new double[t + 1 - first];
                for (var s = first; s <= t; s++)
                {
                    for (var d = 0; d < dimension; d++) weights[s - first] += q[t][from + d] * k[s][shared + d];
                    weights[s - first] *= scale;
                    if (softCap is { } cap) weights[s - first] = SoftCap(weights[s - first], cap);
                }
                var highest = weights.Max();
                for (var s = 0; s < weights.Length; s++) weights[s] = Numerics.Exp(weights[s] - highest);
                var sum = weights.Sum();
                for (var s = first; s <= t; s++)
                    for (var d = 0; d < dimension; d++) y[t][from + d] += weights[s - first] / sum * v[s][shared + d];
            }
        }
        return y;
    }

    public static double SoftCap(double x, double cap) => cap * Numerics.Tanh(x / cap);

    public static double Silu(double x) => x / (1 + Numerics.Exp(-x));

    /// <summary>Hendrycks and Gimpel, "Gaussian error linear units", 2016: the approximation by a hyperbolic tangent.</summary>
    public static double GeluTanh(double x) => 0.5 * x * (1 + Numerics.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    /// <summary>The same without approximation: x Φ(x).</summary>
    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>Huang and Schlag, "Deriving activation functions using integration", 2024, with the two coefficients held positive by a
    /// softplus as Apertus stores them.</summary>
    public static double XIelu(double x, double alphaPositive, double alphaNegative, double beta, double epsilon)
    {
        var (positive, negative) = (SoftPlus(alphaPositive), beta + SoftPlus(alphaNegative));
        return x > 0 ? positive * x * x + beta * x : (ExpMinusOne(Math.Min(x, epsilon)) - x) * negative + beta * x;
    }

    public static double SoftPlus(double x) => Math.Max(x, 0) + Numerics.Log(1 + Numerics.Exp(-Math.Abs(x)));

    /// <summary>Abramowitz and Stegun, 7.1.6: a series without cancellation.</summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        var (term, sum) = (x, x);
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
        return 2 / Math.Sqrt(Math.PI) * Numerics.Exp(-x * x) * sum;
    }

    public static double ExpMinusOne(double x)
    {
        if (Math.Abs(x) > 0.5) return Numerics.Exp(x) - 1;
        var (term, sum) = (x, x);
        for (var n = 2; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++) sum += term *= x / n;
        return sum;
    }
}
