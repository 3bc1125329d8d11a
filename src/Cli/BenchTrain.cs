using System.CommandLine;
using System.Diagnostics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Measuring;
using OpenEuroLLM.Training;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench train</c>: training steps of a model of a given shape, on made-up tokens.</summary>
internal static class BenchTrain
{
    private const int WarmUpSteps = 2;

    public static Command Create()
    {
        var family = FamilyOptions.Family();
        var width = BenchCommand.Number("--width", "Numbers of a token's state.", 256);
        var layers = BenchCommand.Number("--layers", "Decoder layers.", 6);
        var heads = BenchCommand.Number("--heads", "Query heads, dividing the width into even heads.", 4);
        var keyValueHeads = new Option<int?>("--key-value-heads") { Description = "Key/value heads, dividing the heads. Default: as many as heads.", HelpName = "N" };
        var hidden = BenchCommand.Number("--hidden", "Inner width of the feed-forward part.", 704);
        var vocabulary = BenchCommand.Number("--vocabulary-size", "Tokens known.", 16_384);
        var batch = BenchCommand.Number("--batch", "Sequences of a step.", 8);
        var context = BenchCommand.Number("--context", "Tokens of a sequence.", 256);
        var steps = BenchCommand.Number("--steps", "Measured steps; the median counts. Two more come before.", 5);
        var threads = RunCommand.Threads();
        var json = BenchCommand.Json("tokensPerSecond, gflops, shareOfLimit, peakMemoryBytes, allocatedBytesPerStep");
        var command = new Command("train", "Measures training steps (forward, backward, clipping, AdamW) of a random model with a tied head on random tokens.\n" +
            "The share is that of a bare loop of multiply-adds; a token counts 6 operations for each parameter in products, and 12 · layers · width · context.\n" +
            "Example: oellm bench train --width 256 --layers 6 --heads 4 --hidden 704 --vocabulary-size 16384 --batch 8 --context 256 --threads 2 --json")
        {
            family, width, layers, heads, keyValueHeads, hidden, vocabulary, batch, context, steps, threads, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            BenchCommand.RequireRange("--vocabulary-size", parsed.GetValue(vocabulary), 2, 1 << 24);
            var shape = FamilyOptions.Sized(parsed.GetValue(family)!, parsed.GetValue(layers), parsed.GetValue(width), parsed.GetValue(heads), parsed.GetValue(keyValueHeads),
                dimension: null, parsed.GetValue(hidden), parsed.GetValue(vocabulary), "--context", parsed.GetValue(context), tied: true);
            BenchCommand.RequireRange("--batch", parsed.GetValue(batch), 1, 1 << 20);
            BenchCommand.RequireRange("--steps", parsed.GetValue(steps), 1, 10_000);
            BenchCommand.RequireRange("--batch times --context", (long)parsed.GetValue(batch) * shape.ContextLength, 1, 1 << 24);
            var count = RunCommand.ThreadCount(parsed.GetValue(threads));
            RequireMemory(shape, parsed.GetValue(batch), count);
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var result = Measure(shape, parsed.GetValue(batch), parsed.GetValue(steps), count, status, cancellation);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json) ? result.ToJson() : result.ToText());
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void RequireMemory(ModelConfig shape, int batch, int threads)
    {
        const string remedy = "lower --width, --layers, --hidden, --vocabulary-size, --batch or --context";
        var tokens = batch * shape.ContextLength;
        // Weights, gradients and two moments, and then what each layer holds for the way back: what is absurd by them need not be counted out.
        AvailableMemory.Require(4 * sizeof(float) * shape.Parameters, "A model of this size in training", remedy);
        AvailableMemory.Require(2 * sizeof(float) * ((long)shape.Width + shape.Hidden) * shape.Layers * tokens, "A training step of this size", remedy);
        var largest = (long)Math.Max(shape.VocabularySize, Math.Max(shape.Hidden, shape.Width)) * shape.Width;
        if (largest > int.MaxValue) throw new UserErrorException(FormattableString.Invariant($"the largest matrix of this model has {largest} numbers; expected at most {int.MaxValue}; {remedy}."));
        var memory = TrainingMemory.For(shape, new TrainingConfig(MicroBatchTokens: tokens), tokens, threads);
        AvailableMemory.Require(memory.Total - memory.Process, "A training step of this size", remedy);
    }

