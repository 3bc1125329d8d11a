namespace OpenEuroLLM.Inference;

/// <summary>What a catalogue knows of one model; guarded by the catalogue's lock.</summary>
internal sealed class ModelSlot(ModelPlan plan)
{
    private long _promptTokens, _cachedTokens;  // of engines that are gone
    private StepSizes? _steps;

    public ModelPlan Plan { get; } = plan;

    public string Name => Plan.Model.Name;

    /// <summary>The loaded engine; null otherwise.</summary>
    public InferenceEngine? Engine { get; set; }

    /// <summary>The loading under way; null otherwise.</summary>
    public Task<InferenceEngine>? Loading { get; set; }

    /// <summary>Requests that use it or wait for it.</summary>
    public int Leases { get; set; }

    /// <summary>Reading of the clock when it was used last.</summary>
    public long LastUsed { get; set; }

    /// <summary>Reading of the clock when loading failed last; null when the last attempt succeeded.</summary>
    public long? FailedAt { get; set; }

    /// <summary>Whether its memory is counted as taken.</summary>
    public bool TakesMemory => Engine is not null || Loading is not null;

    /// <summary>Whether it may be unloaded.</summary>
    public bool IsIdle => Engine is not null && Leases == 0;

    public ModelStatus Status => new(Name, State, Plan.ContextLength, Plan.Bytes, EngineStatus);

    /// <summary>Takes the engine out, to be closed by the caller; its counts stay.</summary>
    public InferenceEngine TakeEngine()
    {
        var engine = Engine!;
        var status = engine.Status;
        (_promptTokens, _cachedTokens) = (_promptTokens + status.PromptTokens, _cachedTokens + status.CachedTokens);
        _steps = StepSizes.Sum(_steps, status.Steps);
        Engine = null;
        return engine;
    }

    private ModelState State => Engine is not null ? ModelState.Loaded : Loading is not null ? ModelState.Loading : FailedAt is not null ? ModelState.Failed : ModelState.Unloaded;

    private EngineStatus EngineStatus
    {
        get
        {
            var now = Engine?.Status ?? new EngineStatus(0, 0, 0, 0);
            return now with { PromptTokens = now.PromptTokens + _promptTokens, CachedTokens = now.CachedTokens + _cachedTokens, Steps = StepSizes.Sum(_steps, now.Steps) };
        }
    }
}
