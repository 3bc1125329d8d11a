using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.Tests.OpenAi.Responses.ResponseEvents;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>What a response is made of, whole and as events.</summary>
public sealed class ResponseTests : IAsyncLifetime
{
    private const string Body = """{"model":"test-model","input":"Dobrý den"}""";
    private const string Streamed = """{"model":"test-model","input":"Dobrý den","stream":true}""";

    private static readonly GenerationEvent.Finished End = new(0, FinishReason.Stop, new Usage(10, 7, 4));

    // Thought, said, two calls, and said again: more than one answer ever has, and all in order.
    private static readonly GenerationEvent[] Everything =
    [
        new GenerationEvent.Token(0, 1), new GenerationEvent.Reasoning(0, "Hledám "),
        new GenerationEvent.Token(0, 2), new GenerationEvent.Reasoning(0, "počasí."),
        new GenerationEvent.Token(0, 3), new GenerationEvent.Text(0, "Podívám "),
        new GenerationEvent.Token(0, 4), new GenerationEvent.Text(0, "se."),
        new GenerationEvent.Token(0, 5), new GenerationEvent.ToolCall(0, "call_1", "weather", """{"city":"Brno"}"""),
        new GenerationEvent.Token(0, 6), new GenerationEvent.ToolCall(0, "call_2", "weather", """{"city":"Praha"}"""),
        new GenerationEvent.Text(0, "Hned."),
        new GenerationEvent.Token(0, 7), End,
    ];

