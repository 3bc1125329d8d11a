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

    /// <summary>The token ids of an input, as <see cref="Generate"/> would give them to the model; also of inputs longer than the context.</summary>
    /// <param name="input">A conversation, a text, or ids.</param>
    /// <param name="beginning">Whether a text begins a document, with the begin-of-text token in front.</param>
    /// <exception cref="RequestException">The input is malformed or outside the limits.</exception>
    IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true);

    /// <summary>The text of token ids, control tokens left out; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="RequestException">An id is not in the vocabulary.</exception>
    string Decode(IReadOnlyList<int> ids);

    /// <summary>The bytes that a token stands for, of a control token its name; empty for an id of the model without a text.</summary>
    byte[] TokenBytes(int id);

    /// <summary>Turns texts into vectors; see <see cref="InferenceEngine.Embed"/>.</summary>
    /// <exception cref="RequestException">An input is malformed or longer than the context.</exception>
    IReadOnlyList<Embedding> Embed(
        IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default);
}

/// <summary>The loaded model, as far as a client may know it.</summary>
/// <param name="Name">Name of the model folder, or of the GGUF file without its ending.</param>
/// <param name="Identity">What computes <see cref="WeightsSha256"/>.</param>
/// <param name="VocabularySize">Number of token ids.</param>
/// <param name="ContextLength">Most tokens of prompt and answer together.</param>
/// <param name="CanChat">Whether conversations can be rendered: the model comes with a chat template that this version knows.</param>
/// <param name="DefaultSampling">What applies when a request says nothing: the model's <c>generation_config.json</c>.</param>
public sealed record ModelInfo(
    string Name,
    Lazy<string> Identity,
    int VocabularySize,
    int ContextLength,
    bool CanChat,
    Sampling DefaultSampling)
{
    /// <summary>SHA-256 over the values of all weights, in lower-case hex: the identity of the model whatever its storage. Computed when it
    /// is asked for first, which takes seconds for billions of weights.</summary>
    /// <exception cref="ObjectDisposedException">The engine was closed before.</exception>
    public string WeightsSha256 => Identity.Value;

    /// <summary>16 hex digits from a sample of every weight, known at once: differs between models that were trained or stored differently,
    /// and is no proof that two are the same.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>Most tokens of an answer when a request says nothing; null for as many as fit.</summary>
    public int? DefaultMaxTokens { get; init; }

    /// <summary>Numbers of a token's state, and so of an embedding.</summary>
    public int Width { get; init; }

    /// <summary>Most tokens of prompt and answer that fit at once: the context, or the whole key/value cache where that is smaller.</summary>
    public int Capacity { get; init; } = ContextLength;

    /// <summary>What requests are checked against.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>Why conversations cannot be rendered; null when they can.</summary>
    public string? ChatObstacle { get; init; }

    /// <summary>Whether the chat template shows tools to the model.</summary>
    public bool SupportsTools { get; init; }

    /// <summary>Whether the chat template knows reasoning, so that answers may bring <see cref="GenerationEvent.Reasoning"/>.</summary>
    public bool SupportsReasoning { get; init; }
}

/// <summary>What an engine is busy with.</summary>
/// <param name="Running">Answers being generated.</param>
/// <param name="Waiting">Answers that wait for a place.</param>
/// <param name="FreePages">Pages of the key/value cache that no answer holds.</param>
/// <param name="TotalPages">Pages of the key/value cache altogether.</param>
/// <param name="PromptTokens">Tokens of all prompts since the start.</param>
/// <param name="CachedTokens">Those of them that were still in the cache from earlier requests with the same beginning.</param>
/// <param name="PageTokens">Tokens of a page.</param>
public sealed record EngineStatus(int Running, int Waiting, int FreePages, int TotalPages, long PromptTokens = 0, long CachedTokens = 0, int PageTokens = 0)
{
    /// <summary>How many tokens the steps since the start computed; null where nobody counts.</summary>
    public StepSizes? Steps { get; init; }

    /// <summary>Tokens of prompts and answers computed per second in the recent past; 0 while nothing is known.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Seconds until all that waits and runs is expected to be done at that speed; 0 while nothing is known.</summary>
    public double QueueSeconds { get; init; }

    /// <summary>Tenants that the scheduler remembers: those with answers, and those that were served ahead of others who still wait.</summary>
    public int TenantAccounts { get; init; }
}
