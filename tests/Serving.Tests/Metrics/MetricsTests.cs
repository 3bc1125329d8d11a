using System.Globalization;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Metrics;
using OpenEuroLLM.Serving.Security;
using OpenEuroLLM.Serving.Tests.Security;

namespace OpenEuroLLM.Serving.Tests.Metrics;

public sealed class MetricsTests
{
    private const string Labels = "{model_name=\"test-model\",engine=\"0\"}";

    [Fact]
    public async Task Counts_what_was_answered_under_names_that_dashboards_know()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        await server.ChatAsync("""{"model":"test-model","n":2,"messages":[{"role":"user","content":"a"}]}""");
        await server.ChatAsync("""{"model":"test-model","max_tokens":1,"messages":[{"role":"user","content":"a"}]}""");

        using HttpResponseMessage response = await server.Client.GetAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Dictionary<string, double> values = Read(text);
        Assert.Equal(10, values["vllm:prompt_tokens_total" + Labels]);
        Assert.Equal(6, values["vllm:generation_tokens_total" + Labels]);
        Assert.Equal(2, values["vllm:request_success_total{model_name=\"test-model\",engine=\"0\",finished_reason=\"stop\"}"]);
        Assert.Equal(1, values["vllm:request_success_total{model_name=\"test-model\",engine=\"0\",finished_reason=\"length\"}"]);
        Assert.Equal(2, values["vllm:e2e_request_latency_seconds_count" + Labels]);
        Assert.Equal(2, values["vllm:time_to_first_token_seconds_count" + Labels]);
        Assert.Equal(3, values["vllm:inter_token_latency_seconds_count" + Labels]);
        Assert.Equal(1, values["vllm:request_params_max_tokens_count" + Labels]);
        Assert.Equal(0, values["vllm:kv_cache_usage_perc" + Labels]);
        Assert.Equal(2, values["oellm_http_responses_total{status=\"200\"}"]);
        Assert.Equal(1, values["vllm:request_params_n_bucket{model_name=\"test-model\",engine=\"0\",le=\"1\"}"]);
        Assert.Equal(2, values["vllm:request_params_n_bucket{model_name=\"test-model\",engine=\"0\",le=\"2\"}"]);
    }

    [Fact]
    public async Task Failures_and_refusals_are_counted()
    {
        var engine = new ScriptedEngine { Script = (_, _) => throw new RequestException(null, "full", RequestErrorCode.Overloaded) };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await server.ChatAsync("""{"model":"test-model","messages":[{"role":"user","content":"a"}]}""");
        await server.ChatAsync("{");

        Dictionary<string, double> values = Read(await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken));

        Assert.Equal(1, values["oellm_requests_failed_total" + Labels]);
        Assert.Equal(1, values["oellm_http_responses_total{status=\"429\"}"]);
        Assert.Equal(1, values["oellm_http_responses_total{status=\"400\"}"]);
    }

    [Fact]
    public async Task A_real_engine_tells_where_the_time_of_a_request_went()
    {
        using var model = new SmallModel();
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        await server.ChatAsync("""{"model":"small","max_tokens":4,"messages":[{"role":"user","content":"a"}]}""");

        Dictionary<string, double> values = Read(await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken));

        const string labels = "{model_name=\"small\",engine=\"0\"}";
        foreach (string name in (string[])["request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds", "request_inference_time_seconds", "request_time_per_output_token_seconds", "request_max_num_generation_tokens"])
            Assert.Equal(1, values[$"vllm:{name}_count{labels}"]);
        double queue = values["vllm:request_queue_time_seconds_sum" + labels], prefill = values["vllm:request_prefill_time_seconds_sum" + labels], decode = values["vllm:request_decode_time_seconds_sum" + labels];
        Assert.True(queue >= 0 && prefill > 0 && decode > 0);
        Assert.InRange(queue + prefill, values["vllm:time_to_first_token_seconds_sum" + labels] - 1e-9, values["vllm:time_to_first_token_seconds_sum" + labels] + 1e-9);
        Assert.InRange(queue + prefill + decode, 0, values["vllm:e2e_request_latency_seconds_sum" + labels]);
        // The prompt in one step, and one for each further token: the last token is never computed on.
        Assert.Equal(4, values["vllm:iteration_tokens_total_count" + labels]);
        Assert.Equal(values["vllm:prompt_tokens_total" + labels] + 3, values["vllm:iteration_tokens_total_sum" + labels]);
        Assert.Equal(0, values["vllm:num_preemptions_total" + labels]);
        Assert.Contains(values.Keys, key => key.StartsWith("vllm:cache_config_info{model_name=\"small\"", StringComparison.Ordinal) && key.Contains("block_size=\"64\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals_are_counted_by_reason_and_requests_by_key()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        var (first, text) = server.AddKey();
        await server.ChatStatusAsync(text);
        await server.ChatStatusAsync("none");
        await server.ChatStatusAsync("none");
        var (second, other) = server.AddKey(requestsPerMinute: 1);
        await server.ChatStatusAsync(other);
        await server.ChatStatusAsync(other);
        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, "/metrics", ("x-api-key", server.AddKey([KeyScope.Metrics]).Text));

        Dictionary<string, double> values = Read(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        Assert.Equal(2, values["oellm_requests_refused_total{code=\"invalid_api_key\"}"]);
        Assert.Equal(1, values["oellm_requests_refused_total{code=\"rate_limit_exceeded\"}"]);
        Assert.Equal((1, 0, 7), (values[$"oellm_tenant_requests_total{{key_id=\"{first.Id}\"}}"], values[$"oellm_tenant_refused_total{{key_id=\"{first.Id}\"}}"], values[$"oellm_tenant_tokens_total{{key_id=\"{first.Id}\"}}"]));
        Assert.Equal((2, 1), (values[$"oellm_tenant_requests_total{{key_id=\"{second.Id}\"}}"], values[$"oellm_tenant_refused_total{{key_id=\"{second.Id}\"}}"]));
    }

    [Fact]
    public void Counts_by_key_do_not_grow_without_end()
    {
        var metrics = new GatewayMetrics(new SingleModel(new ScriptedEngine()), TimeProvider.System);
        for (int key = 0; key < 1000; key++)
        {
            var request = new Serving.Operation.RequestRecord("req", "POST", default, 0);
            request.Identify(new ApiKey(key.ToString("x12", CultureInfo.InvariantCulture), "a", "", [], default));
            metrics.Ended(request);
        }
        Dictionary<string, double> values = Read(metrics.Write());
        var counts = values.Where(value => value.Key.StartsWith("oellm_tenant_requests_total", StringComparison.Ordinal)).ToArray();
        Assert.Equal(201, counts.Length);
        Assert.Equal(800, values["oellm_tenant_requests_total{key_id=\"other\"}"]);
        Assert.Equal(1000, counts.Sum(count => count.Value));
    }

    [Fact]
    public async Task With_keys_metrics_need_their_scope()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        using HttpResponseMessage usual = await server.SendAsync(HttpMethod.Get, "/metrics", ("x-api-key", server.AddKey().Text));
        using HttpResponseMessage metrics = await server.SendAsync(HttpMethod.Get, "/metrics", ("x-api-key", server.AddKey([KeyScope.Metrics]).Text));

        Assert.Equal((403, 200), ((int)usual.StatusCode, (int)metrics.StatusCode));
    }

    [Fact]
    public void Labels_cannot_break_out_of_their_quotes() =>
        Assert.Equal("a=\"x\\\\\\\"\\n} 1\"", MetricsText.Label("a", "x\\\"\n} 1"));

    [Theory]
    [InlineData(1, "1")]
    [InlineData(7, "1 2 5 10")]
    [InlineData(100, "1 2 5 10 20 50 100")]
    public void Token_bounds_reach_the_context_length(int most, string bounds) =>
        Assert.Equal(bounds, string.Join(' ', Histogram.Tokens(most).Select(bound => bound.ToString(CultureInfo.InvariantCulture))));

    /// <summary>Every sample by its name and labels; the text must be well-formed, each name explained once before its samples.</summary>
    private static Dictionary<string, double> Read(string text)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        var explained = new HashSet<string>(StringComparer.Ordinal);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ', 4);
                Assert.Contains(words[1], (string[])["HELP", "TYPE"]);
                Assert.True(explained.Add(words[1] + words[2]), line);
                continue;
            }
            int space = line.LastIndexOf(' ');
            string name = line[..line.AsSpan().IndexOfAny('{', ' ')];
            Assert.Contains(explained, known => known.StartsWith("TYPE", StringComparison.Ordinal) && (name == known[4..] || name.StartsWith(known[4..] + "_", StringComparison.Ordinal)));
            values.Add(line[..space], double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture));
        }
        return values;
    }
}
