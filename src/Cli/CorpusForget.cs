using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Erasure;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus forget</c>: erases documents from a finished corpus and its token shards, for good.</summary>
internal static class CorpusForget
{
    private const int NotFoundShown = 10;

    public static Command Create()
    {
        var corpus = new Argument<string>("dir") { Description = "The corpus folder." };
        var ids = new Option<string?>("--ids") { Description = "A document a line: its identifier, or its source, a tab, and its identifier.", HelpName = "FILE" };
        var urls = new Option<string?>("--urls") { Description = "An address a line.", HelpName = "FILE" };
        var text = new Option<string?>("--text") { Description = "A text, or a .jsonl file with one in the field 'text' of each line.", HelpName = "FILE" };
        var tokens = new Option<string[]>("--tokens") { Description = "Folders of token shards made of the corpus, beside those that are found.", HelpName = "DIR", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };
        var search = new Option<string[]>("--search") { Description = "Folders in which to look for token shards, tokenizers and models made from the corpus. Default: the folder that it lies in.", HelpName = "DIR", DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true };
        var tombstones = new Option<string?>("--tombstones") { Description = "The list of what must not come in again, for corpus.tombstones of every recipe. Default: tombstones.jsonl beside the corpus.", HelpName = "FILE" };
        var workers = new Option<int?>("--workers", "--threads") { Description = "Workers. Default: all processors. Results do not depend on it.", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("forget", "Erases documents from a corpus and the token shards made of it, keeps them from ever coming in again, and lists what was made from them. Without a request, applies the " +
            "tombstones. The same command ends what was interrupted.\nExample: oellm corpus forget runs/europe/corpus --ids ids.txt") { corpus, ids, urls, text, tokens, search, tombstones, workers, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string folder = parsed.GetValue(corpus)!;
            ErasureReport report = CorpusErasure.Run(
                folder, new ErasureRequest(parsed.GetValue(ids), parsed.GetValue(urls), parsed.GetValue(text)), parsed.GetValue(tombstones), parsed.GetValue(tokens) ?? [], parsed.GetValue(search) ?? [],
                new LocalLauncher(RunCommand.ThreadCount(parsed.GetValue(workers))), cancellation: cancellation);
            if (parsed.GetValue(json)) parsed.InvocationConfiguration.Output.WriteLine(JsonLine.OfValue(writer => ToJson(report).WriteTo(writer)));
            else Print(folder, report, parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Print(string corpus, ErasureReport report, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{corpus}: {report.Documents} documents forgotten, {report.Asked} asked for, {report.NotFound.Count} not found"));
        foreach (string place in report.NotFound.Take(NotFoundShown)) output.WriteLine($"  not found: {place}");
        if (report.NotFound.Count > NotFoundShown) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  and {report.NotFound.Count - NotFoundShown} more; --json names all"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.TombstonesFile}: {report.Tombstones} tombstones; name it as corpus.tombstones in every recipe"));
        if (report.Erased.Count > 0) Table("changed", ["stage", "documents", "tokens", "folder"], [.. report.Erased.Select(folder => (string[])[folder.Stage, Number(folder.Documents), Number(folder.Tokens), folder.Folder])], output);
        if (report.Affected.Count == 0) output.WriteLine("Nothing else that was made from them was found.");
        else Table("made from what is forgotten", ["stage", "manifest", "what to do", "folder"], [.. report.Affected.Select(folder => (string[])[folder.Stage, folder.ManifestSha256[..12], folder.Remedy, folder.Folder])], output);
    }

    private static void Table(string title, string[] header, IReadOnlyList<string[]> rows, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(title);
        foreach (string line in TextTable.Lines([header, .. rows], header.Length)) output.WriteLine(line);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static JsonObject ToJson(ErasureReport report) => new()
    {
        ["asked"] = report.Asked,
        ["documents"] = report.Documents,
        ["notFound"] = new JsonArray([.. report.NotFound.Select(place => (JsonNode?)place)]),
        ["tombstones"] = report.Tombstones,
        ["tombstonesFile"] = report.TombstonesFile,
        ["changed"] = new JsonArray([.. report.Erased.Select(folder => (JsonNode)new JsonObject
        {
            ["folder"] = folder.Folder,
            ["stage"] = folder.Stage,
            ["manifestBefore"] = folder.Before,
            ["manifestAfter"] = folder.After,
            ["documents"] = folder.Documents,
            ["tokens"] = folder.Tokens,
        })]),
        ["affected"] = new JsonArray([.. report.Affected.Select(folder => (JsonNode)new JsonObject
        {
            ["folder"] = folder.Folder,
            ["stage"] = folder.Stage,
            ["manifestSha256"] = folder.ManifestSha256,
            ["remedy"] = folder.Remedy,
        })]),
    };
}
