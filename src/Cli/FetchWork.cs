using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary>What a fetch did.</summary>
internal sealed record FetchResult(HubName Name, string Commit, string Path, IReadOnlyList<(FetchFile File, bool Fetched)> Files, IReadOnlyList<(string Name, string Reason)> Skipped, long FetchedBytes, double Seconds);

/// <summary>Brings the files of a repository to this machine: asks what there is, checks the room, fetches what is missing, checks every hash, and shows the files together.</summary>
internal sealed class FetchWork(FetchHub hub, FetchStore store, HubName name, FetchPatience patience, StatusLine status)
{
    // Attempts in a row that bring nothing; as long as bytes come, a fetch goes on.
    private const int MostAttempts = 6;
    private const int MostInterruptions = 1000;

    // Where nothing has answered yet the address is wrong more often than the network slow.
    private const int MostAttemptsUnanswered = 2;
    private static readonly TimeSpan _longestWait = TimeSpan.FromMinutes(5);

    private readonly SystemClock clock = SystemClock.Instance;
    private long start;
    private long arrived;
    private long expected;
    private bool answered;

    public async Task<FetchResult> RunAsync(IReadOnlyList<string> patterns, CancellationToken cancellation)
    {
        start = clock.Timestamp;
        var (commit, names) = await AgainAsync(() => hub.ListAsync(cancellation), cancellation).ConfigureAwait(false);
        answered = true;
        var selection = FetchSelection.Of(name.Repository, names, patterns);
        foreach (var (skipped, reason) in selection.Skipped) status.Say($"fetch       {skipped} is left: {reason}");
        var files = new List<FetchFile>();
        foreach (string file in selection.Files) files.Add(await AgainAsync(() => hub.DescribeAsync(commit, file, cancellation), cancellation).ConfigureAwait(false));
        store.Prepare(files);
        var missing = files.Where(file => !store.Has(file, cancellation)).DistinctBy(file => store is FetchCacheStore ? file.Hash : file.Name).ToList();
        expected = missing.Sum(file => file.Bytes - store.Begun(file));
        RequireRoom();
        foreach (var file in missing) await FetchAsync(commit, file, cancellation).ConfigureAwait(false);
        string folder = store.Finish(name, commit, files);
        return new(name, commit, folder, [.. files.Select(file => (file, missing.Contains(file)))], selection.Skipped, arrived, clock.SecondsSince(start));
    }

    private async Task FetchAsync(string commit, FetchFile file, CancellationToken cancellation)
    {
        using var right = await LockAsync(file, cancellation).ConfigureAwait(false);
        if (store.Has(file, cancellation)) return; // another process was faster
        using (var blob = new FetchBlob(file, store.Incomplete(file), store.Begun(file), bytes => Arrived(file, bytes), cancellation))
        {
            await FillAsync(commit, file, blob, cancellation).ConfigureAwait(false);
            if (!blob.IsWhole())
            {
                bool resumed = blob.Resumed;
                blob.Begin(0);
                // What an earlier run left may be the fault: once more, from the beginning.
                if (resumed) await FillAsync(commit, file, blob, cancellation).ConfigureAwait(false);
                if (!resumed || !blob.IsWhole())
                {
                    blob.Begin(0);
                    throw new UserErrorException($"{name}: {file.Name}: the content does not have the hash {file.Hash} that the server names; nothing of it was kept. Try again, or use another HF_ENDPOINT.");
                }
            }
        }
        store.Keep(file);
        status.Say(FormattableString.Invariant($"fetch       {file.Name}, {AvailableMemory.Size(file.Bytes)}"));
    }

    private async Task FillAsync(string commit, FetchFile file, FetchBlob blob, CancellationToken cancellation)
    {
        long before = -1;
        int attempt = 0;
        for (int interruptions = 0; blob.Length < file.Bytes; interruptions++)
        {
            attempt = blob.Length > before ? 0 : attempt + 1;
            before = blob.Length;
            try
            {
                await hub.ReadAsync(commit, file, blob.Length, blob, cancellation).ConfigureAwait(false);
            }
            catch (FetchInterruption interruption)
            {
                if (interruptions >= MostInterruptions) throw Ended(interruption);
                await WaitAsync(interruption, attempt, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> AgainAsync<T>(Func<Task<T>> request, CancellationToken cancellation)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await request().ConfigureAwait(false);
            }
            catch (FetchInterruption interruption)
            {
                await WaitAsync(interruption, attempt, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitAsync(FetchInterruption interruption, int attempt, CancellationToken cancellation)
    {
        var wait = interruption.After ?? TimeSpan.FromSeconds(1 << Math.Min(attempt, 5));
        if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
        if (attempt + 1 >= (interruption.IsUnreachable && !answered ? MostAttemptsUnanswered : MostAttempts) || wait > _longestWait) throw Ended(interruption);
        status.Say(FormattableString.Invariant($"fetch       {interruption.Message}; again in {wait.TotalSeconds:0} s"));
        await patience.Wait(wait, cancellation).ConfigureAwait(false);
    }

    private UserErrorException Ended(FetchInterruption interruption) => new(
        $"{name}: {interruption.Message}{(interruption.After > _longestWait ? FormattableString.Invariant($" and asks to come back in {interruption.After.Value.TotalSeconds:0} s") : "")}; " +
        "what has arrived is kept, the same command goes on there. Check the network and HF_ENDPOINT.", interruption);

    private async Task<FileStream> LockAsync(FetchFile file, CancellationToken cancellation)
    {
        for (bool told = false; ; told = true)
        {
            if (store.TryLock(file) is { } right) return right;
            if (!told) status.Say($"fetch       another process is fetching {file.Name}; waiting for it");
            await patience.Wait(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
        }
    }

    private void Arrived(FetchFile file, long bytes)
    {
        arrived = Math.Max(0, arrived + bytes);
        double seconds = clock.SecondsSince(start), rate = arrived / Math.Max(seconds, 1e-3);
        status.Update(FormattableString.Invariant($"fetch       {file.Name}: {arrived / 1e6:0} of {expected / 1e6:0} MB, {rate / 1e6:0.0} MB/s, {StatusLine.Time(Math.Max(0, expected - arrived) / Math.Max(rate, 1))} left"));
    }

    private void RequireRoom()
    {
        long free;
        try
        {
            free = new DriveInfo(Path.GetFullPath(store.Root)).AvailableFreeSpace;
        }
        catch (Exception exception) when (StorageFailure.Is(exception) || exception is ArgumentException)
        {
            return; // a disk that does not say what it has
        }
        if (expected > free)
            throw new UserErrorException($"{name}: {AvailableMemory.Size(expected)} are to be fetched, the disk of {store.Root} has {AvailableMemory.Size(free)} free; free some space, or choose another place with --out or HF_HUB_CACHE.");
    }
}
