using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The engine of a server that can be stopped: answers that have not come to their end in time are ended with an error that says so.</summary>
internal sealed class DrainingEngine(IInferenceEngine engine, Drain drain) : IInferenceEngine
{
    public ModelInfo Info => engine.Info;

    public EngineStatus Status => engine.Status;

    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, drain.Over);
        try
        {
            return UntilOverAsync(engine.Generate(request, either.Token), either, cancellation);
        }
        catch
        {
            either.Dispose();
            throw;
        }
    }

    public IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true) => engine.Encode(input, beginning);

    public string Decode(IReadOnlyList<int> ids) => engine.Decode(ids);

    public byte[] TokenBytes(int id) => engine.TokenBytes(id);

    public IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, drain.Over);
        try
        {
            return engine.Embed(inputs, pooling, normalize, either.Token);
        }
        catch (OperationCanceledException) when (drain.Over.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw Drain.Stopping();
        }
    }

    private async IAsyncEnumerable<GenerationEvent> UntilOverAsync(
        IAsyncEnumerable<GenerationEvent> events, CancellationTokenSource either, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using (either)
        {
            IAsyncEnumerator<GenerationEvent> source = events.GetAsyncEnumerator(either.Token);
            await using (source.ConfigureAwait(false))
            {
                while (true)
                {
                    try
                    {
                        if (!await source.MoveNextAsync().ConfigureAwait(false)) yield break;
                    }
                    catch (OperationCanceledException) when (drain.Over.IsCancellationRequested && !cancellation.IsCancellationRequested)
                    {
                        throw Drain.Stopping();
                    }
                    yield return source.Current;
                }
            }
        }
    }
}
