using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>The engine with a stopwatch: every dialect passes here, so that none has to measure.</summary>
internal sealed class MeteredEngine(IInferenceEngine engine, ModelMetrics metrics, TimeProvider time) : IInferenceEngine
{
    public ModelInfo Info => engine.Info;

    public EngineStatus Status => engine.Status;

    public IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        long arrived = time.GetTimestamp();
        metrics.Choices.Add(request.Choices);
        if (request.MaxTokens is int most) metrics.MaxTokens.Add(most);
        try
        {
            return MeasureAsync(engine.Generate(request, cancellation), request.Choices, arrived, cancellation);
        }
        catch (RequestException)
        {
            metrics.Failed();
            throw;
        }
    }

    public IReadOnlyList<int> Encode(GenerationInput input, bool beginning = true) => engine.Encode(input, beginning);

    public string Decode(IReadOnlyList<int> ids) => engine.Decode(ids);

    public byte[] TokenBytes(int id) => engine.TokenBytes(id);

    public IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default) =>
        engine.Embed(inputs, pooling, normalize, cancellation);

    private async IAsyncEnumerable<GenerationEvent> MeasureAsync(
        IAsyncEnumerable<GenerationEvent> events, int choices, long arrived, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = new long?[choices];
        var finished = new List<GenerationEvent.Finished>(choices);
        bool first = true, failed = false;
        IAsyncEnumerator<GenerationEvent> source = events.GetAsyncEnumerator(cancellation);
        try
        {
            while (true)
            {
                try
                {
                    if (!await source.MoveNextAsync().ConfigureAwait(false)) break;
                }
                catch (Exception problem) when (problem is not OperationCanceledException)
                {
                    failed = true;
                    throw;
                }
                if (source.Current is GenerationEvent.Token token)
                {
                    long now = time.GetTimestamp();
                    metrics.Generated();
                    if (first) metrics.FirstToken.Add(time.GetElapsedTime(arrived, now).TotalSeconds);
                    else if (last[token.Choice] is long before) metrics.BetweenTokens.Add(time.GetElapsedTime(before, now).TotalSeconds);
                    (first, last[token.Choice]) = (false, now);
                }
                if (source.Current is GenerationEvent.Finished end) finished.Add(end);
                yield return source.Current;
            }
        }
        finally
        {
            if (failed) metrics.Failed();
            else if (finished.Count < choices) metrics.Cancelled();
            else metrics.Succeeded(finished, time.GetElapsedTime(arrived).TotalSeconds);
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }
}
