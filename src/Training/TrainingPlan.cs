using OpenEuroLLM.Models;

namespace OpenEuroLLM.Training;

/// <summary>What a run will cost, computed before anything starts.</summary>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="Tokens">Tokens of the whole run.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Flops">Operations of the whole run: 6 · parameters · tokens.</param>
/// <param name="Memory">Resident memory at the peak.</param>
/// <param name="Seconds">Estimated time at <paramref name="ProductRate"/> and the share of it that training usually reaches.</param>
/// <param name="ProductRate">Operations per second of a large matrix product on this machine, just measured.</param>
public sealed record TrainingPlan(long Parameters, long Tokens, long Steps, double Flops, TrainingMemory Memory, double Seconds, double ProductRate)
{
    /// <summary>Share of the product rate that a training step usually reaches: small operations and attention take the rest.</summary>
    public const double UsualShare = 0.6;

    /// <summary>Computes the plan.</summary>
    /// <param name="model">Shape of the model.</param>
    /// <param name="training">Settings.</param>
    /// <param name="batchTokens">Tokens of one step.</param>
    /// <param name="productRate">Operations per second of a large matrix product.</param>
    /// <param name="threads">Threads of the engine.</param>
    /// <param name="textBytes">Bytes of the tokenized text, as far as it is there.</param>
    public static TrainingPlan For(ModelConfig model, TrainingConfig training, int batchTokens, double productRate, int threads, long textBytes = 0)
    {
        var steps = Math.Max(1, (training.Tokens + batchTokens - 1) / batchTokens);
        var tokens = steps * batchTokens;
        var flops = 6.0 * model.Parameters * tokens;
        var again = training.Recompute == Recomputation.Layers ? 8.0 / 6 : 1; // the way there is gone twice
        return new TrainingPlan(model.Parameters, tokens, steps, flops, TrainingMemory.For(model, training, batchTokens, threads, textBytes),
            flops * again / (productRate * UsualShare), productRate);
    }
}
