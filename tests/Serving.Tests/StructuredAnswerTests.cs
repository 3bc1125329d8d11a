#pragma warning disable OPENAI001 // the client calls its own interface to Responses a preview
using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI.Chat;
using OpenAI.Responses;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>Answers held to schemas and calls held to tools, before real models that say noise: whatever comes has the form that was asked for, in every dialect.</summary>
public sealed class StructuredAnswerTests(SmallModel model, SmallToolModel tools) : IClassFixture<SmallModel>, IClassFixture<SmallToolModel>
{
    private const string Schema = """
        {"type":"object","properties":{"age":{"type":"integer","minimum":18,"maximum":99},"kind":{"enum":["a","ž"]},"flags":{"type":"array","items":{"type":"boolean"},"maxItems":2}},
        "required":["age","kind","flags"],"additionalProperties":false}
        """;

    private const string Weather = """{"type":"object","properties":{"days":{"type":"integer","minimum":1,"maximum":9},"unit":{"enum":["C","F"]}},"required":["days","unit"],"additionalProperties":false}""";

    [Fact]
    public async Task OpenAIs_client_gets_a_value_of_its_schema_whole_and_streamed()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ChatClient client = OpenAi.OfficialClientTests.Connect(server).GetChatClient("small");
        var options = new ChatCompletionOptions
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("person", BinaryData.FromString(Schema), jsonSchemaIsStrict: true),
            MaxOutputTokenCount = 150,
            IncludeLogProbabilities = true,
        };

        ChatCompletion completion = await client.CompleteChatAsync([new UserChatMessage("Kdo jsi?")], options, TestContext.Current.CancellationToken);
        var streamed = "";
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync([new UserChatMessage("Kdo jsi?")], options, TestContext.Current.CancellationToken))
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));

        Assert.Equal(ChatFinishReason.Stop, completion.FinishReason);
        RequireValid(completion.Content[0].Text);
        Assert.Equal(completion.Content[0].Text, streamed);
        // The last token is a part of the answer: no end token was needed.
        Assert.Equal(completion.Content[0].Text, System.Text.Encoding.UTF8.GetString([.. completion.ContentTokenLogProbabilities.SelectMany(token => token.Utf8Bytes!.Value.ToArray())]));
    }

    [Fact]
    public async Task OpenAIs_client_for_Responses_gets_a_value_and_a_call_whole_and_streamed()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine), calling = await RunningServer.StartAsync(tools.Engine);
        CreateResponseOptions options = new("small", [ResponseItem.CreateUserMessageItem("Kdo jsi?")])
        {
            MaxOutputTokenCount = 150,
            StoredOutputEnabled = false,
            TextOptions = new ResponseTextOptions { TextFormat = ResponseTextFormat.CreateJsonSchemaFormat("person", BinaryData.FromString(Schema), jsonSchemaIsStrict: true) },
        };
        CreateResponseOptions question = new("small", [ResponseItem.CreateUserMessageItem("Počasí?")])
        {
            MaxOutputTokenCount = 400,
            ToolChoice = ResponseToolChoice.CreateFunctionChoice("weather"),
            ParallelToolCallsEnabled = false,
            Tools = { ResponseTool.CreateFunctionTool("now", null, strictModeEnabled: null), ResponseTool.CreateFunctionTool("weather", BinaryData.FromString(Weather), strictModeEnabled: true) },
        };

        ResponseResult whole = await Connect(server).CreateResponseAsync(options, TestContext.Current.CancellationToken);
        ResponseResult called = await Connect(calling).CreateResponseAsync(question, TestContext.Current.CancellationToken);
        options.StreamingEnabled = question.StreamingEnabled = true;
        string text = "", arguments = "";
        await foreach (StreamingResponseUpdate update in await Connect(server).CreateResponseStreamingAsync(options, TestContext.Current.CancellationToken))
            if (update is StreamingResponseOutputTextDeltaUpdate delta) text += delta.Delta;
        await foreach (StreamingResponseUpdate update in await Connect(calling).CreateResponseStreamingAsync(question, TestContext.Current.CancellationToken))
            if (update is StreamingResponseFunctionCallArgumentsDeltaUpdate delta) arguments += delta.Delta.ToString();

        Assert.Equal(ResponseStatus.Completed, whole.Status);
        RequireValid(whole.GetOutputText());
        Assert.Equal(whole.GetOutputText(), text);
        FunctionCallResponseItem call = Assert.IsType<FunctionCallResponseItem>(Assert.Single(called.OutputItems));
        Assert.Equal("weather", call.FunctionName);
        RequireWeather(call.FunctionArguments.ToString());
        Assert.Equal(call.FunctionArguments.ToString(), arguments);

        static ResponsesClient Connect(RunningServer server) =>
            new(new System.ClientModel.ApiKeyCredential("none"), new ResponsesClientOptions { Endpoint = new Uri(server.Address, "/v1") });
    }

    [Fact]
    public async Task Anthropics_client_gets_a_value_and_calls_whole_and_streamed()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine), calling = await RunningServer.StartAsync(tools.Engine);
        MessageCreateParams ask = new()
        {
            Model = "small",
            MaxTokens = 150,
            Messages = [new UserMessageParam("Kdo jsi?")],
            OutputConfig = new OutputConfig { Format = new JsonOutputFormat { Schema = FieldsOf(Schema) } },
        };
        MessageCreateParams question = ask with
        {
            MaxTokens = 400,
            OutputConfig = null,
            Tools = [new Tool { Name = "weather", InputSchema = InputSchema.FromRawUnchecked(FieldsOf(Weather)), Strict = true }],
            ToolChoice = new ToolChoiceTool("weather") { DisableParallelToolUse = true },
        };
        AnthropicClient client = global::OpenEuroLLM.Serving.Tests.Anthropic.OfficialClientTests.Connect(server), caller = global::OpenEuroLLM.Serving.Tests.Anthropic.OfficialClientTests.Connect(calling);

        Message whole = await client.Messages.Create(ask, TestContext.Current.CancellationToken);
        Message called = await caller.Messages.Create(question, TestContext.Current.CancellationToken);
        Message any = await caller.Messages.Create(question with { ToolChoice = new ToolChoiceAny { DisableParallelToolUse = true } }, TestContext.Current.CancellationToken);
        string text = "", arguments = "";
        await foreach (RawMessageStreamEvent happened in client.Messages.CreateStreaming(ask, TestContext.Current.CancellationToken))
            if (happened.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? piece) && piece.Delta.TryPickText(out TextDelta? said)) text += said.Text;
        await foreach (RawMessageStreamEvent happened in caller.Messages.CreateStreaming(question, TestContext.Current.CancellationToken))
            if (happened.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? piece) && piece.Delta.TryPickInputJson(out InputJsonDelta? input)) arguments += input.PartialJson;

        Assert.Equal(StopReason.EndTurn, whole.StopReason!.Value());
        string value = string.Concat(whole.Content.Select(block => block.TryPickText(out TextBlock? said) ? said.Text : ""));
        RequireValid(value);
        Assert.Equal(value, text);
        foreach (Message made in (Message[])[called, any])
        {
            Assert.Equal(StopReason.ToolUse, made.StopReason!.Value());
            Assert.True(Assert.Single(made.Content).TryPickToolUse(out ToolUseBlock? call));
            Assert.Equal("weather", call.Name);
            RequireWeather("{" + string.Join(',', call.Input.Select(argument => $"\"{argument.Key}\":{argument.Value.GetRawText()}")) + "}");
        }
        RequireWeather(arguments);
    }

    [Fact]
    public async Task Every_dialect_holds_its_answers_to_schemas()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        const string spoken = """{"type":"json_schema","schema":SCHEMA}""";

        RequireValid((await PostAsync("/v1/completions", """{"model":"small","prompt":"a","max_tokens":150,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":SCHEMA}}}"""))
            .GetProperty("choices")[0].GetProperty("text").GetString()!);
        foreach (string field in (string[])["\"output_config\":{\"format\":" + spoken + "}", "\"output_format\":" + spoken])
            RequireValid((await PostAsync("/v1/messages", """{"model":"small","max_tokens":150,"messages":[{"role":"user","content":"a"}],FIELD}""".Replace("FIELD", field, StringComparison.Ordinal)))
                .GetProperty("content")[0].GetProperty("text").GetString()!);
        foreach (string field in (string[])["responseSchema", "responseJsonSchema"])
            RequireValid((await PostAsync("/v1beta/models/small:generateContent",
                    """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":150,"responseMimeType":"application/json","FIELD":SCHEMA}}""".Replace("FIELD", field, StringComparison.Ordinal)))
                .GetProperty("candidates")[0].GetProperty("content").GetProperty("parts")[0].GetProperty("text").GetString()!);
        JsonElement response = await PostAsync("/v1/responses", """{"model":"small","input":"a","max_output_tokens":150,"store":false,"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":SCHEMA}}}""");
        RequireValid(response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString()!);
        Assert.Equal("json_schema", response.GetProperty("text").GetProperty("format").GetProperty("type").GetString());

        Task<JsonElement> PostAsync(string path, string body) => server.PostAsync(path, body.Replace("SCHEMA", Schema, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"small","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":SCHEMA}}}""", "response_format")]
    [InlineData("/v1/completions", """{"model":"small","prompt":"a","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":SCHEMA}}}""", "response_format")]
    [InlineData("/v1/messages", """{"model":"small","max_tokens":5,"messages":[{"role":"user","content":"a"}],"output_config":{"format":{"type":"json_schema","schema":SCHEMA}}}""", "")]
    [InlineData("/v1beta/models/small:generateContent", """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":SCHEMA}}""", "")]
    [InlineData("/v1/responses", """{"model":"small","input":"a","text":{"format":{"type":"json_schema","name":"n","schema":SCHEMA}}}""", "text.format")]
    public async Task A_schema_that_cannot_be_kept_is_400_with_its_place(string path, string body, string field)
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        foreach (bool stream in (bool[])[false, true])
        {
            string sent = body.Replace("SCHEMA", """{"type":"object","properties":{"n":{"type":"integer","multipleOf":3}}}""", StringComparison.Ordinal);
            if (stream && path.Contains("beta", StringComparison.Ordinal)) continue;
            using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request(path, stream ? sent[..^1] + ",\"stream\":true}" : sent), TestContext.Current.CancellationToken);
            JsonElement error = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("error");

            Assert.Equal(400, (int)response.StatusCode);
            Assert.Contains("the schema, at '#/properties/n/multipleOf': the keyword 'multipleOf' is not supported", error.GetProperty("message").GetString(), StringComparison.Ordinal);
            if (field.Length > 0) Assert.Equal(field, error.GetProperty("param").GetString());
        }
    }

    [Fact]
    public async Task Forced_calls_come_as_calls_with_arguments_of_their_schema()
    {
        await using RunningServer server = await RunningServer.StartAsync(tools.Engine);
        ChatClient client = OpenAi.OfficialClientTests.Connect(server).GetChatClient("small");
        foreach (ChatToolChoice choice in (ChatToolChoice[])[ChatToolChoice.CreateRequiredChoice(), ChatToolChoice.CreateFunctionChoice("weather")])
        {
            var options = new ChatCompletionOptions { ToolChoice = choice, MaxOutputTokenCount = 400, AllowParallelToolCalls = false };
            options.Tools.Add(ChatTool.CreateFunctionTool("weather", "Weather", BinaryData.FromString(Weather), functionSchemaIsStrict: true));
            if (choice == ChatToolChoice.CreateRequiredChoice()) options.Tools.Add(ChatTool.CreateFunctionTool("now", "Time"));

            ChatCompletion completion = await client.CompleteChatAsync([new UserChatMessage("Počasí?")], options, TestContext.Current.CancellationToken);

            Assert.Equal(ChatFinishReason.ToolCalls, completion.FinishReason);
            RequireWeather(Assert.Single(completion.ToolCalls).FunctionArguments.ToString());
        }

        const string tool = """{"name":"weather","input_schema":WEATHER}""";
        JsonElement message = await server.PostAsync("/v1/messages", """{"model":"small","max_tokens":400,"messages":[{"role":"user","content":"a"}],"tools":[TOOL],"tool_choice":{"type":"tool","name":"weather","disable_parallel_tool_use":true}}"""
            .Replace("TOOL", tool, StringComparison.Ordinal).Replace("WEATHER", Weather, StringComparison.Ordinal));
        Assert.Equal("tool_use", message.GetProperty("stop_reason").GetString());
        RequireWeather(message.GetProperty("content")[0].GetProperty("input").GetRawText());

        JsonElement content = await server.PostAsync("/v1beta/models/small:generateContent", """
            {"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":600},"tools":[{"functionDeclarations":[{"name":"other"},{"name":"weather","parameters":WEATHER}]}],
            "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["weather"]}}}
            """.Replace("WEATHER", Weather, StringComparison.Ordinal));
        JsonElement[] parts = [.. content.GetProperty("candidates")[0].GetProperty("content").GetProperty("parts").EnumerateArray().Where(part => part.TryGetProperty("functionCall", out _))];
        Assert.NotEmpty(parts);
        Assert.All(parts, part => RequireWeather(part.GetProperty("functionCall").GetProperty("args").GetRawText()));
    }

    [Theory]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"tool_choice":"required"}""", "tool_choice")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"tools":[TOOL],"tool_choice":{"type":"function","function":{"name":"nobody"}}}""", "tool_choice")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"tools":[TOOL],"tool_choice":"perhaps"}""", "tool_choice")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"tools":[STRICT]}""", "tools")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"},"min_tokens":3}""", "min_tokens")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}""", "response_format.json_schema.name")]
    [InlineData("""{"model":"small","messages":[{"role":"user","content":"a"}],"response_format":{"type":"yaml"}}""", "response_format.type")]
    public async Task What_cannot_be_promised_is_refused(string body, string field)
    {
        await using RunningServer server = await RunningServer.StartAsync(tools.Engine);
        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest(body
            .Replace("TOOL", """{"type":"function","function":{"name":"weather"}}""", StringComparison.Ordinal)
            .Replace("STRICT", """{"type":"function","function":{"name":"weather","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}""", StringComparison.Ordinal)));
        Assert.Equal((400, field), (error.Status, error.Field));
    }

    private static Dictionary<string, JsonElement> FieldsOf(string json) => JsonElement.Parse(json).EnumerateObject().ToDictionary(field => field.Name, field => field.Value);

    private static void RequireValid(string text)
    {
        JsonElement value = JsonElement.Parse(text);
        Assert.Equal(["age", "kind", "flags"], value.EnumerateObject().Select(property => property.Name));
        Assert.InRange(value.GetProperty("age").GetInt32(), 18, 99);
        Assert.Contains(value.GetProperty("kind").GetString(), new[] { "a", "ž" });
        Assert.All(value.GetProperty("flags").EnumerateArray(), flag => Assert.True(flag.ValueKind is JsonValueKind.True or JsonValueKind.False));
    }

    private static void RequireWeather(string arguments)
    {
        JsonElement value = JsonElement.Parse(arguments);
        Assert.InRange(value.GetProperty("days").GetInt32(), 1, 9);
        Assert.Contains(value.GetProperty("unit").GetString(), new[] { "C", "F" });
        Assert.Equal(2, value.GetPropertyCount());
    }
}
