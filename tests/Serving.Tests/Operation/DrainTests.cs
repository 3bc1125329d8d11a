using System.Text.Json;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Operation;

public sealed class DrainTests
{
    private static readonly string Streamed = AuditedServer.Body.Replace("}]}", "}],\"stream\":true}", StringComparison.Ordinal);

    [Fact(Timeout = 60_000)]
    public async Task While_answers_finish_nothing_new_is_taken_and_readiness_is_gone()
    {
        var gate = new TaskCompletionSource();
        await using AuditedServer server = await AuditedServer.StartAsync(options: new ServerOptions(DrainSeconds: 60));
        server.Engine.Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Token(0, 1), new GenerationEvent.Text(0, "a")],
            [new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(1, 1))], cancellation);
        using HttpResponseMessage running = await server.Client.SendAsync(server.Request("/v1/chat/completions", Streamed), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        Task stopping = server.StopAsync();

        using HttpResponseMessage ready = await server.Client.GetAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        using HttpResponseMessage health = await server.Client.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken);
        using HttpResponseMessage late = await server.Client.SendAsync(server.Request("/v1/messages", "{}"), TestContext.Current.CancellationToken);
        Assert.Equal((503, 200, 503), ((int)ready.StatusCode, (int)health.StatusCode, (int)late.StatusCode));
        Assert.Equal(TimeSpan.FromSeconds(5), late.Headers.RetryAfter!.Delta);
        Assert.Equal("error", JsonElement.Parse(await late.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("type").GetString());
        Assert.False(stopping.IsCompleted);

        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await stopping;
        Assert.Equal(AuditOutcome.Completed, Assert.Single(server.Rows()).Outcome);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.05, false)]
    [InlineData(600, true)]
    public async Task What_does_not_finish_is_ended_with_an_error_that_says_why(double seconds, bool hurry)
    {
        await using AuditedServer server = await AuditedServer.StartAsync(options: new ServerOptions(DrainSeconds: seconds));
        server.Engine.Script = (_, cancellation) => ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Token(0, 1), new GenerationEvent.Text(0, "a")], [], cancellation);
        using HttpResponseMessage streamed = await server.Client.SendAsync(server.Request("/v1/chat/completions", Streamed), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Task<(int Status, string Id, string Body)> whole = server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        while (server.Engine.Requests.Count < 2) await Task.Delay(5, TestContext.Current.CancellationToken);

        await server.EndAsync(hurry);

        string text = await streamed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"code\":\"server_stopping\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.Equal(503, (await whole).Status);
        Assert.Equal([(AuditOutcome.Cancelled, "server_stopping"), (AuditOutcome.Cancelled, "server_stopping")], server.Rows().Select(row => (row.Outcome!, row.Code!)));
        Assert.Single(server.Rows(AuditKind.Stopped));
    }

    [Fact]
    public async Task Readiness_generates_at_most_one_token_a_second()
    {
        await using AuditedServer server = await AuditedServer.StartAsync(options: new ServerOptions(ReadyCacheSeconds: 3600));
        for (int probe = 0; probe < 20; probe++) Assert.Equal("""{"status":"ready"}""", await server.GetAsync("/ready"));
        Assert.Single(server.Engine.Requests);
        Assert.Empty(server.Rows());
        Assert.Contains("vllm:generation_tokens_total{model_name=\"test-model\",engine=\"0\"} 0\n", await server.GetAsync("/metrics"), StringComparison.Ordinal);
    }
}
