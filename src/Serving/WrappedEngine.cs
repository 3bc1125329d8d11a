using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>An engine that adds something to another: whatever it does not override is the other's.</summary>
internal abstract class WrappedEngine(IInferenceEngine inner) : IInferenceEngine
{
    public ModelInfo Info => Inner.Info;

    public EngineStatus Status => Inner.Status;

    /// <summary>The engine that does the work.</summary>
    protected IInferenceEngine Inner { get; } = inner;

    public abstract IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default);

    public virtual IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true) => Inner.Encode(input, beginning);

    public string Decode(IReadOnlyList<int> ids) => Inner.Decode(ids);

    public byte[] TokenBytes(int id) => Inner.TokenBytes(id);

    public virtual IReadOnlyList<Embedding> Embed(
        IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default) =>
        Inner.Embed(inputs, pooling, normalize, cancellation);
}
