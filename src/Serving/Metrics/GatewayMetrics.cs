using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>What the server has done since it started, for Prometheus. Names that dashboards of vLLM know stand only where the value means the same.</summary>
internal sealed class GatewayMetrics
{
    private readonly long started;
    private readonly ConcurrentDictionary<int, long> responses = new();
    private readonly IModelCatalogue models;
    private readonly TimeProvider time;
    private readonly Dictionary<string, ModelMetrics> byModel;

    public GatewayMetrics(IModelCatalogue models, TimeProvider time)
    {
        (this.models, this.time, started) = (models, time, time.GetTimestamp());
        byModel = models.Models.ToDictionary(model => model.Name, model => new ModelMetrics(model.Name, model.ContextLength), StringComparer.Ordinal);
    }

    /// <summary>The metrics of a model of the catalogue.</summary>
    public ModelMetrics Of(string model) => byModel[model];

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
        var all = models.Models.Select(status => (Status: status, Metrics: byModel[status.Name])).ToArray();
        Gauge("vllm:num_requests_running", "Answers being generated.", model => model.Status.Engine.Running);
        Gauge("vllm:num_requests_waiting", "Answers that wait for a place.", model => model.Status.Engine.Waiting);
        Gauge("vllm:kv_cache_usage_perc", "Share of the key/value cache that answers hold, 0 to 1.",
            model => model.Status.Engine.TotalPages == 0 ? 0 : 1 - ((double)model.Status.Engine.FreePages / model.Status.Engine.TotalPages));
        Counter("vllm:prompt_tokens_total", "Tokens of the prompts of answered requests.", model => model.Metrics.AllPromptTokens);
        Counter("vllm:generation_tokens_total", "Tokens generated.", model => model.Metrics.AllGeneratedTokens);
        Counter("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked for in the cache.", model => model.Status.Engine.PromptTokens);
        Counter("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the cache.", model => model.Status.Engine.CachedTokens);
        text.Counter("vllm:request_success_total", "Answers that were completed, by what ended them.", all.SelectMany(
            model => ((string[])["stop", "length"]).Select(reason => ($"{model.Metrics.Labels},finished_reason=\"{reason}\"", (double)model.Metrics.Succeeded(reason)))));
        Histograms("vllm:time_to_first_token_seconds", "From the arrival of a request to its first token.", metrics => metrics.FirstToken);
        Histograms("vllm:inter_token_latency_seconds", "Between two tokens of an answer.", metrics => metrics.BetweenTokens);
        Histograms("vllm:e2e_request_latency_seconds", "From the arrival of a request to the end of its last answer.", metrics => metrics.WholeRequest);
        Histograms("vllm:request_prompt_tokens", "Tokens of the prompt of an answered request.", metrics => metrics.PromptTokens);
        Histograms("vllm:request_generation_tokens", "Tokens of a completed answer.", metrics => metrics.GenerationTokens);
        Histograms("vllm:request_params_n", "Answers asked for in a request.", metrics => metrics.Choices);
        Histograms("vllm:request_params_max_tokens", "Most tokens asked for in a request that says so.", metrics => metrics.MaxTokens);
        Counter("oellm_prompt_tokens_cached_total", "Tokens of the prompts of answered requests that were in the cache.", model => model.Metrics.AllCachedTokens);
        Counter("oellm_requests_cancelled_total", "Requests whose client left.", model => model.Metrics.AllCancelled);
        Counter("oellm_requests_failed_total", "Requests that the engine refused or failed to answer.", model => model.Metrics.AllFailed);
        Gauge("oellm_model_loaded", "1 while the model is in memory.", model => model.Status.State == ModelState.Loaded ? 1 : 0);
        Gauge("oellm_model_memory_bytes", "Memory that the model takes while it is loaded, as counted before.", model => model.Status.Bytes);
        Gauge("oellm_tokens_per_second", "Tokens of prompts and answers computed per second of the last hundred steps.", model => model.Status.Engine.TokensPerSecond);
        Gauge("oellm_queue_seconds", "Seconds until all that waits and runs is expected to be done.", model => model.Status.Engine.QueueSeconds);
        text.Counter("oellm_http_responses_total", "Responses by status.", responses.OrderBy(entry => entry.Key)
            .Select(entry => (MetricsText.Label("status", entry.Key.ToString(CultureInfo.InvariantCulture)), (double)entry.Value)));
        GCMemoryInfo heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        text.Gauge("oellm_heap_live_bytes", "Bytes of managed objects that the last full blocking collection left; 0 before one.", all[0].Metrics.Labels, heap.HeapSizeBytes - heap.FragmentedBytes);
        text.Gauge("oellm_heap_collection", "Number of that collection among all collections.", all[0].Metrics.Labels, heap.Index);
        text.Gauge("oellm_uptime_seconds", "Seconds since the server started.", all[0].Metrics.Labels, time.GetElapsedTime(started).TotalSeconds);
        text.Gauge("oellm_build_info", "1, with the version of the server.", MetricsText.Label("version", BuildVersion.Current), 1);
        return text.ToString();

        void Gauge(string name, string help, Func<(ModelStatus Status, ModelMetrics Metrics), double> value) =>
            text.Gauge(name, help, all.Select(model => (model.Metrics.Labels, value(model))));

        void Counter(string name, string help, Func<(ModelStatus Status, ModelMetrics Metrics), double> value) =>
            text.Counter(name, help, all.Select(model => (model.Metrics.Labels, value(model))));

        void Histograms(string name, string help, Func<ModelMetrics, Histogram> histogram) =>
            text.Histogram(name, help, all.Select(model => (model.Metrics.Labels, histogram(model.Metrics))));
    }
}
