using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Cross-entropy in nats: −log softmax(cap(x · headᵀ))[target] for each row; target −1 counts nothing.</summary>
internal static class HeadLossDefinition
{
    public static double[] Forward(double[] x, double[] head, int width, int[] targets, double? softCap = null)
    {
        var losses = new double[targets.Length];
        for (var r = 0; r < targets.Length; r++)
        {
            if (targets[r] >= 0) losses[r] = -Numerics.Log(Probabilities(Logits(x, head, width, r), softCap)[targets[r]]);
        }
        return losses;
    }

    /// <summary>Gradients of the sum of losses times <paramref name="scale"/>.</summary>
    public static (double[] X, double[] Head) Backward(double[] x, double[] head, int width, int[] targets, double scale, double? softCap = null)
    {
        var (dx, dHead) = (new double[x.Length], new double[head.Length]);
        for (var r = 0; r < targets.Length; r++)
        {
            if (targets[r] < 0) continue;
            var logits = Logits(x, head, width, r);
            var slopes = Probabilities(logits, softCap);
            slopes[targets[r]] -= 1;
            for (var v = 0; v < slopes.Length; v++) slopes[v] *= SoftCapDefinition.Slope(logits[v], softCap);
            for (var v = 0; v < slopes.Length; v++)
            {
                for (var i = 0; i < width; i++)
                {
                    dx[r * width + i] += scale * slopes[v] * head[v * width + i];
                    dHead[v * width + i] += scale * slopes[v] * x[r * width + i];
                }
            }
        }
        return (dx, dHead);
    }

    private static double[] Logits(double[] x, double[] head, int width, int row) =>
        ProductDefinition.Forward(x[(row * width)..((row + 1) * width)], head, width);

    private static double[] Probabilities(double[] uncapped, double? softCap)
    {
        double[] logits = [.. uncapped.Select(logit => SoftCapDefinition.Value(logit, softCap))];
        var largest = logits.Max();
        for (var v = 0; v < logits.Length; v++) logits[v] = Numerics.Exp(logits[v] - largest);
        var sum = logits.Sum();
        for (var v = 0; v < logits.Length; v++) logits[v] /= sum;
        return logits;
    }
}
