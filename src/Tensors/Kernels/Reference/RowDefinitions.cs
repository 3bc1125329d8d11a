namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>A row vector added to each row.</summary>
internal static class BiasDefinition
{
    public static double[] Forward(double[] x, double[] bias) => [.. x.Select((value, i) => value + bias[i % bias.Length])];

    /// <summary>Gradient of the bias; that of x is dy.</summary>
    public static double[] Backward(double[] dy, int width)
    {
        var gradient = new double[width];
        for (var i = 0; i < dy.Length; i++) gradient[i % width] += dy[i];
        return gradient;
    }
}

/// <summary>Some columns of a matrix.</summary>
internal static class ColumnsDefinition
{
    public static double[] Forward(double[] x, int width, int first, int count) => [.. x.Where((_, i) => i % width >= first && i % width < first + count)];

    public static double[] Backward(double[] dy, int width, int first, int count)
    {
        var dx = new double[dy.Length / count * width];
        for (var i = 0; i < dy.Length; i++) dx[i / count * width + first + i % count] = dy[i];
        return dx;
    }
}