    private static Result Measure(ModelConfig shape, int batch, int steps, int threads, StatusLine status, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        var before = MachineLimits.MeasureMultiplyAdd(threads, clock);
        status.Say(FormattableString.Invariant($"bench train  bare multiply-adds: {before / 1e9:0.0} GFLOP/s on {threads} thread{(threads == 1 ? "" : "s")}; {shape.Parameters / 1e6:0.00} M parameters"));
        using var engine = new Engine(threads);
        using var model = LanguageModel.Create(shape, seed: 1, engine);
        using var step = new Step(model, batch, shape.ContextLength);
        for (var i = 0; i < WarmUpSteps; i++) step.Run(i);
        var seconds = new double[steps];
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var began = clock.Timestamp;
            step.Run(WarmUpSteps + i);
            seconds[i] = clock.SecondsSince(began);
        }
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        using var process = Process.GetCurrentProcess();
        var peakMemory = process.PeakWorkingSet64;
        var limit = Math.Max(before, MachineLimits.MeasureMultiplyAdd(threads, clock));
        var perSecond = batch * shape.ContextLength / BenchCommand.Median(seconds);
        return new Result(threads, perSecond, perSecond * shape.TrainingFlopsPerToken(shape.ContextLength), limit, peakMemory, allocated / steps, step.Loss);
    }

    /// <summary>A training step on tokens that were drawn once, with the operations of <c>oellm train</c> and in their order.</summary>
    private sealed class Step : IDisposable
    {
        private readonly LanguageModel model;
        private readonly Weight[] weights;
        private readonly NumberBuffer[] first, second;
        private readonly int[] tokens, targets;
        private readonly SequenceLayout layout = new();

        public Step(LanguageModel model, int batch, int context)
        {
            this.model = model;
            weights = [.. model.Weights];
            first = [.. weights.Select(weight => new NumberBuffer(weight.Count))];
            second = [.. weights.Select(weight => new NumberBuffer(weight.Count))];
            var random = new CounterRandom(1, 0).Substream("tokens");
            int[] drawn = [.. Enumerable.Range(0, batch * context + 1).Select(i => (int)(random.UniformAt((ulong)i) * model.VocabularySize))];
            (tokens, targets) = (drawn[..^1], drawn[1..]);
            for (var i = 0; i < batch; i++) layout.Add(context);
        }

        public double Loss { get; private set; }

        public void Run(int number)
        {
            var engine = model.Engine;
            engine.Reset();
            engine.Record();
            var losses = model.Loss(model.Forward(tokens, layout), targets, 1.0 / tokens.Length).Values;
            var sum = 0.0;
            foreach (var loss in losses) sum += loss;
            Loss = sum / tokens.Length;
            engine.Backward();
            var squares = 0.0;
            foreach (var weight in weights) squares += engine.SquaredGradientNorm(weight);
            var norm = Math.Sqrt(squares);
            var settings = new AdamWStep(1e-3f, 0.9f, 0.98f, 1e-8f, 0, (float)(1 - Numerics.Pow(0.9, number + 1)), (float)(1 - Numerics.Pow(0.98, number + 1)), (float)(norm > 1 ? 1 / norm : 1));
            for (var i = 0; i < weights.Length; i++)
            {
                engine.Update(weights[i], first[i], second[i], weights[i].Rows == 1 ? settings : settings with { Decay = 0.1f });
                weights[i].ClearGradient();
            }
        }

        public void Dispose()
        {
            foreach (var buffer in first) buffer.Dispose();
            foreach (var buffer in second) buffer.Dispose();
        }
    }

    private sealed record Result(int Threads, double TokensPerSecond, double FlopsPerSecond, double Limit, long PeakMemoryBytes, long AllocatedBytesPerStep, double Loss)
    {
        public string ToJson() => JsonLine.Of(writer =>
        {
            writer.WriteNumber("threads", Threads);
            writer.WriteFigure("tokensPerSecond", TokensPerSecond);
            writer.WriteFigure("gflops", FlopsPerSecond / 1e9);
            writer.WriteFigure("limitGflops", Limit / 1e9);
            writer.WriteFigure("shareOfLimit", FlopsPerSecond / Limit);
            writer.WriteNumber("peakMemoryBytes", PeakMemoryBytes);
            writer.WriteNumber("allocatedBytesPerStep", AllocatedBytesPerStep);
            writer.WriteNumber("loss", Math.Round(Loss, 5));
        });

        public string ToText() => FormattableString.Invariant(
            $"{TokensPerSecond:0} tokens/s, {FlopsPerSecond / 1e9:0.0} GFLOP/s, {FlopsPerSecond / Limit:0.0%} of the bare multiply-adds of this run ({Limit / 1e9:0.0} GFLOP/s); {PeakMemoryBytes / 1e6:0} MB at most, {AllocatedBytesPerStep} bytes a step on the managed heap");
    }
}
