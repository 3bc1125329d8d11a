using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Training;

/// <summary>What a run will cost, computed before anything starts.</summary>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="Tokens">Tokens of the whole run.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Flops">Operations of the whole run: 6 · parameters · tokens.</param>
/// <param name="MemoryBytes">Weights, gradients, optimizer state and the tensors of one micro-batch.</param>
/// <param name="Seconds">Estimated time at <paramref name="ProductRate"/> and the share of it that training usually reaches.</param>
/// <param name="ProductRate">Operations per second of a large matrix product on this machine, just measured.</param>
public sealed record TrainingPlan(long Parameters, long Tokens, long Steps, double Flops, long MemoryBytes, double Seconds, double ProductRate)
{
    /// <summary>Share of the product rate that a training step usually reaches: small operations and attention take the rest.</summary>
    public const double UsualShare = 0.6;

    /// <summary>Computes the plan.</summary>
    public static TrainingPlan For(LlamaConfig model, TrainingConfig training, int batchTokens, double productRate)
    {
        var steps = Math.Max(1, (training.Tokens + batchTokens - 1) / batchTokens);
        var tokens = steps * batchTokens;
        var flops = 6.0 * model.Parameters * tokens;
        return new TrainingPlan(model.Parameters, tokens, steps, flops,
            16 * model.Parameters + StepNumbers(model, Math.Min(batchTokens, training.MicroBatchTokens)) * sizeof(float),
            flops / (productRate * UsualShare), productRate);
    }

    /// <summary>Numbers that one pass over <paramref name="rows"/> tokens holds: results and, on the way back, gradients.</summary>
    private static long StepNumbers(LlamaConfig model, int rows)
    {
        var queries = model.Heads * model.HeadDimension;
        var keys = model.KeyValueHeads * model.HeadDimension;
        // Per layer: two norms, q, k, v, attended, output, residual, gate, up, product, down, residual; their gradients; a copy at each sum.
        var results = 6L * model.Width + 2 * queries + 2 * keys + 3L * model.Hidden + 2 * model.Heads;
        var gradients = 8L * model.Width + 2 * queries + 2 * keys + 3L * model.Hidden;
        return rows * (model.Layers * (results + gradients) + 5L * model.Width) + (4L << 20);
    }
}
