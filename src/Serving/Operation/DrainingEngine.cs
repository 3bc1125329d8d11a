using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The engine of a server that can be stopped: answers that have not come to their end in time are ended with an error that says so.</summary>
internal sealed class DrainingEngine(IInferenceEngine engine, Drain drain) : WrappedEngine(engine)
{
    public override IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, drain.Over);
        try
        {
            return UntilOverAsync(Inner.Generate(request, either.Token), either, cancellation);
        }
        catch
        {
            either.Dispose();
            throw;
        }
    }

    public override IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, drain.Over);
        try
        {
            return Inner.Embed(inputs, pooling, normalize, either.Token);
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
