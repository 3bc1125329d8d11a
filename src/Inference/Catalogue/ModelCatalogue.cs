using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>Several models under their names, of which as many are in memory as a budget allows.</summary>
/// <remarks>A model is loaded when it is used first, by a thread of its own; whoever asks meanwhile waits for the same loading. Where room is needed, the models
/// that nobody uses go, longest-unused first; one in use is never unloaded, so that a request may find no room: it is refused and told when to try again. Memory is
/// counted before anything is loaded, and loading and unloading happen one at a time, so that what is counted is never exceeded between them.</remarks>
public sealed class ModelCatalogue : IModelCatalogue, IAsyncDisposable
{
    // A model that cannot be loaded is not tried again at every request.
    private const int SecondsAfterFailure = 30;
    private const int LongestRetrySeconds = 600;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1, 1);   // of loading and unloading
    private readonly ModelSlot[] _slots;
    private readonly Func<ModelPlan, InferenceEngine> _load;
    private readonly Func<long> _available;
    private readonly Action<string>? _report;
    private readonly IClock _clock;
    private readonly double? _idleSeconds;
    private readonly Timer? _timer;
    private bool _closed;

    /// <param name="plans">The models.</param>
    /// <param name="memoryBytes">What they may take together.</param>
    /// <param name="load">Loads one.</param>
    /// <param name="idleUnload">When an unused one goes; null for never.</param>
    /// <param name="report">Gets a line for each loading and unloading.</param>
    /// <param name="clock">Tells how long a model was not used.</param>
    /// <param name="available">Bytes that the machine has free.</param>
    internal ModelCatalogue(IReadOnlyList<ModelPlan> plans, long memoryBytes, Func<ModelPlan, InferenceEngine> load, TimeSpan? idleUnload = null,
        Action<string>? report = null, IClock? clock = null, Func<long>? available = null)
    {
        _slots = [.. plans.Select(plan => new ModelSlot(plan))];
        (MemoryBytes, _load, _report, _clock, _available) = (memoryBytes, load, report, clock ?? SystemClock.Instance, available ?? AvailableMemory.Bytes);
        if (idleUnload is not { } idle) return;
        _idleSeconds = idle.TotalSeconds;
        var period = TimeSpan.FromSeconds(Math.Clamp(idle.TotalSeconds / 4, 0.05, 30));
        _timer = new Timer(_ => UnloadIdle(), null, period, period);
    }

    /// <summary>Reads what the models need; loads none of them.</summary>
    /// <param name="models">At least one; their names differ.</param>
    /// <param name="options">Memory and threads; null for the defaults.</param>
    /// <param name="report">Gets a line for each loading and unloading, for the log: it may hold paths.</param>
    /// <exception cref="UserErrorException">Two have the same name, one is no model, or one does not fit into the memory by itself.</exception>
    public static ModelCatalogue Open(IReadOnlyList<OfferedModel> models, CatalogueOptions? options = null, Action<string>? report = null)
    {
        options ??= new CatalogueOptions();
        ArgumentOutOfRangeException.ThrowIfZero(models.Count);
        if (models.GroupBy(model => model.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserErrorException($"{string.Join(" and ", twice.Select(model => model.Path))} are both called '{twice.Key}'; give one another name: PATH=NAME.");
        var limits = options.Limits ?? new EngineLimits();
        long budget = options.MemoryBytes ?? AvailableMemory.Bytes() / 10 * 9;
        return new ModelCatalogue(ModelPlan.Of(models, limits, budget), budget,
            plan => InferenceEngine.Load(plan.Model.Path, options.Threads, limits with { CacheTokens = plan.CacheTokens }, options.RequestLimits, plan.Model.Adapters, plan.Model.Name),
            options.IdleUnload, report);
    }

    /// <summary>Bytes that all loaded models may take together.</summary>
    public long MemoryBytes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ModelStatus> Models
    {
        get
        {
            lock (_gate) return [.. _slots.Select(slot => slot.Status)];
        }
    }

    /// <inheritdoc/>
    public async Task<ModelLease> UseAsync(string name, CancellationToken cancellation = default)
    {
        try
        {
            return await LoadAsync(name, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is not (RequestException or OperationCanceledException or ObjectDisposedException))
        {
            throw Failed(name, SecondsAfterFailure, cause);
        }
    }

    /// <summary>As <see cref="UseAsync"/>, but what goes wrong while loading is thrown as it is, with paths: for whoever starts the program.</summary>
    /// <exception cref="UserErrorException">The model is damaged, or does not fit into memory.</exception>
    /// <exception cref="RequestException">There is no such model, or no room for it.</exception>
    public async Task<ModelLease> LoadAsync(string name, CancellationToken cancellation = default)
    {
        ModelSlot slot;
        Task<InferenceEngine> loading;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            slot = Find(name) ?? throw UnknownModel.Error(name, _slots.Select(each => each.Name));
            if (slot.Engine is { } ready)
            {
                slot.Leases++;
                return new ModelLease(ready, () => Release(slot, used: true));
            }

            loading = slot.Loading ?? BeginLoading(slot);
            slot.Leases++; // from now on, so that nobody takes the model away between its loading and its use
        }

        try
        {
            return new ModelLease(await loading.WaitAsync(cancellation).ConfigureAwait(false), () => Release(slot, used: true));
        }
        catch
        {
            Release(slot, used: false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ModelLease? TryUse(string name)
    {
        lock (_gate)
        {
            if (_closed || Find(name) is not { Engine: { } ready } slot) return null;
            slot.Leases++;
            return new ModelLease(ready, () => Release(slot, used: false));
        }
    }

    /// <summary>Unloads what nobody has used for long enough.</summary>
    internal void UnloadIdle()
    {
        if (_idleSeconds is not { } seconds || !_turn.Wait(0)) return; // the next tick sees to it
        try
        {
            var gone = new List<(string, InferenceEngine)>();
            lock (_gate)
            {
                foreach (var slot in _slots)
                    if (!_closed && slot.IsIdle && _clock.SecondsSince(slot.LastUsed) >= seconds) gone.Add((slot.Name, slot.TakeEngine()));
            }

            Close(gone, "nobody used it");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends what is under way and frees all models.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<InferenceEngine>[] loading;
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            loading = [.. _slots.Select(slot => slot.Loading).OfType<Task<InferenceEngine>>()];
        }

        if (_timer is not null) await _timer.DisposeAsync().ConfigureAwait(false);
        foreach (Task each in loading) await each.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _turn.WaitAsync().ConfigureAwait(false);
        List<InferenceEngine> left;
        lock (_gate) left = [.. _slots.Where(slot => slot.Engine is not null).Select(slot => slot.TakeEngine())];
        foreach (var engine in left) engine.Dispose();
        _turn.Dispose();
    }

    // Makes room, or refuses; what has to go is unloaded by the loading itself.
    private Task<InferenceEngine> BeginLoading(ModelSlot slot)
    {
        if (slot.FailedAt is { } failed && SecondsAfterFailure - _clock.SecondsSince(failed) is > 0 and var left) throw Failed(slot.Name, (int)Math.Ceiling(left), null);
        var leaving = new List<ModelSlot>();
        long taken = _slots.Where(other => other.TakesMemory).Sum(other => other.Plan.Bytes);
        foreach (var idle in _slots.Where(other => other.IsIdle).OrderBy(other => other.LastUsed))
        {
            if (taken + slot.Plan.Bytes <= MemoryBytes) break;
            leaving.Add(idle);
            taken -= idle.Plan.Bytes;
        }

        if (taken + slot.Plan.Bytes > MemoryBytes) throw NoRoom(slot);
        List<(string, InferenceEngine)> gone = [.. leaving.Select(idle => (idle.Name, idle.TakeEngine()))];
        return slot.Loading = Task.Factory.StartNew(() => Load(slot, gone), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private InferenceEngine Load(ModelSlot slot, List<(string, InferenceEngine)> leaving)
    {
        _turn.Wait();
        try
        {
            Close(leaving, $"'{slot.Name}' needs the room");
            lock (_gate) ObjectDisposedException.ThrowIf(_closed, this);
            long free = _available();
            if (free < slot.Plan.Bytes)
                throw new RequestException("model", FormattableString.Invariant(
                    $"The model '{slot.Name}' needs about {AvailableMemory.Size(slot.Plan.Bytes)} of memory, and the machine has {AvailableMemory.Size(free)} at this moment; try again later."),
                    RequestErrorCode.ModelUnavailable)
                { RetryAfterSeconds = SecondsAfterFailure };
            long began = _clock.Timestamp;
            var engine = _load(slot.Plan);
            lock (_gate) (slot.Engine, slot.Loading, slot.FailedAt, slot.LastUsed) = (engine, null, null, _clock.Timestamp);
            _report?.Invoke(FormattableString.Invariant($"{slot.Name}: loaded in {_clock.SecondsSince(began):0.0} s, takes about {AvailableMemory.Size(slot.Plan.Bytes)}"));
            foreach (string note in engine.Notes) _report?.Invoke($"{slot.Name}: {note}");
            return engine;
        }
        catch (Exception cause)
        {
            lock (_gate)
            {
                slot.Loading = null;
                if (cause is not (RequestException or ObjectDisposedException)) slot.FailedAt = _clock.Timestamp;
            }

            _report?.Invoke($"{slot.Name}: could not be loaded: {(cause is UserErrorException or RequestException ? cause.Message : cause.ToString())}");
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Close(List<(string Name, InferenceEngine Engine)> gone, string why)
    {
        foreach (var (name, engine) in gone)
        {
            engine.Dispose();
            _report?.Invoke($"{name}: unloaded, {why}");
        }
    }

    private void Release(ModelSlot slot, bool used)
    {
        lock (_gate)
        {
            slot.Leases--;
            if (used) slot.LastUsed = _clock.Timestamp;
        }
    }

    private ModelSlot? Find(string name) => Array.Find(_slots, slot => string.Equals(slot.Name, name, StringComparison.Ordinal));

    private static RequestException Failed(string name, int retryAfterSeconds, Exception? cause) =>
        new("model", $"The model '{name}' could not be loaded; the server's log says why.", RequestErrorCode.ModelFailed, cause) { RetryAfterSeconds = retryAfterSeconds };

    private RequestException NoRoom(ModelSlot slot)
    {
        // The first of the models in use that may be done is the one whose room this model may get.
        double seconds = _slots.Where(other => other.Engine is not null && other.Leases > 0).Select(other => other.Engine!.Status.QueueSeconds).DefaultIfEmpty(1).Min();
        return new RequestException("model", FormattableString.Invariant(
            $"The model '{slot.Name}' needs about {AvailableMemory.Size(slot.Plan.Bytes)} of memory, and models in use leave no room for it at this moment; try again later."),
            RequestErrorCode.ModelUnavailable)
        { RetryAfterSeconds = Math.Clamp((int)Math.Ceiling(seconds), 1, LongestRetrySeconds) };
    }
}
