using System.CommandLine;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Training;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm train</c>: text to trained weights; the same command resumes.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = "The recipe file." };
        var overrides = RunCommand.Overrides();
        var outFolder = RunCommand.Out();
        var plan = new Option<bool>("--plan") { Description = "Print parameters, operations, memory and time, and train nothing." };
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object." };
        var command = new ResumableCommand("train", "Pretrains a model; corpus, tokenizer and tokens are built first where they are missing. The same command resumes.\n" +
            "Example: oellm train recipes/quickstart.jsonc training.seed=2 --out runs/two --plan") { recipe, overrides, outFolder, plan, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var loaded = Recipe.Load(parsed.GetValue(recipe)!, parsed.GetValue(overrides) ?? []);
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var count = RunCommand.ThreadCount(parsed.GetValue(threads));
            var target = parsed.GetValue(outFolder) ?? RunCommand.DefaultOut(parsed.GetValue(recipe)!);
            var output = parsed.InvocationConfiguration.Output;
            var pipeline = new Pipeline(loaded, target, count, status, cancellation) { PlanOnly = parsed.GetValue(plan) };
            using var engine = new Engine(count);
            if (parsed.GetValue(plan) && !File.Exists(Path.Combine(pipeline.Tokens, Manifest.FileName)))
            {
                var dial = ModelDial.For(loaded.Model, loaded.Training, loaded.Tokenizer.VocabularySize);
                Print(dial, TrainingPlan.For(dial.Model, loaded.Training, dial.BatchTokens, engine.MeasureProductRate(SystemClock.Instance), count), output, parsed.GetValue(json));
                return ExitCode.Success;
            }
            pipeline.Prepare();
            using var trainer = new Trainer(new TrainingRun(loaded.Model, loaded.Training, pipeline.Tokens, pipeline.TokenizerFolder, pipeline.TrainingFolder), engine);
            if (parsed.GetValue(plan))
            {
                Print(trainer.Dial, trainer.Plan(), output, parsed.GetValue(json));
                return ExitCode.Success;
            }
            Describe(trainer, status);
            var result = trainer.Run(Progress(status), cancellation);
            output.WriteLine(parsed.GetValue(json)
                ? result.ToJsonString()
                : $"trained: {pipeline.TrainingFolder}, loss {result["finalTrainLoss"]}, weights {result["weightsSha256"]}");
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Says what the dial chose, and what the run will cost.</summary>
    public static void Describe(Trainer trainer, StatusLine status)
    {
        var plan = trainer.Plan();
        status.Say(FormattableString.Invariant(
            $"training    {plan.Parameters / 1e6:0.00} M parameters, {plan.Tokens / 1e6:0.00} M tokens, {plan.Steps} steps, {plan.Flops:0.0e0} operations, about {AvailableMemory.Size(plan.Memory.Total)} and {StatusLine.Time(plan.Seconds)}"));
        foreach (var setting in trainer.Dial.Settings) status.Say($"            {setting.Setting} = {setting.Value} ({setting.Reason})");
    }

    /// <summary>The progress line: step, loss, tokens/s, share of the machine's matrix-product rate, time left.</summary>
    public static IProgress<TrainingProgress> Progress(StatusLine status)
    {
        var said = 0L;
        return new DirectProgress<TrainingProgress>(now =>
        {
            var text = FormattableString.Invariant(
                $"training    step {now.Step}/{now.Steps}  loss {now.Loss:0.000}  {now.TokensPerSecond:0} tokens/s  {now.ShareOfPeak:0%} of the product rate  {StatusLine.Time(now.SecondsLeft)} left");
            if (now.Note is { } note) status.Say($"            {note}");
            else if (now.Step * 10 / now.Steps > said)
            {
                said = now.Step * 10 / now.Steps;
                status.Say(text);
            }
            else status.Update(text);
        });
    }

    private static void Print(ModelDial dial, TrainingPlan plan, TextWriter output, bool json)
    {
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteNumber("parameters", plan.Parameters);
                writer.WriteNumber("tokens", plan.Tokens);
                writer.WriteNumber("steps", plan.Steps);
                writer.WriteNumber("flops", plan.Flops);
                writer.WriteNumber("memoryBytes", plan.Memory.Total);
                writer.WriteStartObject("memory");
                writer.WriteNumber("weights", plan.Memory.Weights);
                writer.WriteNumber("gradients", plan.Memory.Gradients);
                writer.WriteNumber("optimizer", plan.Memory.Optimizer);
                writer.WriteNumber("step", plan.Memory.Step);
                writer.WriteNumber("kernels", plan.Memory.Kernels);
                writer.WriteNumber("samples", plan.Memory.Samples);
                writer.WriteNumber("process", plan.Memory.Process);
                writer.WriteNumber("available", AvailableMemory.Bytes());
                writer.WriteEndObject();
                writer.WriteNumber("seconds", plan.Seconds);
                writer.WriteNumber("productFlopsPerSecond", plan.ProductRate);
                writer.WriteStartObject("dial");
                foreach (var setting in dial.Settings) writer.WriteString(setting.Setting, setting.Value);
                writer.WriteEndObject();
            }));
            return;
        }
        foreach (var setting in dial.Settings) output.WriteLine($"{setting.Setting,-24} {setting.Value,12}  {setting.Reason}");
        foreach (var (name, value) in new[]
        {
            ("parameters", plan.Parameters.ToString("N0", CultureInfo.InvariantCulture)),
            ("tokens", plan.Tokens.ToString("N0", CultureInfo.InvariantCulture)),
            ("steps", plan.Steps.ToString("N0", CultureInfo.InvariantCulture)),
            ("operations", plan.Flops.ToString("0.00e0", CultureInfo.InvariantCulture)),
            ("memory", $"{AvailableMemory.Size(plan.Memory.Total)}: {AvailableMemory.Size(plan.Memory.Weights + plan.Memory.Gradients + plan.Memory.Optimizer)} weights, gradients and optimizer, "
                + $"{AvailableMemory.Size(plan.Memory.Step)} one micro-batch, {AvailableMemory.Size(plan.Memory.Kernels + plan.Memory.Samples + plan.Memory.Process)} the rest; {AvailableMemory.Size(AvailableMemory.Bytes())} are available"),
            ("time", $"about {StatusLine.Time(plan.Seconds)}, at {TrainingPlan.UsualShare.ToString("0%", CultureInfo.InvariantCulture)} of the measured {(plan.ProductRate / 1e9).ToString("0", CultureInfo.InvariantCulture)} GFLOP/s"),
        }) output.WriteLine($"{name,-24} {value}");
    }
}
