namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = (x − mean) / √(variance + ε) · gain + bias, row by row. Source: arXiv:1607.06450, equation 4.</summary>
internal static class LayerNormDefinition
{
    /// <param name="bias">Empty: none.</param>
    public static double[] Forward(double[] x, double[] gain, double[] bias, double epsilon)
    {
        var width = gain.Length;
        var y = new double[x.Length];
        for (var i = 0; i < x.Length; i++) y[i] = Normal(x, i, width, epsilon) * gain[i % width] + (bias.Length > 0 ? bias[i % width] : 0);
        return y;
    }

    public static (double[] X, double[] Gain, double[] Bias) Backward(double[] x, double[] gain, double epsilon, double[] dy)
    {
        var width = gain.Length;
        var (dx, dGain, dBias) = (new double[x.Length], new double[width], new double[width]);
        for (var i = 0; i < x.Length; i++)
        {
            dGain[i % width] += dy[i] * Normal(x, i, width, epsilon);
            dBias[i % width] += dy[i];
            // What element i of the row passes on: itself, less the share of all that moves the mean, less the share of all that moves the root.
            var first = i - i % width;
            var (mean, along) = (0.0, 0.0);
            for (var j = 0; j < width; j++)
            {
                mean += dy[first + j] * gain[j] / width;
                along += dy[first + j] * gain[j] * Normal(x, first + j, width, epsilon) / width;
            }
            dx[i] = (dy[i] * gain[i % width] - mean - Normal(x, i, width, epsilon) * along) / Root(x, first, width, epsilon);
        }
        return (dx, dGain, dBias);
    }

    private static double Normal(double[] x, int i, int width, double epsilon) =>
        (x[i] - Mean(x, i - i % width, width)) / Root(x, i - i % width, width, epsilon);

    private static double Mean(double[] x, int first, int width)
    {
        var sum = 0.0;
        for (var i = first; i < first + width; i++) sum += x[i];
        return sum / width;
    }

    private static double Root(double[] x, int first, int width, double epsilon)
    {
        var (mean, squares) = (Mean(x, first, width), 0.0);
        for (var i = first; i < first + width; i++) squares += (x[i] - mean) * (x[i] - mean);
        return Math.Sqrt(squares / width + epsilon);
    }
}
