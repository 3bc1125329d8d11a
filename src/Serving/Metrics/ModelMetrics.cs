using System.Collections.Concurrent;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>What one model has done since the server started; goes on over its unloading and loading.</summary>
internal sealed class ModelMetrics
{
    private readonly ConcurrentDictionary<string, long> ends = new(StringComparer.Ordinal);
    private long promptTokens, generationTokens, cachedTokens, cancelled, failed;

    public ModelMetrics(string name, int contextLength)
    {
        double[] tokens = Histogram.Tokens(contextLength);
        Labels = $"{MetricsText.Label("model_name", name)},engine=\"0\"";
        PromptTokens = new Histogram(tokens);
        GenerationTokens = new Histogram(tokens);
        LongestAnswer = new Histogram(tokens);
        MaxTokens = new Histogram(tokens);
    }

    /// <summary>The labels that tell its values from those of other models.</summary>
    public string Labels { get; }

    public Histogram FirstToken { get; } = new(Histogram.Seconds);

    public Histogram BetweenTokens { get; } = new(Histogram.Seconds);

    public Histogram WholeRequest { get; } = new(Histogram.Seconds);

    public Histogram Queue { get; } = new(Histogram.Seconds);

    public Histogram Prefill { get; } = new(Histogram.Seconds);

    public Histogram Decode { get; } = new(Histogram.Seconds);

    public Histogram Inference { get; } = new(Histogram.Seconds);

    public Histogram PerOutputToken { get; } = new(Histogram.Seconds);

    public Histogram PromptTokens { get; }

    public Histogram GenerationTokens { get; }

    public Histogram LongestAnswer { get; }

    public Histogram Choices { get; } = new([1, 2, 5, 10, 20]);

    public Histogram MaxTokens { get; }

    public long PromptTokensTotal => Interlocked.Read(ref promptTokens);

    public long GenerationTokensTotal => Interlocked.Read(ref generationTokens);

    public long CachedTokensTotal => Interlocked.Read(ref cachedTokens);

    public long CancelledTotal => Interlocked.Read(ref cancelled);

    public long FailedTotal => Interlocked.Read(ref failed);

    /// <summary>Ended answers by one of vLLM's reasons: stop, length, abort, error.</summary>
    public long EndsBy(string reason) => ends.GetValueOrDefault(reason);

    public void Generated() => Interlocked.Increment(ref generationTokens);

    /// <summary>Counts a request that ended with an answer; its prompt counts once, whatever the number of choices.</summary>
    public void Succeeded(IReadOnlyCollection<GenerationEvent.Finished> choices, RequestTimes times)
    {
        if (choices.Count == 0) return;
        Usage first = choices.First().Usage;
        Interlocked.Add(ref promptTokens, first.PromptTokens);
        Interlocked.Add(ref cachedTokens, first.CachedTokens);
        PromptTokens.Add(first.PromptTokens);
        WholeRequest.Add(times.Whole);
        LongestAnswer.Add(choices.Max(choice => choice.Usage.CompletionTokens));
        foreach (GenerationEvent.Finished choice in choices)
        {
            GenerationTokens.Add(choice.Usage.CompletionTokens);
            Count(choice.Reason == FinishReason.Length ? "length" : "stop");
        }
        if (times.Queued is double queued) Queue.Add(queued);
        if (times is not { FirstToken: double begun, LastToken: double ended }) return;
        Decode.Add(ended - begun);
        int tokens = choices.Max(choice => choice.Usage.CompletionTokens);
        if (tokens > 1) PerOutputToken.Add((ended - begun) / (tokens - 1));
        if (times.Queued is not double waited) return;
        Prefill.Add(begun - waited);
        Inference.Add(ended - waited);
    }

    public void Cancelled()
    {
        Interlocked.Increment(ref cancelled);
        Count("abort");
    }

    public void Failed()
    {
        Interlocked.Increment(ref failed);
        Count("error");
    }

    private void Count(string reason) => ends.AddOrUpdate(reason, 1, (_, count) => count + 1);
}

/// <summary>Seconds from the arrival of a request at the engine.</summary>
/// <param name="Queued">To its admission; null where the engine did not say.</param>
/// <param name="FirstToken">To its first token.</param>
/// <param name="LastToken">To its last one.</param>
/// <param name="Whole">To its end.</param>
internal readonly record struct RequestTimes(double? Queued, double? FirstToken, double? LastToken, double Whole);
