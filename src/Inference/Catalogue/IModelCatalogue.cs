namespace OpenEuroLLM.Inference;

/// <summary>The models that requests can name, whether they are in memory at the moment or not.</summary>
public interface IModelCatalogue
{
    /// <summary>All models as they are now, always in the same order; the first is the one that is meant where nobody names one.</summary>
    IReadOnlyList<ModelStatus> Models { get; }

    /// <summary>The engine of a model, loaded when it is not; it stays loaded until the lease is given back.</summary>
    /// <param name="name">One of <see cref="Models"/>, letter by letter.</param>
    /// <param name="cancellation">Ends the waiting; the loading goes on for others.</param>
    /// <exception cref="RequestException">There is no such model, it has no room beside those in use, or it cannot be loaded.</exception>
    Task<ModelLease> UseAsync(string name, CancellationToken cancellation = default);

    /// <summary>As <see cref="UseAsync"/> for a model that is loaded at this moment, without counting as a use of it; null for any other.</summary>
    ModelLease? TryUse(string name);
}

/// <summary>Where a model stands.</summary>
public enum ModelState
{
    /// <summary>Not in memory; loaded when a request names it.</summary>
    Unloaded,

    /// <summary>Being loaded.</summary>
    Loading,

    /// <summary>Answers at once.</summary>
    Loaded,

    /// <summary>The last attempt to load it failed; a later request tries again.</summary>
    Failed,
}

/// <summary>One model of a catalogue at one moment.</summary>
/// <param name="Name">What requests call it.</param>
/// <param name="State">Where it stands.</param>
/// <param name="ContextLength">Most tokens of prompt and answer together.</param>
/// <param name="Bytes">Memory that it takes while loaded: weights, key/value cache and the states of a step; 0 where nobody counts.</param>
/// <param name="Engine">What its engine is busy with. Its counts go on over unloading and loading.</param>
public sealed record ModelStatus(string Name, ModelState State, int ContextLength, long Bytes, EngineStatus Engine);

/// <summary>The use of a model, which stays loaded until this is disposed of.</summary>
/// <param name="engine">The model's engine.</param>
/// <param name="release">Called once, at the end.</param>
public sealed class ModelLease(IInferenceEngine engine, Action? release = null) : IDisposable
{
    private Action? _release = release;

    /// <summary>Answers until the lease is given back.</summary>
    public IInferenceEngine Engine { get; } = engine;

    /// <summary>Gives the model back.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
