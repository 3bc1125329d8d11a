using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Adapters;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>A loaded model that answers any number of requests at the same time; an answer does not depend on the others.</summary>
/// <remarks>Safe for use from any thread. All computation happens on one worker (and the engine's own threads).</remarks>
public sealed class InferenceEngine : IInferenceEngine, IAsyncDisposable, IDisposable
{
    private readonly ICausalModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly Scheduler _scheduler;
    private readonly RequestValidator _validator;
    private readonly ChatTemplate? _chat;

    internal InferenceEngine(
        ICausalModel model, Tokenizer tokenizer, string path, EngineLimits? limits = null, RequestLimits? requestLimits = null, IClock? clock = null, string? name = null)
        : this(model, tokenizer, new ModelPlace(path, null), limits, requestLimits, clock, name) { }

    private InferenceEngine(ICausalModel model, Tokenizer tokenizer, ModelPlace place, EngineLimits? limits, RequestLimits? requestLimits, IClock? clock, string? name)
    {
        string path = place.Path;
        if (tokenizer.VocabularySize > model.VocabularySize)
            throw new UserErrorException($"{path}: the model has vocab_size {model.VocabularySize}, the tokenizer has {tokenizer.VocabularySize} tokens; " +
                "expected at most as many. Weights and tokenizer do not belong together.");
        requestLimits ??= new RequestLimits();
        var chat = ChatTemplate.Load(place, tokenizer, clock, out string? chatObstacle);
        var settings = GenerationSettings.Read(place, tokenizer, requestLimits);
        Info = new ModelInfo(name ?? NameOf(path), new Lazy<string>(model.WeightsSha256), model.VocabularySize, model.ContextLength, chatObstacle is null, settings.Sampling)
        {
            Fingerprint = model.Fingerprint(),
            DefaultMaxTokens = settings.MaxTokens,
            Capacity = Math.Min(model.ContextLength, model.TotalPages * model.PageTokens),
            Width = model.Width,
            Limits = requestLimits,
            ChatObstacle = chatObstacle,
            SupportsTools = chat?.SupportsTools ?? false,
            SupportsReasoning = chat?.SupportsReasoning ?? false,
        };
        _chat = chat;
        _model = model;
        _tokenizer = tokenizer;
        _validator = new RequestValidator(tokenizer, Info, Info.Capacity, chatObstacle, requestLimits) { Chat = chat };
        int[] textless = [.. Enumerable.Range(0, model.VocabularySize).Where(id => !tokenizer.Contains(id))];
        _scheduler = new Scheduler(model, tokenizer, settings.Terminators, limits ?? new EngineLimits(), clock ?? SystemClock.Instance, textless);
        ChatObstacle = chatObstacle;
    }

    /// <summary>Loads a model.</summary>
    /// <param name="path">A folder with <c>config.json</c>, safetensors weights and <c>tokenizer.json</c>, or a GGUF file.</param>
    /// <param name="threads">Threads that compute; null for one per processor. The number changes no answer.</param>
    /// <param name="limits">How much is done at once; null for the defaults.</param>
    /// <param name="requestLimits">What a request may ask for; null for the defaults.</param>
    /// <param name="adapters">Adapter folders that are merged into the model.</param>
    /// <param name="name">What the model is called; null for the name of its folder or file.</param>
    /// <exception cref="UserErrorException">It is no model, or is damaged.</exception>
    public static InferenceEngine Load(
        string path, int? threads = null, EngineLimits? limits = null, RequestLimits? requestLimits = null, IReadOnlyList<string>? adapters = null, string? name = null)
    {
        using var source = ModelSource.Open(path, adapters);
        var place = ModelPlace.Of(source);
        var tokenizer = place.ReadTokenizer();
        var engine = new Engine(threads ?? Environment.ProcessorCount);
        LanguageModel? model = null;
        LanguageModelAdapter? adapter = null;
        try
        {
            ModelMemory.RequireWeights(source);
            model = LanguageModel.Load(source, engine);
            adapter = new LanguageModelAdapter(engine, model, ModelMemory.CachePages(model.Config, limits?.CacheTokens, path));
            return new InferenceEngine(adapter, tokenizer, place, limits, requestLimits, clock: null, name) { Notes = (source as AdaptedSource)?.Notes ?? [] };
        }
        catch
        {
            if (adapter is not null)
            {
                adapter.Dispose();
            }
            else
            {
                model?.Dispose();
                engine.Dispose();
            }

            throw;
        }
    }

