using System.Collections.Concurrent;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>A real engine that tells what it was asked.</summary>
internal sealed class RecordingEngine(IInferenceEngine engine) : WrappedEngine(engine)
{
    public ConcurrentQueue<GenerationInput> Inputs { get; } = new();

    public override IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        Inputs.Enqueue(request.Input);
        return Inner.Generate(request, cancellation);
    }

    public override IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true)
    {
        Inputs.Enqueue(input);
        return Inner.Encode(input, beginning);
    }

    public override IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        foreach (GenerationInput input in inputs) Inputs.Enqueue(input);
        return Inner.Embed(inputs, pooling, normalize, cancellation);
    }
}
