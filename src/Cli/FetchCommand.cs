using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm fetch</c>: a model from the hub. The only command that opens a connection to another machine.</summary>
internal static class FetchCommand
{
    private const string OfflineName = "--offline";

    /// <summary>The option <c>--offline</c>, which every command takes.</summary>
    public static Option<bool> Offline() => new(OfflineName) { Description = "Open no connection; only 'fetch' ever would. HF_HUB_OFFLINE=1 means the same.", Recursive = true };

    public static Command Create()
    {
        var model = new Argument<string>("NAME") { Description = "ORGANISATION/NAME, or ORGANISATION/NAME@REVISION." };
        var revision = new Option<string?>("--revision") { Description = "Branch, tag or commit. Default: main.", HelpName = "R" };
        var include = new Option<string[]>("--include") { Description = "Fetch the files that fit, and no others; may be given several times. Default: what a model here is read from.", HelpName = "GLOB", DefaultValueFactory = _ => [] };
        var target = new Option<string?>("--out") { Description = "A folder for the files. Default: Hugging Face's cache (HF_HUB_CACHE, HF_HOME), where --model finds them by NAME.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new ResumableCommand("fetch", "Fetches a model from the hub (HF_ENDPOINT, HF_TOKEN) and checks the hash of every file; goes on where it was interrupted. No other command opens a connection.\n" +
            "Example: oellm fetch utter-project/EuroLLM-1.7B-Instruct") { model, revision, include, target, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            RequireOnline(parsed.GetValue<bool>(OfflineName), Environment.GetEnvironmentVariable);
            var name = Name(parsed.GetValue(model)!, parsed.GetValue(revision));
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var result = await RunAsync(name, parsed.GetValue(include)!, parsed.GetValue(target), Environment.GetEnvironmentVariable, FetchPatience.Usual, status, cancellation).ConfigureAwait(false);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(parsed.GetValue(json) ? Json(result) : Words(result)).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Fetches a model.</summary>
    /// <param name="name">The repository and its revision.</param>
    /// <param name="patterns">Which files; empty for the usual ones.</param>
    /// <param name="folder">Where to, or null for the cache.</param>
    /// <param name="variable">The value of an environment variable, or null.</param>
    /// <param name="patience">How long the hub is waited for.</param>
    /// <param name="status">Told what happens.</param>
    /// <param name="cancellation">Interrupts; what has arrived is kept.</param>
    public static async Task<FetchResult> RunAsync(HubName name, IReadOnlyList<string> patterns, string? folder, Func<string, string?> variable, FetchPatience patience, StatusLine status, CancellationToken cancellation)
    {
        using var hub = new FetchHub(variable("HF_ENDPOINT") is { Length: > 0 } endpoint ? endpoint : "https://huggingface.co", variable("HF_TOKEN"), name, patience);
        FetchStore store = folder is null ? new FetchCacheStore(HubCache.Of(variable), name) : new FetchFolderStore(Path.GetFullPath(folder));
        try
        {
            return await new FetchWork(hub, store, name, patience, status).RunAsync(patterns, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, store.Root);
        }
    }

    /// <summary>Refuses to go on where connections are not wanted.</summary>
    /// <exception cref="UserErrorException">They are not.</exception>
    public static void RequireOnline(bool offline, Func<string, string?> variable)
    {
        if (offline) throw new UserErrorException("--offline: 'fetch' is the one command that opens a connection; leave --offline away to fetch.");
        if (IsOn(variable("HF_HUB_OFFLINE")))
            throw new UserErrorException($"HF_HUB_OFFLINE is {variable("HF_HUB_OFFLINE")}: 'fetch' is the one command that opens a connection; unset the variable to fetch.");
    }

    private static HubName Name(string text, string? revision)
    {
        if (revision is null) return HubName.Parse(text);
        if (text.Contains('@', StringComparison.Ordinal)) throw new UserErrorException($"{text}: the revision is given twice; say either NAME@REVISION or --revision.");
        return HubName.Parse($"{text}@{revision}");
    }

    internal static bool IsOn(string? value) => value?.Trim().ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    private static string Words(FetchResult result)
    {
        int fetched = result.Files.Count(file => file.Fetched);
        return FormattableString.Invariant($"{result.Path}: {result.Name} at {result.Commit[..12]}, {result.Files.Count} files, {AvailableMemory.Size(result.Files.Sum(file => file.File.Bytes))}; ") +
            FormattableString.Invariant($"{fetched} fetched, {result.Files.Count - fetched} there already, all hashes right, in {StatusLine.Time(result.Seconds)}");
    }

    private static string Json(FetchResult result) => JsonLine.Of(writer =>
    {
        writer.WriteString("repository", result.Name.Repository);
        writer.WriteString("revision", result.Name.Revision);
        writer.WriteString("commit", result.Commit);
        writer.WriteString("path", result.Path);
        writer.WriteStartArray("files");
        foreach (var (file, fetched) in result.Files)
        {
            writer.WriteStartObject();
            writer.WriteString("name", file.Name);
            writer.WriteNumber("bytes", file.Bytes);
            writer.WriteString("hash", file.Hash);
            writer.WriteBoolean("fetched", fetched);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("skipped");
        foreach (var (name, reason) in result.Skipped)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("reason", reason);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteNumber("fetchedBytes", result.FetchedBytes);
        writer.WriteNumber("seconds", Math.Round(result.Seconds, 3));
    });
}
