using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Operation;

namespace OpenEuroLLM.Serving.Metrics;

/// <summary>What the server has done since it started, for Prometheus. Names that dashboards of vLLM know stand only where the value means the same.</summary>
internal sealed class GatewayMetrics(IModelCatalogue catalogue, TimeProvider time)
{
    private const int MostTenants = 200;
    private const string OtherTenants = "other";

    private readonly long started = time.GetTimestamp();
    private readonly Dictionary<string, ModelMetrics> models =
        catalogue.Models.ToDictionary(model => model.Name, model => new ModelMetrics(model.Name, model.ContextLength), StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, long> responses = new();
    private readonly ConcurrentDictionary<string, long> refusals = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TenantCounts> tenants = new(StringComparer.Ordinal);

    /// <summary>The audit, where there is one.</summary>
    public Auditor? Auditor { get; set; }

    /// <summary>The metrics of a model of the catalogue.</summary>
    public ModelMetrics Of(string model) => models[model];

    /// <summary>Counts a request that has been answered.</summary>
    public void Ended(RequestRecord request)
    {
        if (request.Error is { } error) refusals.AddOrUpdate(error.Code, 1, (_, count) => count + 1); // codes come from a fixed catalogue
        if (request.KeyId is not string key) return;
        // Keys come and go; labels must not grow without end.
        TenantCounts counts = tenants.TryGetValue(key, out TenantCounts? known) ? known
            : tenants.GetOrAdd(tenants.Count < MostTenants ? key : OtherTenants, _ => new TenantCounts());
        counts.Add(request);
    }

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
        (ModelMetrics Metrics, ModelStatus Status)[] all = [.. catalogue.Models.Select(status => (models[status.Name], status))];
        WriteState(text, all);
        WriteCounts(text, all);
        WriteHistograms(text, all);
        WriteServer(text);
        return text.ToString();
    }

    private static void WriteState(MetricsText text, (ModelMetrics Metrics, ModelStatus Status)[] all)
    {
        text.Gauge("vllm:num_requests_running", "Answers being generated.", Each(all, model => model.Status.Engine.Running));
        text.Gauge("vllm:num_requests_waiting", "Answers that wait for a place.", Each(all, model => model.Status.Engine.Waiting));
        text.Gauge("vllm:kv_cache_usage_perc", "Share of the key/value cache that answers hold, 0 to 1.",
            Each(all, model => model.Status.Engine.TotalPages == 0 ? 0 : 1 - ((double)model.Status.Engine.FreePages / model.Status.Engine.TotalPages)));
        text.Gauge("oellm_model_loaded", "1 while the model is in memory.", Each(all, model => model.Status.State == ModelState.Loaded ? 1 : 0));
        text.Gauge("oellm_model_memory_bytes", "Memory that the model takes while it is loaded, as counted before.", Each(all, model => model.Status.Bytes));
        text.Gauge("oellm_tokens_per_second", "Tokens of prompts and answers computed per second of the last hundred steps.", Each(all, model => model.Status.Engine.TokensPerSecond));
        text.Gauge("oellm_queue_seconds", "Seconds until all that waits and runs is expected to be done.", Each(all, model => model.Status.Engine.QueueSeconds));
        text.Gauge("vllm:cache_config_info", "1, with the form of the key/value cache.",
            all.Select(model => ($"{model.Metrics.Labels},num_gpu_blocks=\"{Whole(model.Status.Engine.TotalPages)}\",block_size=\"{Whole(model.Status.Engine.PageTokens)}\",enable_prefix_caching=\"True\"", 1d)));
    }

    private static void WriteCounts(MetricsText text, (ModelMetrics Metrics, ModelStatus Status)[] all)
    {
        text.Counter("vllm:prompt_tokens_total", "Tokens of the prompts of answered requests.", Each(all, model => model.Metrics.PromptTokensTotal));
        text.Counter("vllm:prompt_tokens_cached_total", "Those of them that were in the prefix cache.", Each(all, model => model.Metrics.CachedTokensTotal));
        text.Counter("vllm:generation_tokens_total", "Tokens generated.", Each(all, model => model.Metrics.GenerationTokensTotal));
        text.Counter("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked for in the cache.", Each(all, model => model.Status.Engine.PromptTokens));
        text.Counter("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the cache.", Each(all, model => model.Status.Engine.CachedTokens));
        text.Counter("vllm:num_preemptions_total", "Answers whose place was taken back: none ever is, since they begin when all that they may need is free.", Each(all, _ => 0));
        text.Counter("vllm:request_success_total", "Answers that ended, by what ended them.",
            all.SelectMany(model => ((string[])["stop", "length", "abort", "error"]).Select(reason => ($"{model.Metrics.Labels},finished_reason=\"{reason}\"", (double)model.Metrics.EndsBy(reason)))));
        text.Counter("oellm_requests_cancelled_total", "Requests whose client left.", Each(all, model => model.Metrics.CancelledTotal));
        text.Counter("oellm_requests_failed_total", "Requests that the engine refused or failed to answer.", Each(all, model => model.Metrics.FailedTotal));
    }