    private readonly ScriptedEngine engine = new() { Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true } };
    private RunningServer server = null!;

    public async ValueTask InitializeAsync() => server = await RunningServer.StartAsync(engine);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_text_becomes_a_message_with_everything_that_the_dialect_demands()
    {
        JsonElement response = await server.RespondAsync(
            """{"model":"test-model","input":"Dobrý den","instructions":"Buď stručný.","max_output_tokens":20,"temperature":0.5,"top_p":0.9,"metadata":{"spis":"7/26"},"user":"úřednice"}""");

        Assert.Equal(
            [
                "id", "object", "created_at", "status", "background", "completed_at", "error", "incomplete_details", "instructions", "max_output_tokens", "metadata",
                "model", "output", "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store",
                "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage", "user",
            ],
            response.EnumerateObject().Select(field => field.Name));
        Assert.Matches("^resp_[0-9a-f]{32}$", IdOf(response));
        Assert.Equal(("response", "completed"), (response.GetProperty("object").GetString(), response.GetProperty("status").GetString()));
        Assert.Equal("""{"spis":"7/26"}""", response.GetProperty("metadata").GetRawText());
        JsonElement message = Assert.Single(response.GetProperty("output").EnumerateArray());
        string id = message.GetProperty("id").GetString()!;
        Assert.Equal($$"""{"id":"{{id}}","type":"message","role":"assistant","content":[{"type":"output_text","text":"Dobrý den","annotations":[],"logprobs":[]}],"status":"completed"}""", message.GetRawText());
        Assert.Equal(
            """{"input_tokens":5,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}""",
            response.GetProperty("usage").GetRawText());
        Assert.True(engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal((20, 0.5, 0.9), (request.MaxTokens, request.Sampling!.Temperature, request.Sampling.TopP));
        Assert.Equal([new ChatMessage("system", "Buď stručný."), new ChatMessage("user", "Dobrý den")], ((GenerationInput.Messages)request.Input).Items);
    }

    [Fact]
    public async Task Events_come_in_the_dialects_order_and_add_up_to_the_whole()
    {
        engine.Script = (_, _) => ScriptedEngine.Events(Everything);

        IReadOnlyList<JsonElement> events = await server.StreamAsync(Streamed);

        Assert.Equal(
            [
                "response.created", "response.in_progress",
                "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.delta",
                "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
                "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
                "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
                "response.output_item.added", "response.content_part.added", "response.output_text.delta",
                "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ],
            TypesOf(events));
        JsonElement whole = events[^1].GetProperty("response");
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4],
            events.Where(each => each.TryGetProperty("output_index", out _)).Select(each => each.GetProperty("output_index").GetInt32()));
        foreach (JsonElement done in events.Where(each => each.GetProperty("type").GetString() == "response.output_item.done"))
            Assert.Equal(whole.GetProperty("output")[done.GetProperty("output_index").GetInt32()].GetRawText(), done.GetProperty("item").GetRawText());
        foreach (JsonElement added in events.Where(each => each.GetProperty("type").GetString() == "response.output_item.added"))
        {
            JsonElement item = added.GetProperty("item");
            Assert.Equal("in_progress", item.GetProperty("status").GetString());
            if (item.TryGetProperty("content", out JsonElement content)) Assert.Equal(0, content.GetArrayLength());
            else Assert.Equal("", item.GetProperty("arguments").GetString());
        }
        foreach (JsonElement delta in events.Where(each => each.TryGetProperty("delta", out _)))
            Assert.Equal(whole.GetProperty("output")[delta.GetProperty("output_index").GetInt32()].GetProperty("id").GetString(), delta.GetProperty("item_id").GetString());
        Assert.Equal("in_progress", events[0].GetProperty("response").GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("response").GetProperty("usage").ValueKind);
    }

    [Fact]
    public async Task The_streamed_response_is_the_whole_one_and_the_stored_one()
    {
        engine.Script = (_, _) => ScriptedEngine.Events(Everything);

        JsonElement whole = await server.RespondAsync(Body);
        JsonElement streamed = (await server.StreamAsync(Streamed))[^1].GetProperty("response");

        Assert.Equal(Nameless(whole), Nameless(streamed));
        Assert.Equal(["reasoning", "message", "function_call", "function_call", "message"], whole.GetProperty("output").EnumerateArray().Select(item => item.GetProperty("type").GetString()));
        Assert.Equal("""[{"type":"reasoning_text","text":"Hledám počasí."}]""", whole.GetProperty("output")[0].GetProperty("content").GetRawText());
        Assert.Equal(2, whole.GetProperty("usage").GetProperty("output_tokens_details").GetProperty("reasoning_tokens").GetInt32());
        foreach (JsonElement response in new[] { whole, streamed })
            Assert.Equal(response.GetRawText(), (await server.GetAsync("/v1/responses/" + IdOf(response))).GetRawText());

        // Names and moments differ between two answers; nothing else does.
        static string Nameless(JsonElement response) => System.Text.RegularExpressions.Regex.Replace(response.GetRawText(), "[0-9a-f]{32}|_at\":\\d+", "");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_without_a_word_has_an_empty_message(bool stream)
    {
        engine.Script = (_, _) => ScriptedEngine.Events(new GenerationEvent.Token(0, 1), End);

        JsonElement response = stream ? (await server.StreamAsync(Streamed))[^1].GetProperty("response") : await server.RespondAsync(Body);

        Assert.Equal("", Assert.Single(response.GetProperty("output").EnumerateArray()).GetProperty("content")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task What_ends_at_max_output_tokens_is_incomplete_and_says_why()
    {
        JsonElement whole = await server.RespondAsync("""{"model":"test-model","input":"a","max_output_tokens":1}""");
        IReadOnlyList<JsonElement> events = await server.StreamAsync("""{"model":"test-model","input":"a","max_output_tokens":1,"stream":true}""");

        Assert.Equal("response.incomplete", TypesOf(events)[^1]);
        foreach (JsonElement response in new[] { whole, events[^1].GetProperty("response") })
        {
            Assert.Equal("incomplete", response.GetProperty("status").GetString());
            Assert.Equal("""{"reason":"max_output_tokens"}""", response.GetProperty("incomplete_details").GetRawText());
            Assert.Equal("incomplete", response.GetProperty("output")[0].GetProperty("status").GetString());
            Assert.Equal(JsonValueKind.Null, response.GetProperty("completed_at").ValueKind);
        }
    }

    [Fact]
    public async Task An_error_in_the_middle_ends_the_stream_with_error_and_failed_and_stores_nothing()
    {
        var log = new StringWriter();
        engine.Script = (_, cancellation) => ScriptedEngine.Gated(Task.FromException(new ArithmeticException("a secret of the prompt")),
            [new GenerationEvent.Token(0, 1), new GenerationEvent.Text(0, "Dobrý ")], [], cancellation);
        await using RunningServer broken = await RunningServer.StartAsync(engine, log: log);

        IReadOnlyList<JsonElement> events = await broken.StreamAsync(Streamed);

        Assert.Equal(["error", "response.failed"], TypesOf(events)[^2..]);
        Assert.Equal("server_error", events[^2].GetProperty("code").GetString());
        JsonElement response = events[^1].GetProperty("response");
        Assert.Equal(("failed", "server_error"), (response.GetProperty("status").GetString(), response.GetProperty("error").GetProperty("code").GetString()));
        Assert.Equal("Dobrý ", TextOf(response));
        Assert.DoesNotContain("secret", events[^1].GetRawText() + log, StringComparison.Ordinal);
        Assert.Equal((404, "response_not_found"), (await broken.ErrorAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/responses/" + IdOf(response)))).Kind);
    }

    [Fact]
    public async Task Likelihoods_stand_with_the_text_and_leave_out_thoughts_and_the_end()
    {
        engine.Script = (_, _) => ScriptedEngine.Events(
            Scored(1), new GenerationEvent.Reasoning(0, "hm"), Scored(2), Scored(3), new GenerationEvent.Text(0, "ab"), Scored(4), new GenerationEvent.Text(0, "c"), Scored(5), End);

        IReadOnlyList<JsonElement> events = await server.StreamAsync(
            """{"model":"test-model","input":"a","stream":true,"top_logprobs":1,"include":["message.output_text.logprobs"]}""");

        JsonElement message = events[^1].GetProperty("response").GetProperty("output")[1];
        Assert.Equal(["c", "d", "e"], Tokens(message.GetProperty("content")[0]));
        Assert.Equal(["c", "d", "e"], Tokens(events.Single(each => each.GetProperty("type").GetString() == "response.output_text.done")));
        Assert.Equal([["c"], ["d"]], events.Where(each => each.GetProperty("type").GetString() == "response.output_text.delta").Select(Tokens));
        Assert.Equal(1, engine.Requests.Single().Logprobs);

        static GenerationEvent.Token Scored(int id) => new(0, id, new TokenLikelihood(-0.5, [new TokenAlternative(id + 1, -1)]));
        static string[] Tokens(JsonElement owner) => [.. owner.GetProperty("logprobs").EnumerateArray().Select(each => each.GetProperty("token").GetString()!)];
    }

    [Fact]
    public async Task Effort_reaches_the_template_and_the_cache_key_the_cache()
    {
        using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request("/v1/responses",
            """{"model":"test-model","input":"a","reasoning":{"effort":"low","summary":"auto"},"prompt_cache_key":"odbor","user":"u","include":["reasoning.encrypted_content"],"service_tier":"auto"}"""),
            TestContext.Current.CancellationToken);

        Assert.Equal("include.reasoning.encrypted_content, reasoning.summary, service_tier, user", response.Headers.GetValues("x-oellm-ignored-fields").Single());
        GenerationRequest request = engine.Requests.Single();
        Assert.Equal("""{"enable_thinking":true,"reasoning_effort":"low"}""", ((GenerationInput.Messages)request.Input).TemplateArguments);
        Assert.Equal("odbor", request.CacheSalt);
    }

    [Fact]
    public async Task Input_tokens_are_counted_without_an_answer()
    {
        JsonElement count = await server.PostAsync("/v1/responses/input_tokens", """{"model":"test-model","input":"a","instructions":"b","tools":[{"type":"function","name":"f","parameters":null,"strict":null}]}""");

        Assert.Equal("""{"object":"response.input_tokens","input_tokens":5}""", count.GetRawText());
        Assert.Empty(engine.Requests);
        Assert.Equal("unknown_parameter", (await server.ErrorAsync(RunningServer.Request("/v1/responses/input_tokens", Streamed))).Code);
    }
}
