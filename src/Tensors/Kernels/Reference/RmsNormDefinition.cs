namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = x / √(mean(x²) + ε) · gain, row by row. Source: arXiv:1910.07467, equation 4.</summary>
internal static class RmsNormDefinition
{
    public static double[] Forward(double[] x, double[] gain, double epsilon)
    {
        var width = gain.Length;
        var y = new double[x.Length];
        for (var r = 0; r < x.Length / width; r++)
        {
            var root = Root(x, r, width, epsilon);
            for (var i = 0; i < width; i++) y[r * width + i] = x[r * width + i] / root * gain[i];
        }
        return y;
    }

    public static (double[] X, double[] Gain) Backward(double[] x, double[] gain, double epsilon, double[] dy)
    {
        var width = gain.Length;
        var (dx, dGain) = (new double[x.Length], new double[width]);
        for (var r = 0; r < x.Length / width; r++)
        {
            var root = Root(x, r, width, epsilon);
            var along = 0.0; // Σ dy·gain·x: what the root passes back to every element
            for (var i = 0; i < width; i++)
            {
                along += dy[r * width + i] * gain[i] * x[r * width + i];
                dGain[i] += dy[r * width + i] * x[r * width + i] / root;
            }
            for (var i = 0; i < width; i++)
                dx[r * width + i] = dy[r * width + i] * gain[i] / root - x[r * width + i] * along / (width * root * root * root);
        }
        return (dx, dGain);
    }

    private static double Root(double[] x, int row, int width, double epsilon)
    {
        var squares = 0.0;
        for (var i = 0; i < width; i++) squares += x[row * width + i] * x[row * width + i];
        return Math.Sqrt(squares / width + epsilon);
    }
}
