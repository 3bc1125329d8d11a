using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>Refusals cost a client nothing, so that anybody could fill the disk with rows: of each kind one is written at once, and those of the
/// following seconds as one row with their number.</summary>
internal sealed class RefusalTally : IAsyncDisposable
{
    /// <summary>For how long refusals of a kind are summed.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Func<AuditEntry, Task> append;
    private readonly ITimer timer;
    private readonly Lock counting = new();
    private readonly Dictionary<(string? Key, string? Route, string? Code, int? Status), Sum> sums = [];

    public RefusalTally(TimeProvider time, Func<AuditEntry, Task> append)
    {
        this.append = append;
        timer = time.CreateTimer(_ => _ = FlushAsync(), null, Window, Window);
    }

    public Task AddAsync(AuditEntry refusal)
    {
        lock (counting)
        {
            var kind = (refusal.KeyId, refusal.Route, refusal.Code, refusal.Status);
            if (sums.TryGetValue(kind, out Sum? sum))
            {
                sum.Last = refusal;
                sum.More++;
                return Task.CompletedTask;
            }
            sums[kind] = new Sum();
        }
        return append(refusal);
    }

    /// <summary>Writes the sums so far. A kind of which nothing came since is forgotten, so that its next one is written at once.</summary>
    public Task FlushAsync()
    {
        var due = new List<AuditEntry>();
        lock (counting)
        {
            foreach (var (kind, sum) in sums.ToArray())
            {
                if (sum.More == 0) sums.Remove(kind);
                else due.Add(sum.Last! with { Requests = sum.More });
                (sum.Last, sum.More) = (null, 0);
            }
        }
        return Task.WhenAll(due.Select(append));
    }

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync().ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
    }

    private sealed class Sum
    {
        public AuditEntry? Last { get; set; }

        public int More { get; set; }
    }
}
