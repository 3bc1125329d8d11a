using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Training;

/// <summary>What training holds in memory at its peak, by purpose, in bytes.</summary>
/// <param name="Weights">The weights, single precision.</param>
/// <param name="Gradients">Their gradients.</param>
/// <param name="Optimizer">Two moments of AdamW for each weight.</param>
/// <param name="Step">Results and gradients of one micro-batch.</param>
/// <param name="Kernels">Working memory of the kernels, and the rotary table.</param>
/// <param name="Samples">The key/value cache in which prompts are continued; for moments.</param>
/// <param name="Process">Runtime, code, tokenizer and what the run reads: measured, not computed.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Optimizer, long Step, long Kernels, long Samples, long Process)
{
    /// <summary>Resident memory of a process that has trained a model of no size, without its text.</summary>
    internal const long BareProcess = 140_000_000;

    /// <summary>All of it.</summary>
    public long Total => Weights + Gradients + Optimizer + Step + Kernels + Samples + Process;

    /// <summary>Predicts the peak. The step is not estimated: the model's own code is run on an engine that only counts.</summary>
    /// <param name="model">Shape of the model.</param>
    /// <param name="training">Settings.</param>
    /// <param name="batchTokens">Tokens of one step.</param>
    /// <param name="threads">Threads of the engine.</param>
    /// <param name="textBytes">Bytes of the tokenized text that the run will read.</param>
    public static TrainingMemory For(ModelConfig model, TrainingConfig training, int batchTokens, int threads, long textBytes = 0)
    {
        using var engine = Engine.Outline(threads);
        engine.Recompute = training.Recompute == Recomputation.Layers;
        using var outline = ModelOutline.Create(model, engine);
        var rows = Math.Min(training.MicroBatchTokens, batchTokens);
        var layout = new SequenceLayout();
        var tokens = new int[Math.Max(rows, model.ContextLength)];
        Arrange(layout, rows, model.ContextLength);
        engine.Record();
        outline.Loss(outline.Forward(tokens.AsSpan(0, rows), layout), tokens.AsSpan(0, rows));
        engine.Backward();
        if (model.ContextLength > rows)
        {
            engine.Reset(); // held-out text comes in pieces of a whole context
            Arrange(layout, model.ContextLength, model.ContextLength);
            outline.Loss(outline.Forward(tokens, layout), tokens);
        }
        var parameters = outline.Weights.Sum(weight => weight.Count) * sizeof(float);
        var pages = (model.ContextLength + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
        return new TrainingMemory(parameters, parameters, 2 * parameters, engine.StepBytes, engine.FixedBytes,
            training.Prompts.Count > 0 ? KeyValueCache.BytesOf(model.Layers, model.KeyValueHeads, model.HeadDimension, pages) : 0, BareProcess + textBytes);
    }

    /// <summary>Refuses a run that the machine cannot hold, before it begins.</summary>
    /// <param name="model">Shape of the model.</param>
    /// <param name="training">Settings.</param>
    /// <param name="batchTokens">Tokens of one step.</param>
    /// <param name="threads">Threads of the engine.</param>
    /// <param name="available">Bytes that there are; null asks the machine.</param>
    /// <exception cref="UserErrorException">It needs more; the message says how much, and what can be changed.</exception>
    public static void Require(ModelConfig model, TrainingConfig training, int batchTokens, int threads, long? available = null)
    {
        var largest = (long)Math.Max(model.VocabularySize, Math.Max(model.Hidden, model.Heads * model.HeadDimension)) * model.Width;
        if (largest > int.MaxValue)
            throw new UserErrorException(FormattableString.Invariant($"the largest matrix of this model has {largest} numbers; expected at most {int.MaxValue}. Lower model.width, model.hidden or tokenizer.vocabularySize."));
        var memory = For(model, training, batchTokens, threads);
        var there = available ?? AvailableMemory.Bytes();
        if (memory.Total - BareProcess <= there) return;
        var fixedPart = memory.Weights + memory.Gradients + memory.Optimizer;
        var remedies = new List<string>();
        if (training.Recompute == Recomputation.None)
        {
            var less = For(model, training with { Recompute = Recomputation.Layers }, batchTokens, threads);
            remedies.Add($"set training.recompute=layers (then about {AvailableMemory.Size(less.Total)})");
        }
        if (memory.Step > fixedPart / 4) remedies.Add(FormattableString.Invariant($"lower training.microBatchTokens (now {training.MicroBatchTokens})"));
        if (model.ContextLength > training.MicroBatchTokens) remedies.Add(FormattableString.Invariant($"lower model.contextLength (now {model.ContextLength})"));
        remedies.Add(FormattableString.Invariant($"lower model.layers (now {model.Layers}) or model.width (now {model.Width})"));
        throw new UserErrorException($"Training needs about {AvailableMemory.Size(memory.Total)} of memory ({AvailableMemory.Size(fixedPart)} for weights, gradients and optimizer, "
            + $"{AvailableMemory.Size(memory.Step)} for a micro-batch), {AvailableMemory.Size(there)} are available; {string.Join(", or ", remedies)}.");
    }

    private static void Arrange(SequenceLayout layout, int rows, int contextLength)
    {
        layout.Clear();
        for (var row = 0; row < rows; row += contextLength) layout.Add(Math.Min(contextLength, rows - row));
    }
}
