using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.OpenAi;

public sealed class ChatCompletionTests
{
    private const string Hello = """{"model":"test-model","messages":[{"role":"user","content":"Ahoj"}]}""";

    [Fact]
    public async Task Answers_in_one_piece_in_the_documented_shape()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        long before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

        var (response, body) = await server.ChatAsync(Hello);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        JsonObject answer = JsonNode.Parse(body)!.AsObject();
        Assert.Matches("^chatcmpl-[0-9a-f]{32}$", answer["id"]!.GetValue<string>());
        Assert.InRange(answer["created"]!.GetValue<long>(), before, before + 60);
        answer.Remove("id");
        answer.Remove("created");
        Assert.Equal(
            """{"object":"chat.completion","model":"test-model","system_fingerprint":"fp_aaaaaaaaaaaaaaaa","choices":[{"index":0,"message":{"role":"assistant","content":"Dobr\u00FD den","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}""",
            answer.ToJsonString());
        Assert.Contains("Dobrý den", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_the_role_first_then_pieces_then_the_reason_then_done()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        var (response, body) = await server.ChatAsync(With("\"stream\":true"));

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        string[] events = body.Split("\n\n");
        Assert.Equal(["[DONE]", ""], [events[^2]["data: ".Length..], events[^1]]);
        JsonObject[] chunks = [.. events[..^2].Select(line => JsonNode.Parse(line["data: ".Length..])!.AsObject())];
        Assert.Single(chunks.Select(chunk => $"{chunk["id"]} {chunk["created"]} {chunk["model"]} {chunk["object"]} {chunk["system_fingerprint"]}").Distinct());
        Assert.Equal("chat.completion.chunk", chunks[0]["object"]!.GetValue<string>());
        Assert.Equal(
            [
                """[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"delta":{"content":"Dobr\u00FD "},"logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"delta":{"content":"den"},"logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]""",
            ],
            chunks.Select(chunk => chunk["choices"]!.ToJsonString()));
        Assert.All(chunks, chunk => Assert.False(chunk.ContainsKey("usage")));
    }

    [Fact]
    public async Task Streams_the_token_counts_in_an_extra_chunk_when_asked()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        var (_, body) = await server.ChatAsync(With("\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

        string[] events = body.Split("\n\n");
        JsonObject[] chunks = [.. events[..^2].Select(line => JsonNode.Parse(line["data: ".Length..])!.AsObject())];
        Assert.All(chunks[..^1], chunk => Assert.True(chunk.ContainsKey("usage") && chunk["usage"] is null));
        Assert.Equal("[]", chunks[^1]["choices"]!.ToJsonString());
        Assert.Equal(8, chunks[^1]["usage"]!["total_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task Several_choices_share_the_prompt_in_the_count()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        var (_, body) = await server.ChatAsync(With("\"n\":3"));

        using JsonDocument answer = JsonDocument.Parse(body);
        Assert.Equal([0, 1, 2], answer.RootElement.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(5, answer.RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(9, answer.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Says_length_when_the_token_limit_ended_the_answer()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        var (_, body) = await server.ChatAsync(With("\"max_tokens\":1"));

        Assert.Contains("\"finish_reason\":\"length\"", body, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Pings_while_the_engine_is_silent()
    {
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [], [new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(1, 1))], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(KeepAliveSeconds: 0.02));
        using StreamReader reader = await OpenAsync(server);

        Assert.Contains("\"role\":\"assistant\"", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.Equal(": ping", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_failure_after_the_first_byte_is_an_error_event_without_done()
    {
        var gate = new TaskCompletionSource();
        var log = new StringWriter();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Text(0, "a")], [], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine, log: log);
        using StreamReader reader = await OpenAsync(server);
        Assert.Contains("assistant", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        gate.SetException(new ArithmeticException("a secret of the prompt"));

        string rest = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        string last = rest.Split("\n\n")[^2];
        ReceivedError error = ReceivedError.Parse(500, last["data: ".Length..]);
        Assert.Equal(("server_error", "server_error"), (error.Type, error.Code));
        Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", rest + log, StringComparison.Ordinal);
        Assert.Contains(nameof(ArithmeticException), log.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_queue_is_429_with_a_time_to_retry(bool stream)
    {
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(
                Task.FromException(new RequestException(null, "8 requests wait already.", RequestErrorCode.Overloaded)), [], [], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);

        var (response, body) = await server.ChatAsync(With(stream ? "\"stream\":true" : "\"stream\":false"));

        Assert.Equal(new ReceivedError(429, "rate_limit_error", "rate_limit_exceeded", null, "8 requests wait already."), ReceivedError.Parse((int)response.StatusCode, body));
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_ends_the_generation(bool stream)
    {
        var begun = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) =>
            {
                cancellation.Register(ended.SetResult);
                begun.SetResult();
                return ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Text(0, "a")], [], cancellation);
            },
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        Task<HttpResponseMessage> sent = server.Client.SendAsync(RunningServer.ChatRequest(With(stream ? "\"stream\":true" : "\"stream\":false")),
            HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);
        if (stream) (await sent).Dispose();
        else await leaving.CancelAsync();

        await ended.Task.WaitAsync(TestContext.Current.CancellationToken);
        engine.Script = new ScriptedEngine().Script;
        var (response, _) = await server.ChatAsync(Hello);
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task Names_the_ignored_fields_in_a_header()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        var (response, _) = await server.ChatAsync(
            """{"model":"test-model","messages":[{"role":"user","content":"a","name":"x"},{"role":"user","content":"b","name":"y"}],"user":"u","store":false,"stream":true,"stream_options":{"include_obfuscation":false}}""");

        Assert.Equal(["store, stream_options.include_obfuscation, user"], response.Headers.GetValues("x-oellm-ignored-fields"));
        (response, _) = await server.ChatAsync(Hello);
        Assert.False(response.Headers.Contains("x-oellm-ignored-fields"));
    }

    private static string With(string fields) => Hello[..^1] + "," + fields + "}";

    private static async Task<StreamReader> OpenAsync(RunningServer server)
    {
        HttpResponseMessage response = await server.Client.SendAsync(
            RunningServer.ChatRequest(With("\"stream\":true")), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }
}
