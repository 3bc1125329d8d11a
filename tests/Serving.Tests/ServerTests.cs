using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

public sealed class ServerTests
{
    [Fact]
    public async Task Every_response_has_its_own_request_id()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        var ids = new HashSet<string>(StringComparer.Ordinal);

        foreach (string path in new[] { "/", "/health", "/ready", "/v1/models", "/v1/models/test-model", "/nothing" })
        {
            using HttpResponseMessage response = await server.Client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.True(ids.Add(response.Headers.GetValues("x-request-id").Single()));
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task Health_answers_without_the_engine()
    {
        var engine = new ScriptedEngine { Script = (_, _) => throw new InvalidOperationException() };
        await using RunningServer server = await RunningServer.StartAsync(engine);

        Assert.Equal("""{"status":"alive"}""", await server.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task Ready_generates_one_token()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);

        Assert.Equal("""{"status":"ready"}""", await server.Client.GetStringAsync("/ready", TestContext.Current.CancellationToken));
        Assert.Equal(1, Assert.Single(engine.Requests).MaxTokens);
    }

    [Fact(Timeout = 60_000)]
    public async Task Ready_is_503_when_the_engine_fails_or_hangs()
    {
        var engine = new ScriptedEngine { Script = (_, _) => throw new ArithmeticException("a secret") };
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(ReadySeconds: 0.05, ReadyCacheSeconds: 0));

        using HttpResponseMessage failing = await server.Client.GetAsync("/ready", TestContext.Current.CancellationToken);
        engine.Script = (_, cancellation) => ScriptedEngine.Gated(new TaskCompletionSource().Task, [], [], cancellation);
        using HttpResponseMessage hanging = await server.Client.GetAsync("/ready", TestContext.Current.CancellationToken);
        engine.Script = new ScriptedEngine().Script;
        using HttpResponseMessage mended = await server.Client.GetAsync("/ready", TestContext.Current.CancellationToken);

        Assert.Equal([503, 503, 200], [(int)failing.StatusCode, (int)hanging.StatusCode, (int)mended.StatusCode]);
        Assert.DoesNotContain("secret", await failing.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("within 0.05 seconds", await hanging.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prompts_and_answers_are_in_no_log_at_any_level()
    {
        var logs = new RecordingLogs();
        await using GatewayHost host = GatewayHost.Build(new ServerOptions(Port: 0), new SingleModel(new ScriptedEngine()),
            logging => logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace), TimeProvider.System);
        await host.StartAsync(TestContext.Current.CancellationToken);
        using var client = new HttpClient { BaseAddress = host.Address };

        foreach (string body in new[]
        {
            """{"model":"test-model","messages":[{"role":"user","content":"tajemství"}]}""",
            """{"model":"test-model","messages":[{"role":"user","content":"tajemství"}],"stream":true}""",
            """{"model":"test-model","messages":[{"role":"tajemství","content":"tajemství"}]}""",
            """{"tajemství""",
        })
        {
            using HttpResponseMessage response = await client.SendAsync(RunningServer.ChatRequest(body), TestContext.Current.CancellationToken);
        }

        Assert.Contains("/v1/chat/completions", logs.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("tajemství", logs.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("Dobrý", logs.Everything, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Stopping_lets_a_running_answer_come_to_its_end()
    {
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Text(0, "a")],
                [new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(1, 2))], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(DrainSeconds: 30));
        using HttpResponseMessage response = await server.Client.SendAsync(
            RunningServer.ChatRequest("""{"model":"test-model","messages":[{"role":"user","content":"a"}],"stream":true}"""),
            HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        Task stopping = server.StopAsync();
        gate.SetResult();

        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await stopping;
    }

    [Fact(Timeout = 60_000)]
    public async Task Stopping_ends_an_answer_that_does_not_come_to_its_end()
    {
        var ended = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) =>
            {
                cancellation.Register(ended.SetResult);
                return ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Text(0, "a")], [], cancellation);
            },
        };
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(DrainSeconds: 0.05));
        using HttpResponseMessage response = await server.Client.SendAsync(
            RunningServer.ChatRequest("""{"model":"test-model","messages":[{"role":"user","content":"a"}],"stream":true}"""),
            HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        await server.StopAsync();

        await ended.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    private sealed class RecordingLogs : ILoggerProvider, ILogger
    {
        private readonly List<string> entries = [];

        public string Everything
        {
            get { lock (entries) return string.Join('\n', entries); }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (entries) entries.Add($"{formatter(state, exception)} {exception}");
        }

        public void Dispose() { }
    }
}