    /// <summary>The tokenizer that comes with a model.</summary>
    /// <param name="path">A folder, or a GGUF file.</param>
    /// <exception cref="UserErrorException">There is none, or it is damaged.</exception>
    public static Tokenizer ReadTokenizer(string path) => ModelPlace.With(path, place => place.ReadTokenizer());

    /// <inheritdoc/>
    public ModelInfo Info { get; }

    /// <inheritdoc/>
    public EngineStatus Status => _scheduler.Status;

    /// <summary>What a user should know of how the model was loaded: adapters of a model with another name, matrices that they widen.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Why conversations cannot be rendered for this model, or null when they can.</summary>
    public string? ChatObstacle { get; }

    /// <inheritdoc/>
    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default) =>
        Stream(_validator.Validate(request), request.Input is GenerationInput.Messages, cancellation);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true) => _validator.EncodeInput(input, beginning);

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids)
    {
        int[] known = _validator.RequireTokens(ids, "tokens");
        return _tokenizer.Decode([.. known.Where(_tokenizer.Contains)]);
    }

    /// <inheritdoc/>
    public byte[] TokenBytes(int id) => _tokenizer.Contains(id) ? _tokenizer.TokenBytes(id) : [];

    /// <summary>Shows the inputs of all products to an observer, on the worker, until another or null is given; a quantization looks at activations so.</summary>
    public void Observe(IProductObserver? observer) => Use(model =>
    {
        (model as LanguageModelAdapter)?.Observe(observer);
        return true;
    });

    /// <summary>Turns texts into vectors: the model's hidden states behind the final norm, pooled. A vector does not depend on the other inputs.</summary>
    /// <param name="inputs">The texts, each encoded as a prompt would be; conversations are rendered without the opening of an answer.</param>
    /// <param name="pooling">How a vector is made of the states of all tokens.</param>
    /// <param name="normalize">Whether vectors are brought to length 1, so that their products are cosines.</param>
    /// <param name="cancellation">Ends the work between two forward calls.</param>
    /// <returns>One for each input, in order.</returns>
    /// <exception cref="RequestException">An input is malformed or longer than the context: nothing is cut silently.</exception>
    public IReadOnlyList<Embedding> Embed(
        IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return new Embedder(Use, pooling, normalize).Embed(_validator.EncodeInputs(inputs), cancellation);
    }

    internal Tokenizer Tokenizer => _tokenizer;

    internal T Use<T>(Func<ICausalModel, T> work) => _scheduler.Use(work);

    /// <summary>What a model is called when nobody says so.</summary>
    internal static string NameOf(string path)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return ModelPaths.IsGguf(path) ? Path.GetFileNameWithoutExtension(name) : name;
    }

    private async IAsyncEnumerable<GenerationEvent> Stream(
        ValidatedRequest request, bool isChat, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var answers = isChat ? _chat?.Answers(request.Prompt, request.Choices, request.Form) : null;
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var channel = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        _scheduler.Enqueue(new Job(request, channel.Writer, left.Token));
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                if (answers is null) yield return happened;
                else
                    foreach (var told in answers.Read(happened)) yield return told;
            }
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false); // also when the caller stops looking
        }
    }

    /// <summary>Ends what is under way (its callers get <see cref="OperationCanceledException"/>) and frees the model.</summary>
    public void Dispose()
    {
        _scheduler.Dispose();
        _model.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
