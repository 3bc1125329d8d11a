using Microsoft.Extensions.AI;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Chat;

/// <summary>A language model in this process: loaded once, answers any number of callers at the same time, opens no connection.</summary>
/// <remarks>Safe for use from any thread. Clients and generators made from it are views: they need not be disposed, and the model ends with this object.</remarks>
public sealed class LocalModel : IDisposable, IAsyncDisposable
{
    private readonly InferenceEngine engine;

    private LocalModel(InferenceEngine engine) => this.engine = engine;

    /// <summary>Loads a model.</summary>
    /// <param name="path">A model folder, or a GGUF file.</param>
    /// <exception cref="Core.UserErrorException">It is no model, is damaged, or does not fit into memory; the message says which and what to do.</exception>
    public static LocalModel Load(string path) => Load(new LocalModelOptions(path));

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="options">Where the model lies, and how it is loaded.</param>
    public static LocalModel Load(LocalModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new LocalModel(InferenceEngine.Load(options.Path, options.Threads, new EngineLimits() with { CacheTokens = options.CacheTokens }));
    }

    /// <summary>The model, as far as a program may want to know it.</summary>
    public ModelInfo Info => engine.Info;

    /// <summary>The model as a chat client.</summary>
    /// <exception cref="InvalidOperationException">It cannot chat: it has no chat template that can be honoured. The message says why.</exception>
    public IChatClient AsChatClient() => engine.Info.CanChat ? new LocalChatClient(engine)
        : throw new InvalidOperationException(engine.ChatObstacle ?? "the model has no chat template");

    /// <summary>The model as a generator of text embeddings.</summary>
    /// <param name="pooling">How the states of a text's tokens become one vector.</param>
    public IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(Pooling pooling = Pooling.Mean) => new LocalEmbeddingGenerator(engine, pooling);

    /// <summary>Ends what is under way and frees the model.</summary>
    public void Dispose() => engine.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => engine.DisposeAsync();
}
