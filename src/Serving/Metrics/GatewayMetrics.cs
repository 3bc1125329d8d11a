using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>What the server has done since it started, for Prometheus. Names that dashboards of vLLM know stand only where the value means the same.</summary>
internal sealed class GatewayMetrics(IInferenceEngine engine, TimeProvider time)
{
    private readonly long started = time.GetTimestamp();
    private readonly ConcurrentDictionary<string, long> successes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, long> responses = new();
    private long promptTokens, generationTokens, cachedTokens, cancelled, failed;

    public Histogram FirstToken { get; } = new(Histogram.Seconds);

    public Histogram BetweenTokens { get; } = new(Histogram.Seconds);

    public Histogram WholeRequest { get; } = new(Histogram.Seconds);

    public Histogram PromptTokens { get; } = new(Histogram.Tokens(engine.Info.ContextLength));

    public Histogram GenerationTokens { get; } = new(Histogram.Tokens(engine.Info.ContextLength));

    public Histogram Choices { get; } = new([1, 2, 5, 10, 20]);

    public Histogram MaxTokens { get; } = new(Histogram.Tokens(engine.Info.ContextLength));

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

    /// <summary>Counts every response by its status, when its first byte goes out.</summary>
    public void Count(IApplicationBuilder application) => application.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            responses.AddOrUpdate(context.Response.StatusCode, 1, (_, count) => count + 1);
            return Task.CompletedTask;
        });
        return next(context);
    });

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", (RequestDelegate)(context =>
    {
        context.Response.ContentType = MetricsText.ContentType;
        return context.Response.WriteAsync(Write(), context.RequestAborted);
    }));

    /// <summary>All values as they are now.</summary>
    public string Write()
    {
        var text = new MetricsText();
        EngineStatus status = engine.Status;
        string labels = $"{MetricsText.Label("model_name", engine.Info.Name)},engine=\"0\"";
        text.Gauge("vllm:num_requests_running", "Answers being generated.", labels, status.Running);
        text.Gauge("vllm:num_requests_waiting", "Answers that wait for a place.", labels, status.Waiting);
        text.Gauge("vllm:kv_cache_usage_perc", "Share of the key/value cache that answers hold, 0 to 1.", labels,
            status.TotalPages == 0 ? 0 : 1 - ((double)status.FreePages / status.TotalPages));
        text.Counter("vllm:prompt_tokens_total", "Tokens of the prompts of answered requests.", labels, Interlocked.Read(ref promptTokens));
        text.Counter("vllm:generation_tokens_total", "Tokens generated.", labels, Interlocked.Read(ref generationTokens));
        text.Counter("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked for in the cache.", labels, status.PromptTokens);
        text.Counter("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the cache.", labels, status.CachedTokens);
        text.Counter("vllm:request_success_total", "Answers that were completed, by what ended them.",
            ((string[])["stop", "length"]).Select(reason => ($"{labels},finished_reason=\"{reason}\"", (double)successes.GetValueOrDefault(reason))));
        text.Histogram("vllm:time_to_first_token_seconds", "From the arrival of a request to its first token.", labels, FirstToken);
        text.Histogram("vllm:inter_token_latency_seconds", "Between two tokens of an answer.", labels, BetweenTokens);
        text.Histogram("vllm:e2e_request_latency_seconds", "From the arrival of a request to the end of its last answer.", labels, WholeRequest);
        text.Histogram("vllm:request_prompt_tokens", "Tokens of the prompt of an answered request.", labels, PromptTokens);
        text.Histogram("vllm:request_generation_tokens", "Tokens of a completed answer.", labels, GenerationTokens);
        text.Histogram("vllm:request_params_n", "Answers asked for in a request.", labels, Choices);
        text.Histogram("vllm:request_params_max_tokens", "Most tokens asked for in a request that says so.", labels, MaxTokens);
        text.Counter("oellm_prompt_tokens_cached_total", "Tokens of the prompts of answered requests that were in the cache.", labels, Interlocked.Read(ref cachedTokens));
        text.Counter("oellm_requests_cancelled_total", "Requests whose client left.", labels, Interlocked.Read(ref cancelled));
        text.Counter("oellm_requests_failed_total", "Requests that the engine refused or failed to answer.", labels, Interlocked.Read(ref failed));
        text.Counter("oellm_http_responses_total", "Responses by status.", responses.OrderBy(entry => entry.Key)
            .Select(entry => (MetricsText.Label("status", entry.Key.ToString(CultureInfo.InvariantCulture)), (double)entry.Value)));
        GCMemoryInfo heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        text.Gauge("oellm_heap_live_bytes", "Bytes of managed objects that the last full blocking collection left; 0 before one.", labels, heap.HeapSizeBytes - heap.FragmentedBytes);
        text.Gauge("oellm_heap_collection", "Number of that collection among all collections.", labels, heap.Index);
        text.Gauge("oellm_uptime_seconds", "Seconds since the server started.", labels, time.GetElapsedTime(started).TotalSeconds);
        text.Gauge("oellm_build_info", "1, with the version of the server.", MetricsText.Label("version", BuildVersion.Current), 1);
        return text.ToString();
    }
}
