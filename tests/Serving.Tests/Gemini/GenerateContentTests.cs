using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Security;
using OpenEuroLLM.Serving.Tests.Security;

namespace OpenEuroLLM.Serving.Tests.Gemini;

/// <summary>Google's dialect, before engines that answer as told.</summary>
public sealed class GenerateContentTests
{
    private const string Generate = "/v1beta/models/test-model:generateContent";
    private const string Stream = "/v1beta/models/test-model:streamGenerateContent";
    private const string Hello = """{"contents":[{"role":"user","parts":[{"text":"Ahoj"}]}]}""";

    private static readonly GenerationEvent[] TwoCalls =
    [
        new GenerationEvent.Token(0, 1), new GenerationEvent.Reasoning(0, "Two calls."),
        new GenerationEvent.Token(0, 2), new GenerationEvent.Text(0, "Let me see."),
        new GenerationEvent.Token(0, 3), new GenerationEvent.ToolCall(0, "id1", "weather", """{"city":"Říše"}"""),
        new GenerationEvent.Token(0, 4), new GenerationEvent.ToolCall(0, "id2", "time", "{}"),
        new GenerationEvent.Token(0, 5), new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(90, 5, 64)),
    ];

    [Fact]
    public async Task Answers_in_one_piece_in_the_documented_shape_and_passes_on_every_field()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);

        JsonElement answer = await server.PostAsync(Generate, With("""
            "systemInstruction":{"parts":[{"text":"Buď "},{"text":"stručný."}]},
            "generationConfig":{"temperature":0.5,"topP":0.25,"topK":3,"candidateCount":1,"maxOutputTokens":20,"stopSequences":["\n","###"],"seed":-1,
              "presencePenalty":0.5,"frequencyPenalty":-0.5,"responseMimeType":"text/plain","responseModalities":["TEXT"]}
            """));

        Assert.Matches("^[0-9a-f]{24}$", answer.GetProperty("responseId").GetString());
        Assert.Equal("""[{"content":{"role":"model","parts":[{"text":"Dobrý den"}]},"finishReason":"STOP","index":0}]""", answer.GetProperty("candidates").GetRawText());
        Assert.Equal("""{"promptTokenCount":5,"candidatesTokenCount":3,"thoughtsTokenCount":0,"cachedContentTokenCount":0,"totalTokenCount":8}""", answer.GetProperty("usageMetadata").GetRawText());
        Assert.Equal("test-model", answer.GetProperty("modelVersion").GetString());
        GenerationRequest request = Assert.Single(engine.Requests);
        Assert.Equal(new Sampling(0.5, 3, 0.25, 1, ulong.MaxValue, PresencePenalty: 0.5, FrequencyPenalty: -0.5), request.Sampling);
        Assert.Equal((20, 1), (request.MaxTokens, request.Choices));
        Assert.Equal(["\n", "###"], request.Stop!);
        Assert.Equal([new ChatMessage("system", "Buď stručný."), new ChatMessage("user", "Ahoj")], Assert.IsType<GenerationInput.Messages>(request.Input).Items);
    }

    [Theory]
    [InlineData("?alt=sse", "text/event-stream")]
    [InlineData("", "application/json")]
    [InlineData("?alt=json", "application/json")]
    public async Task Streams_pieces_as_events_or_as_one_array(string query, string type)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request(Stream + query, Hello), TestContext.Current.CancellationToken);
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(type, response.Content.Headers.ContentType!.ToString());
        JsonElement[] pieces = Pieces(body, query == "?alt=sse");
        Assert.Equal(
            [
                """[{"content":{"role":"model","parts":[{"text":"Dobrý "}]},"index":0}]""",
                """[{"content":{"role":"model","parts":[{"text":"den"}]},"index":0}]""",
                """[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}]""",
            ],
            pieces.Select(piece => piece.GetProperty("candidates").GetRawText()));
        Assert.Single(pieces.Select(piece => piece.GetProperty("responseId").GetString() + piece.GetProperty("modelVersion").GetString()).Distinct());
        Assert.All(pieces[..^1], piece => Assert.False(piece.TryGetProperty("usageMetadata", out _)));
        Assert.Equal(8, pieces[^1].GetProperty("usageMetadata").GetProperty("totalTokenCount").GetInt32());
    }

    [Fact]
    public async Task Calls_and_thoughts_are_parts_and_come_back_with_their_responses()
    {
        ScriptedEngine engine = Thinking();
        await using RunningServer server = await RunningServer.StartAsync(engine);
        const string tools = """
            "tools":[{"functionDeclarations":[{"name":"weather","description":"now","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]},
                     {"functionDeclarations":[{"name":"time","parametersJsonSchema":{"type":"object"}}]}],
            "toolConfig":{"functionCallingConfig":{"mode":"AUTO"}},"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}}
            """;

        JsonElement answer = await server.PostAsync(Generate, With(tools));
        JsonElement[] pieces = Pieces(await server.PostTextAsync(Stream + "?alt=sse", With(tools)), events: true);
        JsonElement quiet = await server.PostAsync(Generate, Hello);

        const string parts = """{"text":"Two calls.","thought":true},{"text":"Let me see."},{"functionCall":{"id":"id1","name":"weather","args":{"city":"Říše"}}},{"functionCall":{"id":"id2","name":"time","args":{}}}""";
        Assert.Equal($"[{parts}]", PartsOf(answer).GetRawText());
        Assert.Equal(parts, string.Join(',', pieces[..^1].Select(piece => PartsOf(piece)[0].GetRawText())));
        Assert.DoesNotContain("thought\"", PartsOf(quiet).GetRawText(), StringComparison.Ordinal);
        Assert.Equal("""{"promptTokenCount":90,"candidatesTokenCount":4,"thoughtsTokenCount":1,"cachedContentTokenCount":64,"totalTokenCount":95}""", answer.GetProperty("usageMetadata").GetRawText());

        await server.PostAsync(Generate, With("""
            "contents":[
              {"role":"user","parts":[{"text":"Praha?"}]},
              {"role":"model","parts":[PARTS]},
              {"role":"user","parts":[{"functionResponse":{"id":"id1","name":"weather","response":{"output":"rain"}}},{"functionResponse":{"name":"time","response":{}}},{"text":"And now?"}]}]
            """.Replace("PARTS", parts, StringComparison.Ordinal) + "," + tools));

        var seen = Assert.IsType<GenerationInput.Messages>(engine.Requests.Last().Input);
        Assert.Equal(["user", "assistant", "tool", "tool", "user"], seen.Items.Select(item => item.Role));
        Assert.Equal(("Let me see.", "Two calls."), (seen.Items[1].Content, seen.Items[1].Reasoning));
        Assert.Equal([new ToolCall("id1", "weather", """{"city":"Říše"}"""), new ToolCall("id2", "time", "{}")], seen.Items[1].ToolCalls!);
        // A response without an id answers the call of its name.
        Assert.Equal([("id1", "weather", """{"output":"rain"}"""), ("time", "time", "{}")], seen.Items.Where(item => item.Role == "tool").Select(item => (item.ToolCallId!, item.Name!, item.Content)));
        Assert.Equal(["weather", "time"], seen.Tools!.Select(tool => tool.Name));
        Assert.Equal("""{"enable_thinking":true}""", seen.TemplateArguments);
    }

    [Theory]
    [InlineData("\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"NONE\"}}")]
    [InlineData("\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"NONE\",\"allowedFunctionNames\":[]}}")]
    public async Task With_the_mode_none_the_model_sees_no_tools(string config)
    {
        ScriptedEngine engine = Thinking();
        await using RunningServer server = await RunningServer.StartAsync(engine);

        await server.PostAsync(Generate, With(config + ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}]"));

        Assert.Null(Assert.IsType<GenerationInput.Messages>(Assert.Single(engine.Requests).Input).Tools);
    }

    [Fact]
    public async Task Several_candidates_and_an_answer_cut_short_say_so()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        JsonElement three = await server.PostAsync(Generate, With("\"generationConfig\":{\"candidateCount\":3}"));
        JsonElement cut = await server.PostAsync(Generate, With("\"generationConfig\":{\"maxOutputTokens\":1}"));

        Assert.Equal([0, 1, 2], three.GetProperty("candidates").EnumerateArray().Select(candidate => candidate.GetProperty("index").GetInt32()));
        Assert.Equal((5, 9), (three.GetProperty("usageMetadata").GetProperty("promptTokenCount").GetInt32(), three.GetProperty("usageMetadata").GetProperty("candidatesTokenCount").GetInt32()));
        Assert.Equal("MAX_TOKENS", cut.GetProperty("candidates")[0].GetProperty("finishReason").GetString());
    }

    [Fact]
    public async Task Models_are_listed_and_found_by_name()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        const string model = """{"name":"models/test-model","displayName":"test-model","description":"loaded","inputTokenLimit":128,"outputTokenLimit":128,"supportedGenerationMethods":["generateContent","countTokens","embedContent","batchEmbedContents"]}""";

        Assert.Equal($$"""{"models":[{{model}}]}""", await server.Client.GetStringAsync("/v1beta/models?pageSize=50", TestContext.Current.CancellationToken));
        Assert.Equal(model, await server.Client.GetStringAsync("/v1beta/models/test-model", TestContext.Current.CancellationToken));
        Assert.Equal((404, "NOT_FOUND"), (await ErrorAsync(server, new HttpRequestMessage(HttpMethod.Get, "/v1beta/models/other"))).Kind);
    }

    [Theory]
    [InlineData("/v1beta/models/other:generateContent", Hello, 404, "NOT_FOUND", "'other'")]
    [InlineData("/v1beta/models/test-model:generate", Hello, 404, "NOT_FOUND", "'generate'")]
    [InlineData("/v1beta/models/test-model", Hello, 404, "NOT_FOUND", "expected generateContent")]
    [InlineData("/v1beta/nothing", Hello, 404, "NOT_FOUND", "/v1beta/nothing")]
    [InlineData(Generate + "?alt=sse", Hello, 400, "INVALID_ARGUMENT", "'alt' is 'sse'")]
    [InlineData(Stream + "?alt=xml", Hello, 400, "INVALID_ARGUMENT", "'alt' is 'xml'")]
    [InlineData(Generate, "{}", 400, "INVALID_ARGUMENT", "'contents'")]
    [InlineData(Generate, """{"contents":[]}""", 400, "INVALID_ARGUMENT", "'contents'")]
    [InlineData(Generate, """{"contents":[{"role":"user","parts":[]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].parts'")]
    [InlineData(Generate, """{"contents":[{"role":"robot","parts":[{"text":"a"}]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].role'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a","functionCall":{"name":"f"}}]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].parts[0]'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"functionCall":{"name":"f"}}]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].parts[0].functionCall'")]
    [InlineData(Generate, """{"contents":[{"role":"model","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].parts[0].functionResponse'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}""", 400, "INVALID_ARGUMENT", "'contents[0].parts[0].inlineData'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topK":1.5}}""", 400, "INVALID_ARGUMENT", "'generationConfig.topK'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"logprobs":3}}""", 400, "INVALID_ARGUMENT", "'generationConfig.responseLogprobs'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":100}}}""", 400, "INVALID_ARGUMENT", "'generationConfig.thinkingConfig'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"googleSearch":{}}]}""", 400, "INVALID_ARGUMENT", "'tools[0].googleSearch'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"cachedContent":"x"}""", 400, "INVALID_ARGUMENT", "'cachedContent'")]
    [InlineData(Generate, """{"contents":[{"parts":[{"text":"a"}]}],"generation_config":{}}""", 400, "INVALID_ARGUMENT", "did you mean 'generationConfig'?")]
    public async Task Errors_have_googles_shape_and_say_what_is_wrong(string path, string body, int status, string name, string words)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        GeminiFault error = await ErrorAsync(server, RunningServer.Request(path, body));

        Assert.Equal((status, name), error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_failure_after_the_first_piece_is_an_error_in_the_same_form()
    {
        foreach (bool events in new[] { true, false })
        {
            var gate = new TaskCompletionSource();
            var engine = new ScriptedEngine { Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Text(0, "a")], [], cancellation) };
            await using RunningServer server = await RunningServer.StartAsync(engine, log: new StringWriter());
            using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request(Stream + (events ? "?alt=sse" : ""), Hello),
                HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            gate.SetException(new ArithmeticException("a secret of the prompt"));

            JsonElement[] pieces = Pieces(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), events);

            Assert.Equal("a", PartsOf(pieces[0])[0].GetProperty("text").GetString());
            GeminiFault error = GeminiFault.Parse(500, pieces[^1].GetRawText());
            Assert.Equal("INTERNAL", error.Kind.Name);
            Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_full_queue_is_429_with_a_time_to_retry()
    {
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(
                Task.FromException(new RequestException(null, "8 requests wait already.", RequestErrorCode.Overloaded)), [], [], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);

        using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request(Stream + "?alt=sse", Hello), TestContext.Current.CancellationToken);

        Assert.Equal((429, "RESOURCE_EXHAUSTED"), GeminiFault.Parse((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Kind);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task Keys_come_in_the_header_or_the_address_and_without_one_the_error_is_googles()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text, useless = server.AddKey([KeyScope.Embeddings]).Text;
        async Task<int> StatusAsync(string path, params (string, string)[] headers)
        {
            using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, path, headers);
            string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (!response.IsSuccessStatusCode) Assert.Equal((int)response.StatusCode, GeminiFault.Parse((int)response.StatusCode, body).Kind.Status);
            return (int)response.StatusCode;
        }

        Assert.Equal(200, await StatusAsync("/v1beta/models", ("x-goog-api-key", key)));
        Assert.Equal(200, await StatusAsync("/v1beta/models?key=" + key));
        Assert.Equal(200, await StatusAsync("/v1beta/models", ("Authorization", "Bearer " + key)));
        Assert.Equal(401, await StatusAsync("/v1beta/models"));
        Assert.Equal(401, await StatusAsync("/v1beta/models?key=wrong"));
        Assert.Equal(403, await StatusAsync("/v1beta/models?key=" + useless));
        Assert.DoesNotContain(key, server.Log.ToString(), StringComparison.Ordinal);
    }

    internal static JsonElement[] Pieces(string body, bool events)
    {
        if (!events) return [.. JsonElement.Parse(body).EnumerateArray()];
        Assert.EndsWith("\n\n", body, StringComparison.Ordinal);
        return [.. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            Assert.StartsWith("data: ", line, StringComparison.Ordinal);
            return JsonElement.Parse(line["data: ".Length..]);
        })];
    }

    internal static async Task<GeminiFault> ErrorAsync(RunningServer server, HttpRequestMessage request)
    {
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return GeminiFault.Parse((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static ScriptedEngine Thinking() => new()
    {
        Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true },
        Script = (_, _) => ScriptedEngine.Events(TwoCalls),
    };

    private static JsonElement PartsOf(JsonElement answer) => answer.GetProperty("candidates")[0].GetProperty("content").GetProperty("parts");

    private static string With(string fields)
    {
        JsonObject body = JsonNode.Parse(Hello)!.AsObject();
        foreach ((string key, JsonNode? value) in JsonNode.Parse("{" + fields + "}")!.AsObject()) body[key] = value?.DeepClone();
        return body.ToJsonString();
    }
}

/// <summary>An error in Google's shape.</summary>
internal sealed record GeminiFault(int Status, string Name, string Message)
{
    public (int Status, string Name) Kind => (Status, Name);

    public static GeminiFault Parse(int status, string body)
    {
        JsonElement error = JsonElement.Parse(body).GetProperty("error");
        Assert.Equal(["code", "message", "status", "details"], error.EnumerateObject().Select(field => field.Name));
        Assert.Equal(status, error.GetProperty("code").GetInt32());
        // Only who is asked to come back is told more.
        foreach (JsonElement detail in error.GetProperty("details").EnumerateArray())
        {
            Assert.Equal((429, "type.googleapis.com/google.rpc.RetryInfo"), (status, detail.GetProperty("@type").GetString()));
            Assert.Matches("^[0-9]+s$", detail.GetProperty("retryDelay").GetString()!);
        }
        return new GeminiFault(status, error.GetProperty("status").GetString()!, error.GetProperty("message").GetString()!);
    }
}
