using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus</c>: texts to cleaned documents, documents to token shards, and what became of them.</summary>
internal static class CorpusCommand
{
    public static Command Create() => new("corpus", "Extracts texts from web pages, builds, tokenizes and reports on a corpus.\nExample: oellm corpus report runs/quickstart/corpus") { CorpusExtract.Create(), Build(), Tokenize(), CorpusReportCommand.Create(), CorpusMeasureWords.Create(), CorpusRights.Create(), CorpusPolicies.Create(), CorpusPii.Create(), CorpusForget.Create(), CorpusContamination.Create() };

    private static ResumableCommand Build()
    {
        var recipe = new Argument<string>("recipe") { Description = "The recipe file; its section 'corpus' is used." };
        var overrides = RunCommand.Overrides();
        var target = new Option<string?>("--out") { Description = "The corpus folder. Default: runs/NAME/corpus.", HelpName = "DIR" };
        var workers = Workers();
        var task = new Option<string?>("--task") { Description = "Do one share of the work, such as 3/8, as a task of a job array with a common --out. When all tasks have ended, run them once more, until the corpus is finished.", HelpName = "I/N" };
        var plan = new Option<bool>("--plan") { Description = "Print the steps with all their settings, near-duplicates with how likely pairs are joined, and stop." };
        var json = Json("Print the rows of the report as JSON, one a line.");
        var command = new ResumableCommand("build", "Reads and cleans texts and divides them into training and held-out documents. The same command goes on after an interruption.\n" +
            "Example: oellm corpus build recipes/europe-sample.jsonc corpus.source=texts --out corpus --workers 8") { recipe, overrides, target, workers, task, plan, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string path = parsed.GetValue(recipe)!;
            Recipe loaded = Recipe.Load(path, parsed.GetValue(overrides) ?? []);
            if (parsed.GetValue(plan))
            {
                CorpusPlan.Print(loaded.Corpus, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
                return ExitCode.Success;
            }
            string folder = parsed.GetValue(target) ?? Path.Combine(RunCommand.DefaultOut(path), "corpus");
            var launcher = new LocalLauncher(RunCommand.ThreadCount(parsed.GetValue(workers)));
            DirectProgress<CorpusProgress> progress = Progress(parsed.InvocationConfiguration.Error);
            Manifest? manifest;
            if (parsed.GetValue(task) is { } share)
            {
                CorpusTaskOutcome outcome = CorpusStage.RunTask(loaded.Corpus, folder, CorpusTask.Parse(share), launcher, progress, cancellation: cancellation);
                manifest = outcome.Manifest;
                if (manifest is null)
                {
                    PrintTask(share, outcome, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
                    return ExitCode.Success;
                }
            }
            else manifest = CorpusStage.Run(loaded.Corpus, folder, launcher, progress, cancellation: cancellation);
            CorpusReportCommand.PrintLanguages(manifest, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void PrintTask(string share, CorpusTaskOutcome outcome, bool json, TextWriter output) => output.WriteLine(json
        ? Line(new JsonObject { ["task"] = share, ["finished"] = false, ["part"] = outcome.Part, ["parts"] = outcome.Parts, ["done"] = outcome.Done, ["pieces"] = outcome.Pieces })
        : string.Create(CultureInfo.InvariantCulture,
            $"task {share} has done its share of part {outcome.Part} of {outcome.Parts}: {outcome.Done} of {outcome.Pieces} pieces are done by all; when all tasks have ended, run them once more"));

    private static Command Tokenize()
    {
        var corpus = new Argument<string>("dir") { Description = "The corpus folder." };
        var tokenizer = new Option<string>("--tokenizer") { Description = "The tokenizer's folder or file.", Required = true, HelpName = "PATH" };
        var target = new Option<string>("--out") { Description = "The folder of token shards to make.", Required = true, HelpName = "DIR" };
        var workers = Workers();
        var json = Json("Print the tokens of each language as JSON, one a line.");
        var command = new Command("tokenize", "Turns the documents of a corpus into token shards (.bin and .idx).\n" +
            "Example: oellm corpus tokenize corpus --tokenizer tokenizer --out tokens") { corpus, tokenizer, target, workers, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            Manifest manifest = TokenizeStage.Run(
                parsed.GetValue(corpus)!, parsed.GetValue(tokenizer)!, parsed.GetValue(target)!,
                new LocalLauncher(RunCommand.ThreadCount(parsed.GetValue(workers))), Progress(parsed.InvocationConfiguration.Error), cancellation: cancellation);
            PrintTokens(manifest, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static Option<int?> Workers() =>
        new("--workers", "--threads") { Description = "Workers. Default: all processors. Results do not depend on it.", HelpName = "N" };

    private static Option<bool> Json(string description) => new("--json") { Description = description };

    private static DirectProgress<CorpusProgress> Progress(TextWriter error)
    {
        var status = new StatusLine(error, quiet: false);
        return new DirectProgress<CorpusProgress>(now => status.Update(FormattableString.Invariant(
            $"{now.Phase}  {now.Done / 1e6:0.0} of {now.Total / 1e6:0.0} MB  {now.PerSecond / 1e6:0.0} MB/s  {StatusLine.Time(now.SecondsLeft ?? double.NaN)} left")));
    }

    private static void PrintTokens(Manifest manifest, bool json, TextWriter output)
    {
        if (!json) output.WriteLine("language  train tokens  held-out tokens  bytes a token");
        foreach (IGrouping<string?, ManifestCount> language in manifest.Counts.Where(count => count.Language is not null).GroupBy(count => count.Language).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            long train = language.Where(count => count.Reason == CorpusReport.Train).Sum(count => count.Tokens);
            long heldOut = language.Where(count => count.Reason == CorpusReport.HeldOut).Sum(count => count.Tokens);
            double bytesPerToken = Math.Round((double)language.Sum(count => count.Bytes) / Math.Max(1, train + heldOut), 3);
            output.WriteLine(json
                ? Line(new JsonObject { ["language"] = language.Key, ["trainTokens"] = train, ["heldOutTokens"] = heldOut, ["bytesPerToken"] = bytesPerToken })
                : string.Create(CultureInfo.InvariantCulture, $"{language.Key,-8}  {train,12}  {heldOut,15}  {bytesPerToken,13:0.00}"));
        }
    }

    private static string Line(JsonObject value) => JsonLine.OfValue(writer => value.WriteTo(writer));
}
