using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus</c>: texts to cleaned documents, documents to token shards, and what became of them.</summary>
internal static class CorpusCommand
{
    public static Command Create() => new("corpus", "Extracts texts from web pages, builds, tokenizes and reports on a corpus.\nExample: oellm corpus report runs/quickstart/corpus") { CorpusExtract.Create(), Build(), Tokenize(), Report(), CorpusPii.Create(), CorpusMeasureWords.Create() };

    private static ResumableCommand Build()
    {
        var recipe = new Argument<string>("recipe") { Description = "The recipe file; its section 'corpus' is used." };
        var overrides = RunCommand.Overrides();
        var target = new Option<string?>("--out") { Description = "The corpus folder. Default: runs/NAME/corpus.", HelpName = "DIR" };
        var workers = Workers();
        var plan = new Option<bool>("--plan") { Description = "Say what the steps will do, near-duplicates with how likely pairs are joined, and stop." };
        var json = Json("Print the rows of the report as JSON, one a line.");
        var command = new ResumableCommand("build", "Reads and cleans texts and divides them into training and held-out documents. The same command goes on after an interruption.\n" +
            "Example: oellm corpus build recipes/europe-sample.jsonc corpus.source=texts --out corpus --workers 8") { recipe, overrides, target, workers, plan, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string path = parsed.GetValue(recipe)!;
            Recipe loaded = Recipe.Load(path, parsed.GetValue(overrides) ?? []);
            if (parsed.GetValue(plan))
            {
                Plan(loaded.Corpus, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
                return ExitCode.Success;
            }
            string folder = parsed.GetValue(target) ?? Path.Combine(RunCommand.DefaultOut(path), "corpus");
            Manifest manifest = CorpusStage.Run(
                loaded.Corpus, folder, new LocalLauncher(RunCommand.ThreadCount(parsed.GetValue(workers))), Progress(parsed.InvocationConfiguration.Error),
                cancellation: cancellation);
            Print(manifest, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Plan(CorpusConfig config, bool json, TextWriter output)
    {
        foreach (CorpusStep step in config.Steps)
        {
            IReadOnlyList<(double Jaccard, double Probability)> joined = (step as NearDuplicates)?.Plan() ?? [];
            if (json)
            {
                output.WriteLine(Line(new JsonObject
                {
                    ["step"] = step.Name,
                    ["joins"] = new JsonArray([.. joined.Select(row => (JsonNode)new JsonObject { ["jaccard"] = row.Jaccard, ["probability"] = row.Probability })]),
                }));
                continue;
            }
            output.WriteLine(step.ToString());
            foreach ((double jaccard, double probability) in joined)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    similarity {jaccard:0.00}: joined with probability {probability:0.######}"));
        }
    }

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

    private static Command Report()
    {
        var corpus = new Argument<string>("dir") { Description = "The corpus folder." };
        var json = Json("Print a JSON object for each language, one a line.");
        var command = new Command("report", "Shows for each language how many documents were read, dropped and why, held out, and kept for training.\n" +
            "Example: oellm corpus report runs/quickstart/corpus") { corpus, json };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(corpus)!;
            Manifest manifest = Manifest.Read(PhysicalFileSystem.Instance, folder);
            if (manifest.Stage != CorpusStage.StageName)
                throw new UserErrorException($"{folder}: is the output of the stage '{manifest.Stage}'; expected a corpus folder.");
            Print(manifest, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        });
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

    private static void Print(Manifest manifest, bool json, TextWriter output)
    {
        IReadOnlyList<LanguageFunnel> rows = CorpusReport.Of(manifest);
        if (json)
        {
            foreach (LanguageFunnel row in rows) output.WriteLine(Line(row.ToJson()));
            return;
        }
        output.WriteLine("language     read  dropped  held out    train  train MB  dropped because");
        foreach (LanguageFunnel row in rows) WriteRow(row, output);
        WriteRow(
            new LanguageFunnel(
                "all", rows.Sum(row => row.Read), rows.Sum(row => row.ReadBytes), rows.Sum(row => row.Train), rows.Sum(row => row.TrainBytes),
                rows.Sum(row => row.HeldOut), rows.Sum(row => row.HeldOutBytes), rows.Sum(row => row.Changed),
                new SortedDictionary<string, long>(rows.SelectMany(row => row.Dropped).GroupBy(reason => reason.Key).ToDictionary(group => group.Key, group => group.Sum(reason => reason.Value)), StringComparer.Ordinal)),
            output);
    }

    private static void WriteRow(LanguageFunnel row, TextWriter output)
    {
        string reasons = string.Join(", ", row.Dropped.Select(reason => FormattableString.Invariant($"{reason.Key} {reason.Value}")));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{row.Language,-8} {row.Read,8} {row.Dropped.Values.Sum(),8} {row.HeldOut,9} {row.Train,8} {row.TrainBytes / 1e6,9:0.000}  {reasons}").TrimEnd());
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
