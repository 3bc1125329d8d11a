using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
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
        ICausalModel model, Tokenizer tokenizer, string folder, EngineLimits? limits = null, RequestLimits? requestLimits = null, IClock? clock = null)
    {
        if (tokenizer.VocabularySize != model.VocabularySize)
            throw new UserErrorException($"{folder}: config.json says vocab_size {model.VocabularySize}, the tokenizer has {tokenizer.VocabularySize} " +
                "tokens; expected the same number. Weights and tokenizer do not belong together.");
        requestLimits ??= new RequestLimits();
        var chat = ChatTemplate.Load(folder, tokenizer, clock, out string? chatObstacle);
        Info = new ModelInfo(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), model.WeightsSha256,
            model.VocabularySize, model.ContextLength, chatObstacle is null, GenerationSettings.DefaultSampling(folder, requestLimits))
        {
            SupportsTools = chat?.SupportsTools ?? false,
            SupportsReasoning = chat?.SupportsReasoning ?? false,
        };
        _chat = chat;
        _model = model;
        _tokenizer = tokenizer;
        _validator = new RequestValidator(tokenizer, Info, model.TotalPages * model.PageTokens, chatObstacle, requestLimits) { Chat = chat };
        _scheduler = new Scheduler(model, tokenizer, GenerationSettings.Terminators(folder, tokenizer), limits ?? new EngineLimits(), clock ?? SystemClock.Instance);
        ChatObstacle = chatObstacle;
    }

    /// <summary>Loads a model folder.</summary>
    /// <param name="modelFolder">A folder with <c>config.json</c>, safetensors weights and <c>tokenizer.json</c>.</param>
    /// <param name="threads">Threads that compute; null for one per processor. The number changes no answer.</param>
    /// <param name="limits">How much is done at once; null for the defaults.</param>
    /// <param name="requestLimits">What a request may ask for; null for the defaults.</param>
    /// <exception cref="UserErrorException">The folder is no model, or is damaged.</exception>
    public static InferenceEngine Load(string modelFolder, int? threads = null, EngineLimits? limits = null, RequestLimits? requestLimits = null)
    {
        var tokenizer = Tokenizer.Load(modelFolder);
        var engine = new Engine(threads ?? Environment.ProcessorCount);
        LanguageModel? model = null;
        LanguageModelAdapter? adapter = null;
        try
        {
            ModelMemory.RequireWeights(modelFolder);
            model = LanguageModel.Load(modelFolder, engine);
            adapter = new LanguageModelAdapter(engine, model, ModelMemory.CachePages(model.Config, limits?.CacheTokens, modelFolder));
            return new InferenceEngine(adapter, tokenizer, modelFolder, limits, requestLimits);
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

    /// <inheritdoc/>
    public ModelInfo Info { get; }

    /// <inheritdoc/>
    public EngineStatus Status => _scheduler.Status;

    /// <summary>Why conversations cannot be rendered for this model, or null when they can.</summary>
    public string? ChatObstacle { get; }

    /// <inheritdoc/>
    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default) =>
        Stream(_validator.Validate(request), request.Input is GenerationInput.Messages, cancellation);

    internal Tokenizer Tokenizer => _tokenizer;

    internal T Use<T>(Func<ICausalModel, T> work) => _scheduler.Use(work);

    private async IAsyncEnumerable<GenerationEvent> Stream(
        ValidatedRequest request, bool isChat, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var answers = isChat ? _chat?.Answers(request.Prompt, request.Choices) : null;
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