    private static void WriteHistograms(MetricsText text, (ModelMetrics Metrics, ModelStatus Status)[] all)
    {
        text.Histogram("vllm:time_to_first_token_seconds", "From the arrival of a request to its first token.", Each(all, metrics => metrics.FirstToken));
        text.Histogram("vllm:inter_token_latency_seconds", "Between two tokens of an answer.", Each(all, metrics => metrics.BetweenTokens));
        text.Histogram("vllm:request_time_per_output_token_seconds", "Between two tokens of an answer, mean of each request.", Each(all, metrics => metrics.PerOutputToken));
        text.Histogram("vllm:e2e_request_latency_seconds", "From the arrival of a request to the end of its last answer.", Each(all, metrics => metrics.WholeRequest));
        text.Histogram("vllm:request_queue_time_seconds", "From the arrival of a request until it had a place.", Each(all, metrics => metrics.Queue));
        text.Histogram("vllm:request_prefill_time_seconds", "From a request's place to its first token.", Each(all, metrics => metrics.Prefill));
        text.Histogram("vllm:request_decode_time_seconds", "From the first token of a request to its last.", Each(all, metrics => metrics.Decode));
        text.Histogram("vllm:request_inference_time_seconds", "From a request's place to its last token.", Each(all, metrics => metrics.Inference));
        text.Histogram("vllm:request_prompt_tokens", "Tokens of the prompt of an answered request.", Each(all, metrics => metrics.PromptTokens));
        text.Histogram("vllm:request_generation_tokens", "Tokens of a completed answer.", Each(all, metrics => metrics.GenerationTokens));
        text.Histogram("vllm:request_max_num_generation_tokens", "Tokens of the longest answer of a request.", Each(all, metrics => metrics.LongestAnswer));
        text.Histogram("vllm:request_params_n", "Answers asked for in a request.", Each(all, metrics => metrics.Choices));
        text.Histogram("vllm:request_params_max_tokens", "Most tokens asked for in a request that says so.", Each(all, metrics => metrics.MaxTokens));
        text.Histogram("vllm:iteration_tokens_total", "Tokens computed in a step of the engine.",
            all.Where(model => model.Status.Engine.Steps is not null).Select(model => (model.Metrics.Labels, Histogram.Of(StepSizes.Bounds, model.Status.Engine.Steps!.Counts, model.Status.Engine.Steps.Tokens))));
    }

    private void WriteServer(MetricsText text)
    {
        text.Counter("oellm_http_responses_total", "Responses by status.", responses.OrderBy(entry => entry.Key).Select(entry => (MetricsText.Label("status", Whole(entry.Key)), (double)entry.Value)));
        text.Counter("oellm_requests_refused_total", "Requests that got an error instead of an answer, by its code.",
            refusals.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (MetricsText.Label("code", entry.Key), (double)entry.Value)));
        var keys = tenants.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (Label: MetricsText.Label("key_id", entry.Key), Counts: entry.Value)).ToArray();
        text.Counter("oellm_tenant_requests_total", "Requests by the key that sent them.", keys.Select(key => (key.Label, (double)key.Counts.Requests)));
        text.Counter("oellm_tenant_refused_total", "Those of them that got an error instead of an answer.", keys.Select(key => (key.Label, (double)key.Counts.Refused)));
        text.Counter("oellm_tenant_tokens_total", "Tokens of prompts and answers by the key that asked.", keys.Select(key => (key.Label, (double)key.Counts.Tokens)));
        if (Auditor is { } auditor)
        {
            text.Gauge("oellm_audit_writable", "1 while rows of the audit can be written; while they cannot, nothing is answered.", [("", auditor.IsWorking ? 1 : 0)]);
            text.Counter("oellm_audit_rows_total", "Rows of the audit written.", [("", auditor.Rows)]);
            text.Gauge("oellm_audit_rows_waiting", "Rows of the audit that wait to be written.", [("", auditor.Waiting)]);
            text.Counter("oellm_audit_rows_lost_total", "Rows of the audit that were given up.", [("", auditor.Lost)]);
        }
        GCMemoryInfo heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        text.Gauge("oellm_heap_live_bytes", "Bytes of managed objects that the last full blocking collection left; 0 before one.", [("", heap.HeapSizeBytes - heap.FragmentedBytes)]);
        text.Gauge("oellm_heap_collection", "Number of that collection among all collections.", [("", heap.Index)]);
        text.Gauge("oellm_uptime_seconds", "Seconds since the server started.", [("", time.GetElapsedTime(started).TotalSeconds)]);
        text.Gauge("oellm_build_info", "1, with the version of the server.", [(MetricsText.Label("version", BuildVersion.Current), 1)]);
    }

    private static IEnumerable<(string, double)> Each((ModelMetrics Metrics, ModelStatus Status)[] all, Func<(ModelMetrics Metrics, ModelStatus Status), double> value) => all.Select(model => (model.Metrics.Labels, value(model)));

    private static IEnumerable<(string, HistogramValues)> Each((ModelMetrics Metrics, ModelStatus Status)[] all, Func<ModelMetrics, Histogram> histogram) => all.Select(model => (model.Metrics.Labels, histogram(model.Metrics).Read()));

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class TenantCounts
    {
        private long requests, refused, tokens;

        public long Requests => Interlocked.Read(ref requests);

        public long Refused => Interlocked.Read(ref refused);

        public long Tokens => Interlocked.Read(ref tokens);

        public void Add(RequestRecord request)
        {
            Interlocked.Increment(ref requests);
            if (request.Error is not null) Interlocked.Increment(ref refused);
            Interlocked.Add(ref tokens, request.Calls.Sum(call => (long)(call.PromptTokens ?? 0) + call.AnswerTokens));
        }
    }
}
