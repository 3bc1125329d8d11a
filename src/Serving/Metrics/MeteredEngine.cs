using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>The engine with a stopwatch: every dialect passes here, so that none has to measure.</summary>
internal sealed class MeteredEngine(IInferenceEngine engine, ModelMetrics metrics, TimeProvider time) : WrappedEngine(engine)
{
    public override IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        var watch = new Watch(time);
        metrics.Choices.Add(request.Choices);
        if (request.MaxTokens is int most) metrics.MaxTokens.Add(most);
        try
        {
            return MeasureAsync(Inner.Generate(request with { Admitted = watch.Admit }, cancellation), request.Choices, watch, cancellation);
        }
        catch (RequestException)
        {
            metrics.Failed();
            throw;
        }
    }

    private async IAsyncEnumerable<GenerationEvent> MeasureAsync(
        IAsyncEnumerable<GenerationEvent> events, int choices, Watch watch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = new long?[choices];
        var finished = new List<GenerationEvent.Finished>(choices);
        bool failed = false;
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
                    if (watch.Token(now)) metrics.FirstToken.Add(time.GetElapsedTime(watch.Arrived, now).TotalSeconds);
                    else if (last[token.Choice] is long before) metrics.BetweenTokens.Add(time.GetElapsedTime(before, now).TotalSeconds);
                    last[token.Choice] = now;
                }
                if (source.Current is GenerationEvent.Finished end) finished.Add(end);
                yield return source.Current;
            }
        }
        finally
        {
            if (failed) metrics.Failed();
            else if (finished.Count < choices) metrics.Cancelled();
            else metrics.Succeeded(finished, watch.Read());
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The moments of one request.</summary>
    private sealed class Watch(TimeProvider time)
    {
        private long admitted; // written by the engine's worker; 0 until then
        private long? first, last;

        public long Arrived { get; } = time.GetTimestamp();

        public void Admit() => Interlocked.CompareExchange(ref admitted, time.GetTimestamp(), 0);

        /// <summary>Notes a token; returns whether it was the first.</summary>
        public bool Token(long now)
        {
            bool isFirst = first is null;
            first ??= now;
            last = now;
            return isFirst;
        }

        public RequestTimes Read()
        {
            long begun = Interlocked.Read(ref admitted);
            return new RequestTimes(begun == 0 ? null : Since(begun), Since(first), Since(last), time.GetElapsedTime(Arrived).TotalSeconds);
        }

        private double? Since(long? moment) => moment is long there ? time.GetElapsedTime(Arrived, there).TotalSeconds : null;
    }
}
