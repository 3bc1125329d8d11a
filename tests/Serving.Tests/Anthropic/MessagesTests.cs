using System.Text.Json;
using System.Text.Json.Nodes;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Security;
using OpenEuroLLM.Serving.Tests.Security;

namespace OpenEuroLLM.Serving.Tests.Anthropic;

/// <summary>Anthropic's dialect byte by byte, its errors and its headers.</summary>
public sealed class MessagesTests
{
    private const string Hello = """{"model":"test-model","max_tokens":20,"messages":[{"role":"user","content":"Ahoj"}]}""";

    [Fact]
    public async Task Streams_the_documented_events_in_their_order()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        string stream = await server.PostTextAsync("/v1/messages", With("\"stream\":true"));

        (string Name, JsonElement Data)[] events = Events(stream);
        Assert.Equal(
            ["message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
            events.Select(each => each.Name));
        Assert.All(events, each => Assert.Equal(each.Name, each.Data.GetProperty("type").GetString()));
        Assert.Matches(
            """^\{"type":"message_start","message":\{"id":"msg_[0-9a-f]{24}","type":"message","role":"assistant","model":"test-model","content":\[\],"stop_reason":null,"stop_sequence":null,"usage":\{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0\}\}\}$""",
            events[0].Data.GetRawText());
        Assert.Equal(
            [
                """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
                """{"type":"ping"}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Dobrý "}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"den"}}""",
                """{"type":"content_block_stop","index":0}""",
                """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3}}""",
                """{"type":"message_stop"}""",
            ],
            events[1..].Select(each => each.Data.GetRawText()));
    }

    [Fact]
    public async Task Errors_have_the_documented_shape_and_name_the_request()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        using HttpResponseMessage response = await server.Client.SendAsync(
            RunningServer.Request("/v1/messages", Hello.Replace("test-model", "other", StringComparison.Ordinal)), TestContext.Current.CancellationToken);

