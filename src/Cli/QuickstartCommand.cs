using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Evaluation;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm quickstart</c>: the whole life of a small model on this machine, from the built-in sample.</summary>
internal static class QuickstartCommand
{
    private const string RecipeName = "quickstart.jsonc";
    private static readonly string[] Scores = ["bitsPerByte", "seenAccuracy", "unseenAccuracy", "generatedExact"];

    public static Command Create()
    {
        var overrides = RunCommand.Overrides();
        var outFolder = new Option<string?>("--out") { Description = "The run's folder. Default: runs/quickstart.", HelpName = "DIR" };
        var serve = new Option<bool>("--serve") { Description = "Open the server with the new model at the end." };
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "End with one JSON object on standard output." };
        var command = new ResumableCommand("quickstart", "Makes a small European language model before your eyes: text, tokenizer, training, examination in 24 languages, card; then talk to it.\n" +
            "Example: oellm quickstart --serve") { overrides, outFolder, serve, threads, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var stream = typeof(QuickstartCommand).Assembly.GetManifestResourceStream(RecipeName)!;
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            var recipe = RecipeReader.Parse(memory.ToArray(), $"recipes/{RecipeName}", RecipeJson.Default.Recipe, parsed.GetValue(overrides) ?? []);
            var target = parsed.GetValue(outFolder) ?? RunCommand.DefaultOut(RecipeName);
            var count = RunCommand.ThreadCount(parsed.GetValue(threads));
            var code = await Task.Run(() => Execute(recipe, target, count, parsed.GetValue(json),
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation), CancellationToken.None).ConfigureAwait(false);
            if (code != ExitCode.Success || !parsed.GetValue(serve)) return code;
            return await ServeCommand.Serve(Path.Combine(target, "model"), "127.0.0.1", 8080, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Runs a recipe and ends with the report card, where things are, and the command to talk to the model.</summary>
    public static int Execute(Recipe recipe, string target, int threads, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        var began = clock.Timestamp;
        var pipeline = new Pipeline(recipe, target, threads, new StatusLine(error, quiet: false), cancellation);
        pipeline.Run();
        var seconds = clock.SecondsSince(began);
        using var process = Process.GetCurrentProcess();
        var evaluation = JsonNode.Parse(File.ReadAllBytes(Path.Combine(pipeline.EvaluationFolder, EvaluationReport.FileName)))!;
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteNumber("seconds", Math.Round(seconds, 1));
                writer.WriteNumber("peakMemoryBytes", process.PeakWorkingSet64);
                writer.WriteString("model", pipeline.Model);
                writer.WriteString("report", pipeline.ReportFile);
                writer.WriteStartObject("languages");
                foreach (var (code, result) in evaluation["languages"]!.AsObject())
                {
                    writer.WriteStartObject(code);
                    foreach (var name in Scores)
                        if (result![name] is JsonValue value) writer.WriteNumber(name, value.GetValue<double>());
                    var items = EvaluateCommand.ItemCounts.Sum(name => result![name]?.GetValue<int>() ?? 0);
                    writer.WriteNumber("items", items);
                    if (result!["chance"] is JsonValue chance) writer.WriteNumber("chance", chance.GetValue<double>());
                    writer.WriteEndObject();
                }
                writer.WriteEndObject();
            }));
            return ExitCode.Success;
        }
        EvaluateCommand.PrintTable(evaluation, output);
        output.WriteLine();
        output.WriteLine(FormattableString.Invariant($"done in {StatusLine.Time(seconds)}, {process.PeakWorkingSet64 / 1e6:0} MB of memory at most"));
        output.WriteLine($"model   {pipeline.Model} (card: README.md)");
        output.WriteLine($"report  {pipeline.ReportFile}, and report.html beside it");
        output.WriteLine($"check   oellm verify {target}");
        output.WriteLine($"talk    oellm chat --model {Path.Combine(target, "model")}     or with the browser: oellm serve --model {Path.Combine(target, "model")}");
        return ExitCode.Success;
    }
}
