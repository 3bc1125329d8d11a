namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Linear layer without bias: y = x · Wᵀ, with W as (outputs, inputs). All matrices row-major.</summary>
internal static class ProductDefinition
{
    public static double[] Forward(double[] x, double[] weight, int inputs)
    {
        var (rows, outputs) = (x.Length / inputs, weight.Length / inputs);
        var y = new double[rows * outputs];
        for (var r = 0; r < rows; r++)
            for (var o = 0; o < outputs; o++)
                for (var i = 0; i < inputs; i++) y[r * outputs + o] += x[r * inputs + i] * weight[o * inputs + i];
        return y;
    }

    /// <summary>dx = dy · W.</summary>
    public static double[] InputGradient(double[] dy, double[] weight, int inputs)
    {
        var outputs = weight.Length / inputs;
        var rows = dy.Length / outputs;
        var dx = new double[rows * inputs];
        for (var r = 0; r < rows; r++)
            for (var o = 0; o < outputs; o++)
                for (var i = 0; i < inputs; i++) dx[r * inputs + i] += dy[r * outputs + o] * weight[o * inputs + i];
        return dx;
    }

    /// <summary>dW = dyᵀ · x.</summary>
    public static double[] WeightGradient(double[] dy, double[] x, int inputs)
    {
        var rows = x.Length / inputs;
        var outputs = dy.Length / rows;
        var gradient = new double[outputs * inputs];
        for (var r = 0; r < rows; r++)
            for (var o = 0; o < outputs; o++)
                for (var i = 0; i < inputs; i++) gradient[o * inputs + i] += dy[r * outputs + o] * x[r * inputs + i];
        return gradient;
    }
}
