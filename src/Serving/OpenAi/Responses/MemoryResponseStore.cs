namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>Keeps responses in memory, within the limits: what was not used for the longest time is forgotten first, that of the same owner before that of others.</summary>
internal sealed class MemoryResponseStore(StoredResponseLimits limits, TimeProvider time) : IResponseStore
{
    // Timers take no more than some weeks.
    private const double LongestWait = 24 * 60 * 60 * 1000;

    private readonly TimeSpan age = TimeSpan.FromHours(limits.MaxHours);
    private readonly Lock guard = new();
    private readonly Dictionary<(string Owner, string Id), Entry> entries = [];
    private readonly Dictionary<string, Shelf> shelves = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> byUse = new();
    private ITimer? timer;
    private long bytes;

    /// <summary>How many responses are kept, and their bytes.</summary>
    public (int Count, long Bytes) Kept
    {
        get
        {
            lock (guard) return (entries.Count, bytes);
        }
    }

    public Task AddAsync(StoredResponse response, CancellationToken cancellation)
    {
        lock (guard)
        {
            DateTimeOffset now = ForgetOld();
            string owner = response.Owner ?? "";
            if (!shelves.TryGetValue(owner, out Shelf? shelf)) shelves.Add(owner, shelf = new Shelf());
            var entry = new Entry(response, owner, shelf, now);
            entries.Add((owner, response.Id), entry);
            byUse.AddLast(entry.ByUse);
            shelf.ByUse.AddLast(entry.OnShelf);
            shelf.Bytes += response.Bytes;
            bytes += response.Bytes;
            while (shelf.ByUse.Count > limits.MaxPerKey || shelf.Bytes > limits.MaxBytesPerKey) Forget(shelf.ByUse.First!.Value);
            while (bytes > limits.MaxBytes) Forget(byUse.First!.Value);
            SetTimer(now);
        }
        return Task.CompletedTask;
    }

    public Task<StoredResponse?> FindAsync(string? owner, string id, CancellationToken cancellation)
    {
        lock (guard)
        {
            DateTimeOffset now = ForgetOld();
            if (!entries.TryGetValue((owner ?? "", id), out Entry? entry)) return Task.FromResult<StoredResponse?>(null);
            entry.Used = now;
            byUse.Remove(entry.ByUse);
            byUse.AddLast(entry.ByUse);
            entry.Shelf.ByUse.Remove(entry.OnShelf);
            entry.Shelf.ByUse.AddLast(entry.OnShelf);
            return Task.FromResult<StoredResponse?>(entry.Response);
        }
    }

    public Task<bool> RemoveAsync(string? owner, string id, CancellationToken cancellation)
    {
        lock (guard)
        {
            ForgetOld();
            if (!entries.TryGetValue((owner ?? "", id), out Entry? entry)) return Task.FromResult(false);
            Forget(entry);
            return Task.FromResult(true);
        }
    }

    private DateTimeOffset ForgetOld()
    {
        DateTimeOffset now = time.GetUtcNow();
        while (byUse.First is { } first && first.Value.Used + age <= now) Forget(first.Value);
        return now;
    }

    private void Forget(Entry entry)
    {
        entries.Remove((entry.Owner, entry.Response.Id));
        byUse.Remove(entry.ByUse);
        entry.Shelf.ByUse.Remove(entry.OnShelf);
        entry.Shelf.Bytes -= entry.Response.Bytes;
        bytes -= entry.Response.Bytes;
        if (entry.Shelf.ByUse.Count == 0) shelves.Remove(entry.Owner);
    }

    /// <summary>An idle server forgets in time as well. The timer runs only while something is kept.</summary>
    private void SetTimer(DateTimeOffset now)
    {
        if (byUse.First is not { } first || timer is not null) return;
        timer = time.CreateTimer(_ => Wake(), null, TimeSpan.FromMilliseconds(Math.Min((first.Value.Used + age - now).TotalMilliseconds, LongestWait)), Timeout.InfiniteTimeSpan);
    }

    private void Wake()
    {
        lock (guard)
        {
            timer?.Dispose();
            timer = null;
            SetTimer(ForgetOld());
        }
    }

    /// <summary>What one owner keeps, longest unused first.</summary>
    private sealed class Shelf
    {
        public LinkedList<Entry> ByUse { get; } = new();

        public long Bytes { get; set; }
    }

    private sealed class Entry
    {
        public Entry(StoredResponse response, string owner, Shelf shelf, DateTimeOffset used)
        {
            (Response, Owner, Shelf, Used) = (response, owner, shelf, used);
            ByUse = new LinkedListNode<Entry>(this);
            OnShelf = new LinkedListNode<Entry>(this);
        }

        public StoredResponse Response { get; }

        public string Owner { get; }

        public Shelf Shelf { get; }

        public DateTimeOffset Used { get; set; }

        public LinkedListNode<Entry> ByUse { get; }

        public LinkedListNode<Entry> OnShelf { get; }
    }
}
