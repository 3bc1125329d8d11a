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
            string name = line[..line.IndexOf('{', StringComparison.Ordinal)];
            Assert.Contains(explained, known => known.StartsWith("TYPE", StringComparison.Ordinal) && (name == known[4..] || name.StartsWith(known[4..] + "_", StringComparison.Ordinal)));
            values.Add(line[..space], double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture));
        }
        return values;
    }
}
