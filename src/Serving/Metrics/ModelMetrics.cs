using System.Collections.Concurrent;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>What one model has done since the server started; goes on over its unloading and loading.</summary>
internal sealed class ModelMetrics(string name, int contextLength)
{
    private readonly ConcurrentDictionary<string, long> successes = new(StringComparer.Ordinal);
    private long promptTokens, generationTokens, cachedTokens, cancelled, failed;

    /// <summary>The labels that tell its values from those of other models.</summary>
    public string Labels { get; } = $"{MetricsText.Label("model_name", name)},engine=\"0\"";

    public Histogram FirstToken { get; } = new(Histogram.Seconds);

    public Histogram BetweenTokens { get; } = new(Histogram.Seconds);

    public Histogram WholeRequest { get; } = new(Histogram.Seconds);

    public Histogram PromptTokens { get; } = new(Histogram.Tokens(contextLength));

    public Histogram GenerationTokens { get; } = new(Histogram.Tokens(contextLength));

    public Histogram Choices { get; } = new([1, 2, 5, 10, 20]);

    public Histogram MaxTokens { get; } = new(Histogram.Tokens(contextLength));

    public long AllPromptTokens => Interlocked.Read(ref promptTokens);

    public long AllGeneratedTokens => Interlocked.Read(ref generationTokens);

    public long AllCachedTokens => Interlocked.Read(ref cachedTokens);

    public long AllCancelled => Interlocked.Read(ref cancelled);

    public long AllFailed => Interlocked.Read(ref failed);

    public long Succeeded(string reason) => successes.GetValueOrDefault(reason);

    public void Generated() => Interlocked.Increment(ref generationTokens);

    /// <summary>Counts a request that ended with an answer; its prompt counts once, whatever the number of choices.</summary>
    public void Succeeded(IReadOnlyCollection<GenerationEvent.Finished> choices, double seconds)
    {
        if (choices.Count == 0) return;
        Usage first = choices.First().Usage;
        Interlocked.Add(ref promptTokens, first.PromptTokens);
        Interlocked.Add(ref cachedTokens, first.CachedTokens);
        PromptTokens.Add(first.PromptTokens);
        WholeRequest.Add(seconds);
        foreach (GenerationEvent.Finished choice in choices)
        {
            GenerationTokens.Add(choice.Usage.CompletionTokens);
            successes.AddOrUpdate(choice.Reason == FinishReason.Length ? "length" : "stop", 1, (_, count) => count + 1);
        }
    }

    public void Cancelled() => Interlocked.Increment(ref cancelled);

    public void Failed() => Interlocked.Increment(ref failed);
}
