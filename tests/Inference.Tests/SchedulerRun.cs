using System.Threading.Channels;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>A request that arrives at a step of the model.</summary>
internal sealed record Arrival(int Step, string? Tenant, int Prompt, int Answer, int Priority = 0, int Choices = 1);

/// <summary>Runs a scheduler over a model that counts its steps: arrivals happen at given steps, so that a run depends on nothing but its plan.</summary>
internal sealed class SchedulerRun : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<Asked> _asked = [];
    private readonly Queue<Arrival> _plan = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Scheduler _scheduler;
    private readonly HashSet<Asked> _open = [];     // arrived and not begun

    public SchedulerRun(EngineLimits limits, int pages = 4096, IClock? clock = null)
    {
        Model = new FadingModel(_folder.Tokenizer.VocabularySize, contextLength: 512, pages: pages);
        _scheduler = new Scheduler(Model, _folder.Tokenizer, new HashSet<int>(), limits, clock ?? SystemClock.Instance);
        Model.OnBegin = Note;
        Model.OnStep = rows =>
        {
            Note();
            Steps++;
            while (_plan.TryPeek(out var next) && next.Step <= Steps) Ask(_plan.Dequeue());
            AtStep?.Invoke(rows);
        };
    }

    public FadingModel Model { get; }

    public int Steps { get; private set; }

    public EngineStatus Status => _scheduler.Status;

    /// <summary>Everything that was asked, in order.</summary>
    public IReadOnlyList<Asked> All => _asked;

    /// <summary>Requests in the order of their admission.</summary>
    public List<Asked> Admitted { get; } = [];

    /// <summary>Called at every step, after the arrivals, with the rows of each part.</summary>
    public Action<int[]>? AtStep { get; set; }

    /// <summary>Called at every admission, with the requests that still wait.</summary>
    public Action<Asked, IReadOnlyCollection<Asked>>? AtAdmission { get; set; }

    /// <summary>Runs until everything is answered, refused or ended by <see cref="End"/>.</summary>
    public async Task RunAsync(IEnumerable<Arrival> arrivals)
    {
        foreach (var arrival in arrivals.OrderBy(arrival => arrival.Step)) _plan.Enqueue(arrival);
        _scheduler.Use(_ =>
        {
            while (_plan.TryPeek(out var next) && next.Step == 0) Ask(_plan.Dequeue());
            return true;
        });
        for (int seen = 0; seen < _asked.Count || _plan.Count > 0; seen++)
        {
            // Without anything under way there are no steps: time jumps to the next arrival.
            if (seen == _asked.Count) _scheduler.Use(_ => _plan.TryDequeue(out var next) ? Ask(next) : null);
            if (seen < _asked.Count) await _asked[seen].Done.Task.WaitAsync(TestContext.Current.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_asked.Select(asked => asked.Error).FirstOrDefault(error => error is not (null or RequestException or OperationCanceledException)) is { } problem) throw problem;
    }

    /// <summary>Ends everything that is under way.</summary>
    public void End()
    {
        _plan.Clear();
        _end.Cancel();
    }

    /// <summary>Asks now; from inside of a step, or while the model stands still.</summary>
    public Asked Ask(Arrival arrival)
    {
        int[] prompt = [.. Enumerable.Range(0, arrival.Prompt).Select(place => 1 + ((_asked.Count * 31) + place) % 200)];
        var asked = new Asked(arrival, Admitted.Count, _open.Count(other => other.Arrival.Tenant != arrival.Tenant && other.Arrival.Tenant?.StartsWith("light", StringComparison.Ordinal) == true));
        asked.Job = new Job(new ValidatedRequest(prompt, new Sampling(1, Seed: (ulong)_asked.Count), arrival.Answer, [], arrival.Choices, arrival.Priority, null)
        {
            Tenant = arrival.Tenant,
            IgnoreEnd = true,
        }, asked, _end.Token);
        _asked.Add(asked);
        _open.Add(asked);
        try
        {
            _scheduler.Enqueue(asked.Job);
        }
        catch (RequestException refusal)
        {
            asked.TryComplete(refusal);
        }

        return asked;
    }

    public void Dispose()
    {
        _scheduler.Dispose();
        _end.Dispose();
        _folder.Dispose();
    }

    // Who has begun since the last look: one at most, because every beginning is looked at.
    private void Note()
    {
        foreach (var asked in _open.Where(asked => asked.Job!.Begun > 0 || asked.Error is not null).ToArray())
        {
            _open.Remove(asked);
            if (asked.Error is not null) continue;
            asked.Begun = Admitted.Count;
            Admitted.Add(asked);
            AtAdmission?.Invoke(asked, _open);
        }
    }

    /// <summary>A request under way, and what came of it.</summary>
    internal sealed class Asked(Arrival arrival, int admittedBefore, int lightWaiting) : ChannelWriter<GenerationEvent>
    {
        public Arrival Arrival { get; } = arrival;

        /// <summary>Admissions of others before this arrived.</summary>
        public int AdmittedBefore { get; } = admittedBefore;

        /// <summary>Other light tenants that waited when this arrived.</summary>
        public int LightWaiting { get; } = lightWaiting;

        public Job? Job { get; set; }

        /// <summary>Its number among the admissions; null while it waits.</summary>
        public int? Begun { get; set; }

        public int Tokens { get; private set; }

        public Exception? Error { get; private set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override bool TryWrite(GenerationEvent item)
        {
            if (item is GenerationEvent.Token) Tokens++;
            return true;
        }

        public override bool TryComplete(Exception? error = null)
        {
            Error = error;
            return error is null ? Done.TrySetResult() : Done.TrySetException(error);
        }

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(true);
    }
}