        string id = response.Headers.GetValues("request-id").Single();
        Assert.Equal(id, response.Headers.GetValues("x-request-id").Single());
        Assert.Equal(404, (int)response.StatusCode);
        Assert.Equal(
            $$"""{"type":"error","error":{"type":"not_found_error","message":"The model 'other' does not exist here; this server has 'test-model'."},"request_id":"{{id}}"}""",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using HttpResponseMessage good = await server.Client.SendAsync(RunningServer.Request("/v1/messages", Hello), TestContext.Current.CancellationToken);
        Assert.StartsWith("req_", good.Headers.GetValues("request-id").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_official_client_understands_every_kind_of_error()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(MaxBodyBytes: 2000));
        AnthropicClient client = OfficialClientTests.Connect(server);
        Task<Message> Send(MessageCreateParams request) => client.Messages.Create(request, TestContext.Current.CancellationToken);

        var missing = await Assert.ThrowsAsync<AnthropicNotFoundException>(() => Send(OfficialClientTests.Ask("?", "other")));
        var tools = await Assert.ThrowsAsync<AnthropicBadRequestException>(() => Send(OfficialClientTests.Ask("?") with { Tools = [new Tool { Name = "f", InputSchema = new InputSchema() }] }));
        var thinking = await Assert.ThrowsAsync<AnthropicBadRequestException>(() => Send(OfficialClientTests.Ask("?") with { Thinking = new ThinkingConfigEnabled(1024) }));
        var large = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => Send(OfficialClientTests.Ask(new string('x', 3000))));
        engine.Script = (_, cancellation) => ScriptedEngine.Gated(
            Task.FromException(new RequestException(null, "8 requests wait already.", RequestErrorCode.Overloaded)), [], [], cancellation);
        var busy = await Assert.ThrowsAsync<AnthropicRateLimitException>(() => Send(OfficialClientTests.Ask("?")));
        engine.Script = (_, _) => throw new ArithmeticException("a secret");
        var defect = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => Send(OfficialClientTests.Ask("?")));

        Assert.Equal(
            [(404, "not_found_error"), (400, "invalid_request_error"), (400, "invalid_request_error"), (413, "request_too_large"), (429, "rate_limit_error"), (500, "api_error")],
            new AnthropicApiException[] { missing, tools, thinking, large, busy, defect }.Select(error => ((int)error.StatusCode, error.Body.GetProperty("error").GetProperty("type").GetString()!)));
        Assert.StartsWith("req_", missing.RequestID, StringComparison.Ordinal);
        Assert.Contains("'tools' is not available", tools.ApiMessage, StringComparison.Ordinal);
        Assert.Contains("'thinking' is not available", thinking.ApiMessage, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", defect.ResponseBody, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_failure_after_the_first_event_is_an_error_event_that_the_client_throws()
    {
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine { Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Text(0, "a")], [], cancellation) };
        await using RunningServer server = await RunningServer.StartAsync(engine, log: new StringWriter());
        var text = "";

        var failure = await Assert.ThrowsAsync<AnthropicSseException>(async () =>
        {
            await foreach (RawMessageStreamEvent happened in OfficialClientTests.Connect(server).Messages.CreateStreaming(OfficialClientTests.Ask("?"), TestContext.Current.CancellationToken))
            {
                if (!happened.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? piece) || !piece.Delta.TryPickText(out TextDelta? said)) continue;
                text += said.Text;
                gate.SetException(new ArithmeticException("a secret of the prompt"));
            }
        });

        Assert.Equal("a", text);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("req_", failure.ApiMessage, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_long_silence_brings_pings_and_a_client_that_leaves_ends_the_generation()
    {
        var ended = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) =>
            {
                cancellation.Register(ended.SetResult);
                return ScriptedEngine.Gated(new TaskCompletionSource().Task, [], [], cancellation);
            },
        };
        await using RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(KeepAliveSeconds: 0.02));
        using (HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request("/v1/messages", With("\"stream\":true")),
            HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
            string?[] lines = new string?[9];
            for (int i = 0; i < lines.Length; i++) lines[i] = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.Equal(["event: message_start", "event: ping", "event: ping"], lines.Where(line => line!.StartsWith("event: ", StringComparison.Ordinal)));
        }

        await ended.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Keys_come_in_either_header_and_without_one_the_error_is_authentications()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text, useless = server.AddKey([KeyScope.Models]).Text;
        Task<Message> Send(string? apiKey, string? token = null) =>
            OfficialClientTests.Connect(server.Host.Address, apiKey, token).Messages.Create(OfficialClientTests.Ask("?"), TestContext.Current.CancellationToken);

        Assert.Equal("Dobrý den", OfficialClientTests.TextOf(await Send(key)));
        Assert.Equal("Dobrý den", OfficialClientTests.TextOf(await Send(null, key)));
        var wrong = await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => Send("wrong"));
        var forbidden = await Assert.ThrowsAsync<AnthropicForbiddenException>(() => Send(useless));

        Assert.Equal("authentication_error", wrong.Body.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal("permission_error", forbidden.Body.GetProperty("error").GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("/v1/messages")]
    [InlineData("/v1/messages/count_tokens")]
    [InlineData("/V1/Messages")]
    public async Task The_version_may_be_left_out_but_not_be_another_and_a_beta_is_named_as_ignored(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        async Task<HttpResponseMessage> SendAsync(params (string Name, string Value)[] headers)
        {
            HttpRequestMessage request = RunningServer.Request(path, path.EndsWith("count_tokens", StringComparison.Ordinal) ? Hello.Replace("\"max_tokens\":20,", "", StringComparison.Ordinal) : Hello);
            foreach ((string name, string value) in headers) request.Headers.Add(name, value);
            return await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        using HttpResponseMessage without = await SendAsync();
        using HttpResponseMessage right = await SendAsync(("anthropic-version", "2023-06-01"), ("anthropic-beta", "tools-2024-04-04"));
        using HttpResponseMessage later = await SendAsync(("anthropic-version", "2026-10-21"));
        using HttpResponseMessage wrong = await SendAsync(("anthropic-version", "2023-01-01"));

        Assert.Equal((200, 200, 200, 400), ((int)without.StatusCode, (int)right.StatusCode, (int)later.StatusCode, (int)wrong.StatusCode));
        Assert.Equal("anthropic-beta", right.Headers.GetValues("x-oellm-ignored-fields").Single());
        JsonElement error = JsonElement.Parse(await wrong.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("The header anthropic-version is '2023-01-01'; expected 2023-06-01 or 2026-10-21.", error.GetProperty("error").GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("\"max_tokens\":null", "max_tokens")]
    [InlineData("\"tool_choice\":{\"type\":\"any day\"}", "tool_choice.type")]
    [InlineData("\"system\":[{\"type\":\"image\"}]", "system[0].type")]
    [InlineData("\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]", "messages")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[]}]", "messages[0].content")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"b\",\"input\":{}}]}]", "messages[0].content[0].type")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_result\",\"tool_use_id\":\"a\"}]}]", "messages[0].content[1].type")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":\"a\"}]}]", "messages[0].content[0].tool_use_id")]
    [InlineData("\"tools\":[{\"name\":\"a\"}]", "tools[0].input_schema")]
    [InlineData("\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]", "tools[0].type")]
    [InlineData("\"thinking\":{\"type\":\"maybe\"}", "thinking.type")]
    public async Task Bad_values_are_400_and_the_message_names_the_field(string field, string name)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        JsonObject body = JsonNode.Parse(Hello)!.AsObject();
        foreach ((string key, JsonNode? value) in JsonNode.Parse("{" + field + "}")!.AsObject()) body[key] = value?.DeepClone();

        using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request("/v1/messages", body.ToJsonString()), TestContext.Current.CancellationToken);

        JsonElement error = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("error");
        Assert.Equal((400, "invalid_request_error"), ((int)response.StatusCode, error.GetProperty("type").GetString()));
        Assert.Contains(name, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static string With(string fields) => Hello[..^1] + "," + fields + "}";

    /// <summary>The events of a stream, each of which must have a name and data and nothing else.</summary>
    internal static (string Name, JsonElement Data)[] Events(string stream)
    {
        string[] parts = stream.Split("\n\n");
        Assert.Equal("", parts[^1]);
        return [.. parts[..^1].Select(part =>
        {
            string[] lines = part.Split('\n');
            Assert.Equal(2, lines.Length);
            Assert.StartsWith("event: ", lines[0], StringComparison.Ordinal);
            Assert.StartsWith("data: ", lines[1], StringComparison.Ordinal);
            return (lines[0]["event: ".Length..], JsonElement.Parse(lines[1]["data: ".Length..]));
        })];
    }
}
