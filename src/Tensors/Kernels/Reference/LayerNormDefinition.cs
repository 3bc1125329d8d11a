namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = (x − mean) / √(variance + ε) · gain + bias, row by row. Source: arXiv:1607.06450, equation 4.</summary>
internal static class LayerNormDefinition
{
    /// <param name="bias">Empty: none.</param>
    public static double[] Forward(double[] x, double[] gain, double[] bias, double epsilon)
    {
        var (normal, _) = Normalize(x, gain.Length, epsilon);
        return [.. normal.Select((value, i) => value * gain[i % gain.Length] + (bias.Length > 0 ? bias[i % gain.Length] : 0))];
    }

    public static (double[] X, double[] Gain, double[] Bias) Backward(double[] x, double[] gain, double epsilon, double[] dy)
    {
        var width = gain.Length;
        var (normal, roots) = Normalize(x, width, epsilon);
        var (dx, dGain, dBias) = (new double[x.Length], new double[width], new double[width]);
        for (var first = 0; first < x.Length; first += width)
        {
            var (mean, along) = (0.0, 0.0);
            for (var i = 0; i < width; i++)
            {
                mean += dy[first + i] * gain[i] / width;
                along += dy[first + i] * gain[i] * normal[first + i] / width;
                dGain[i] += dy[first + i] * normal[first + i];
                dBias[i] += dy[first + i];
            }
            // Each element passes on its own, less the part that moves the mean, less the part that moves the root.
            for (var i = first; i < first + width; i++) dx[i] = (dy[i] * gain[i - first] - mean - normal[i] * along) / roots[first / width];
        }
        return (dx, dGain, dBias);
    }

    private static (double[] Normal, double[] Roots) Normalize(double[] x, int width, double epsilon)
    {
        var (normal, roots) = (new double[x.Length], new double[x.Length / width]);
        for (var r = 0; r < roots.Length; r++)
        {
            var (mean, squares) = (0.0, 0.0);
            for (var i = 0; i < width; i++) mean += x[r * width + i] / width;
            for (var i = 0; i < width; i++) squares += (x[r * width + i] - mean) * (x[r * width + i] - mean);
            roots[r] = Math.Sqrt(squares / width + epsilon);
            for (var i = 0; i < width; i++) normal[r * width + i] = (x[r * width + i] - mean) / roots[r];
        }
        return (normal, roots);
    }
}
