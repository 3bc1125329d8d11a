using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm convert</c>: a model in another container, or with its numbers stored in another way.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        model.Description = "A model folder or a .gguf file. Default: the built-in model.";
        var to = new Option<string>("--to") { Description = "The container: gguf (one file) or safetensors (a folder in Hugging Face's form).", HelpName = $"{Conversion.Gguf}|{Conversion.Safetensors}", Required = true };
        var quantize = InitCommand.Quantize(null);
        var target = new Option<string>("--out") { Description = "The file (.gguf) or the folder to create.", HelpName = "PATH", Required = true };
        var calibration = new Option<string[]?>("--calibration")
        {
            Description = "Texts by language (.txt, .jsonl, .tsv; folders, patterns) that a quantization weighs its errors by, and measures the loss of each language on; without a value the built-in sample, which has all 24 official languages.",
            HelpName = "PATH...",
            Arity = ArgumentArity.ZeroOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        var calibrationBytes = new Option<long>("--calibration-bytes") { Description = "Text of each language that is looked at, and as much that the loss is measured on.", HelpName = "N", DefaultValueFactory = _ => Conversion.CalibrationBytes };
        var gate = new Option<string[]>("--gate")
        {
            Description = "Refuses the result when the bits per byte of a language grow by more: loss=0.02 for all, mt:loss=0.03 for one. Needs --calibration.",
            HelpName = "[LANG:]loss=N",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var force = InitCommand.Force();
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new Command("convert", "Writes a model folder or a .gguf file as the other, or with another type of numbers. What was written is read again and compared before it gets its name.\n" +
            "Example: oellm convert --model models/europa-nano --to gguf --quantize q4_k_m --calibration --gate loss=0.05 --out europa-nano-Q4_K_M.gguf")
        {
            model, adapter, to, quantize, calibration, calibrationBytes, gate, target, force, threads, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var settings = new ConversionSettings(Source(parsed.GetValue(model)), parsed.GetValue(target)!, parsed.GetValue(to)!, parsed.GetValue(quantize), parsed.GetValue(force),
                RunCommand.ThreadCount(parsed.GetValue(threads)), parsed.GetResult(calibration) is null ? null : parsed.GetValue(calibration) ?? [], parsed.GetValue(calibrationBytes),
                LossGate.Parse(parsed.GetValue(gate) ?? []), parsed.GetValue(adapter));
            var conversion = new Conversion(settings, new StatusLine(parsed.InvocationConfiguration.Error, quiet: false), cancellation);
            conversion.Run();
            conversion.Report(parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string Source(string? given) => given is null ? ModelPath.Resolve(null)
        : ModelPath.Locate(given) is var found && (File.Exists(found) || Directory.Exists(found)) ? found
        : throw new UserErrorException($"{given}: not found; expected a model folder or a .gguf file.");
}
