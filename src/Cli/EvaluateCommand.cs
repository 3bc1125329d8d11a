using System.CommandLine;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Evaluation;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm evaluate</c>: examines a model, one row for each language.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var model = SamplingOptions.Model();
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
            "Example: oellm evaluate --model run/model --corpus run/corpus --out run/evaluation") { model, corpus, tasks, files, heldoutBytes, outFolder, json, threads };
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
            using var engine = InferenceEngine.Load(modelFolder, RunCommand.ThreadCount(parsed.GetValue(threads)));
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
            else PrintTable(report, output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>One row for each language; a dash where there was no such test.</summary>
    internal static void PrintTable(EvaluationReport report, TextWriter output)
    {
        List<string[]> rows = [["language", "bits/byte", "seen [95 %]", "unseen [95 %]", "chance", "exact [95 %]", "items"]];
        foreach (var (code, result) in report.Languages.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var facts = result.Facts;
            rows.Add([code, result.Text is { Bytes: > 0 } text ? Number(text.BitsPerByte, "F3") : "-", Of(facts?.Seen), Of(facts?.Unseen),
                facts is null || facts.Seen.Items + facts.Unseen.Items == 0 ? "-" : Number(facts.Chance, "F2"), Of(facts?.Generated),
                facts is null ? "-" : FormattableString.Invariant($"{facts.Seen.Items}/{facts.Unseen.Items}/{facts.Generated.Items}")]);
        }

        if (rows.Count > 1) Print(rows, output);
        if (report.Files.Count == 0) return;
        if (rows.Count > 1) output.WriteLine();
        rows = [["file", "bits/byte", "bytes", "tokens"]];
        foreach (var (name, score) in report.Files.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            rows.Add([name, Number(score.BitsPerByte, "F3"), Number(score.Bytes, "F0"), Number(score.Tokens, "F0")]);
        Print(rows, output);
    }

    private static void Print(List<string[]> rows, TextWriter output)
    {
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))).TrimEnd());
    }

    private static string Of(Share? share)
    {
        if (share is null || share.Items == 0) return "-";
        var (low, high) = share.Interval;
        return FormattableString.Invariant($"{share.Value:F2} [{low:F2}-{high:F2}]");
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
