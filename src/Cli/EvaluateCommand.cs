using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Evaluation;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm evaluate</c>: examines a model, one row for each language.</summary>
internal static class EvaluateCommand
{
    /// <summary>How many items each test had, in the fields of <c>evaluation.json</c>.</summary>
    internal static readonly string[] ItemCounts = ["seenItems", "unseenItems", "generatedItems"];

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var corpus = new Option<string?>("--corpus") { Description = "A finished corpus folder with held-out text and, for the built-in sample, the examination.", HelpName = "DIR" };
        var tasks = new Option<string?>("--tasks") { Description = $"Tasks, separated by commas: {string.Join(", ", EvaluationSettings.KnownTasks)}. Default: all.", HelpName = "NAME,..." };
        var files = new Option<string[]>("--bits-per-byte")
        {
            Description = "Score these files by themselves: .jsonl as documents, anything else as one text.",
            HelpName = "FILE...",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var heldoutBytes = new Option<long>("--heldout-bytes")
        {
            Description = "Held-out text of each language, in bytes.",
            HelpName = "N",
            DefaultValueFactory = _ => new EvaluationSettings().HeldoutBytesPerLanguage,
        };
        var outFolder = new Option<string?>("--out") { Description = "Write evaluation.json into this new folder.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print the results as one JSON object." };
        var threads = SamplingOptions.ThreadsOption();
        var command = new Command("evaluate", "Examines a model: bits per byte of held-out text and the built-in facts, one row for each language.\n" +
            "Example: oellm evaluate --model run/model --corpus run/corpus --out run/evaluation") { model, adapter, corpus, tasks, files, heldoutBytes, outFolder, json, threads };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string modelFolder = ModelPath.Resolve(parsed.GetValue(model));
            string? corpusFolder = parsed.GetValue(corpus);
            string[] single = parsed.GetValue(files) ?? [];
            if (corpusFolder is null && single.Length == 0)
                throw new UserErrorException("nothing to evaluate on; name a corpus folder with --corpus, or files with --bits-per-byte.");
            if (parsed.GetValue(heldoutBytes) < 1)
                throw new UserErrorException(FormattableString.Invariant($"--heldout-bytes is {parsed.GetValue(heldoutBytes)}; expected 1 or more."));
            var settings = new EvaluationSettings(parsed.GetValue(tasks)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                parsed.GetValue(heldoutBytes));
            if (corpusFolder is not null && Manifest.Read(PhysicalFileSystem.Instance, corpusFolder).Stage is var stage && stage != CorpusStage.StageName)
                throw new UserErrorException($"{corpusFolder}: is the output of the stage '{stage}'; expected a corpus folder.");
            using var engine = InferenceEngine.Load(modelFolder, RunCommand.ThreadCount(parsed.GetValue(threads)), adapters: parsed.GetValue(adapter));
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var report = Evaluator.Run(engine, corpusFolder, settings, single, new DirectProgress<EvaluationProgress>(now =>
                status.Update($"{now.Task}: {now.Done} of {now.Total}{(now.SecondsLeft is double left ? ", " + StatusLine.Time(left) + " left" : "")}")),
                cancellation: cancellation);
            if (parsed.GetValue(outFolder) is string target)
            {
                report.Save(target, modelFolder, corpusFolder, single);
                status.Say($"results: {Path.Combine(target, EvaluationReport.FileName)}");
            }

            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(JsonLine.OfValue(report.WriteTo));
            else PrintTable(JsonNode.Parse(JsonLine.OfValue(report.WriteTo))!, output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>One row for each language; a dash where there was no such test.</summary>
    /// <param name="evaluation">The content of <c>evaluation.json</c>.</param>
    /// <param name="output">Receives the table.</param>
    internal static void PrintTable(JsonNode evaluation, TextWriter output)
    {
        List<string[]> rows = [["language", "bits/byte", "seen [95 %]", "unseen [95 %]", "chance", "exact [95 %]", "items"]];
        foreach (var (code, result) in evaluation["languages"]!.AsObject())
            rows.Add([code, Number(result!["bitsPerByte"], "F3"), Share(result, "seen", "Accuracy"), Share(result, "unseen", "Accuracy"), Number(result["chance"], "F2"),
                Share(result, "generated", "Exact"), result["seenItems"] is null && result["generatedItems"] is null ? "-" : string.Join('/', ItemCounts.Select(name => Number(result[name], "F0")))]);
        if (rows.Count > 1) Print(rows, output);
        if (evaluation["files"] is not JsonObject files) return;
        if (rows.Count > 1) output.WriteLine();
        rows = [["file", "bits/byte", "bytes", "tokens"]];
        foreach (var (name, score) in files) rows.Add([name, Number(score!["bitsPerByte"], "F3"), Number(score["bytes"], "F0"), Number(score["tokens"], "F0")]);
        Print(rows, output);
    }

    private static void Print(List<string[]> rows, TextWriter output)
    {
        foreach (string line in TextTable.Lines(rows, left: 1)) output.WriteLine(line);
    }

    private static string Share(JsonNode result, string test, string measure) => result[test + measure] is null ? "-"
        : $"{Number(result[test + measure], "F2")} [{Number(result[test + "Interval"]![0], "F2")}-{Number(result[test + "Interval"]![1], "F2")}]";

    private static string Number(JsonNode? value, string format) => value?.GetValue<double>().ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
