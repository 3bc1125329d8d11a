namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>AdamW with decoupled decay. Source: arXiv:1711.05101, algorithm 2.</summary>
internal static class AdamWDefinition
{
    /// <summary>Changes weights and moments in place.</summary>
    public static void Update(double[] weights, double[] gradient, double[] first, double[] second, in AdamWStep step)
    {
        for (var i = 0; i < weights.Length; i++)
        {
            var slope = gradient[i] * step.GradientScale;
            first[i] = step.Beta1 * first[i] + (1 - (double)step.Beta1) * slope;
            second[i] = step.Beta2 * second[i] + (1 - (double)step.Beta2) * slope * slope;
            var update = first[i] / step.Correction1 / (Math.Sqrt(second[i] / step.Correction2) + step.Epsilon);
            weights[i] -= step.LearningRate * (step.Decay * weights[i] + update);
        }
    }
}
