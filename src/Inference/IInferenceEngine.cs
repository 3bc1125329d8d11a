namespace OpenEuroLLM.Inference;

/// <summary>What serves a <see cref="GenerationRequest"/>: the scheduler with its model, or a stand-in in a test.</summary>
public interface IInferenceEngine
{
    /// <summary>The model that answers.</summary>
    ModelInfo Info { get; }

    /// <summary>What the engine is busy with at this moment.</summary>
    EngineStatus Status { get; }

    /// <summary>Answers a request. The request is validated at the call, before anything is enumerated.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="cancellation">Ends the generation within one step; the enumeration then throws
    /// <see cref="OperationCanceledException"/>. Leaving the enumeration early has the same effect.</param>
    /// <returns>The events as they happen; one enumeration only.</returns>
    /// <exception cref="RequestException">The request is outside the limits, or (while enumerating) the queue is full or the
    /// deadline has passed.</exception>
    IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default);
}

/// <summary>The loaded model, as far as a client may know it.</summary>
/// <param name="Name">Name of the model folder.</param>
/// <param name="WeightsSha256">SHA-256 of the weights, in lower-case hex.</param>
/// <param name="VocabularySize">Number of token ids.</param>
/// <param name="ContextLength">Most tokens of prompt and answer together.</param>
/// <param name="CanChat">Whether conversations can be rendered: the model comes with a chat template that this version knows.</param>
/// <param name="DefaultSampling">What applies when a request says nothing: the model's <c>generation_config.json</c>.</param>
public sealed record ModelInfo(
    string Name,
    string WeightsSha256,
    int VocabularySize,
    int ContextLength,
    bool CanChat,
    Sampling DefaultSampling)
{
    /// <summary>Whether the chat template shows tools to the model.</summary>
    public bool SupportsTools { get; init; }

    /// <summary>Whether the chat template knows reasoning, so that answers may bring <see cref="GenerationEvent.Reasoning"/>.</summary>
    public bool SupportsReasoning { get; init; }
}

/// <summary>What an engine is busy with.</summary>
/// <param name="Running">Answers being generated.</param>
/// <param name="Waiting">Answers that wait for a place.</param>
/// <param name="FreePages">Pages of the key/value cache that are free.</param>
/// <param name="TotalPages">Pages of the key/value cache altogether.</param>
public sealed record EngineStatus(int Running, int Waiting, int FreePages, int TotalPages);
