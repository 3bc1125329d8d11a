using System.Collections.Concurrent;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>A real engine that tells what it was asked.</summary>
internal sealed class RecordingEngine(IInferenceEngine engine) : IInferenceEngine
{
    public ConcurrentQueue<GenerationInput> Inputs { get; } = new();

    public ModelInfo Info => engine.Info;

    public EngineStatus Status => engine.Status;

    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        Inputs.Enqueue(request.Input);
        return engine.Generate(request, cancellation);
    }

    public IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true)
    {
        Inputs.Enqueue(input);
        return engine.Encode(input, beginning);
    }

    public string Decode(IReadOnlyList<int> ids) => engine.Decode(ids);

    public byte[] TokenBytes(int id) => engine.TokenBytes(id);

    public IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        foreach (GenerationInput input in inputs) Inputs.Enqueue(input);
        return engine.Embed(inputs, pooling, normalize, cancellation);
    }
}
