using System.Net;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Anthropic.Models.Models;
using OpenEuroLLM.Inference;
using ModelInfo = Anthropic.Models.Models.ModelInfo;
using Usage = OpenEuroLLM.Inference.Usage;

namespace OpenEuroLLM.Serving.Tests.Anthropic;

/// <summary>Anthropic's own .NET client, unmodified and with every answer checked against its schema, before engines that answer as told.</summary>
public sealed class OfficialClientTests
{
    private static readonly GenerationEvent[] TwoCalls =
    [
        new GenerationEvent.Token(0, 1), new GenerationEvent.Reasoning(0, "Two "), new GenerationEvent.Token(0, 2), new GenerationEvent.Reasoning(0, "calls."),
        new GenerationEvent.Token(0, 3), new GenerationEvent.Text(0, "Let me see."),
        new GenerationEvent.Token(0, 4), new GenerationEvent.ToolCall(0, "id1", "weather", """{"city":"Říše","days":[1,2]}"""),
        new GenerationEvent.Token(0, 5), new GenerationEvent.ToolCall(0, "id2", "time", "{}"),
        new GenerationEvent.Token(0, 6), new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(90, 6, 64)),
    ];

    private static readonly Tool Weather = new()
    {
        Name = "weather",
        Description = "The weather in a city",
        InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["city"] = JsonElement.Parse("""{"type":"string"}""") }, Required = ["city"] },
    };

    private static readonly Tool Time = new() { Name = "time", InputSchema = new InputSchema() };

    [Fact]
    public async Task Answers_a_message_and_passes_on_every_field()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);

        Message answer = await Connect(server).Messages.Create(Ask("Ahoj") with
        {
            System = new List<TextBlockParam> { new("Buď "), new("stručný.") { CacheControl = new CacheControlEphemeral() } },
            StopSequences = ["\n", "###"],
            Metadata = new Metadata { UserID = "someone" },
        }, TestContext.Current.CancellationToken);

        Assert.Equal("Dobrý den", TextOf(answer));
        Assert.Matches("^msg_[0-9a-f]{24}$", answer.ID);
        Assert.Equal(("test-model", StopReason.EndTurn), (answer.Model.Raw(), answer.StopReason!.Value()));
        Assert.Null(answer.StopSequence);
        Assert.Equal((5, 3, 0, 0), (answer.Usage.InputTokens, answer.Usage.OutputTokens, answer.Usage.CacheReadInputTokens, answer.Usage.CacheCreationInputTokens));
        GenerationRequest request = Assert.Single(engine.Requests);
        Assert.Equal((20, 1), (request.MaxTokens, request.Choices));
        Assert.Equal(["\n", "###"], request.Stop!);
        Assert.Equal([new ChatMessage("system", "Buď stručný."), new ChatMessage("user", "Ahoj")], Assert.IsType<GenerationInput.Messages>(request.Input).Items);
    }

    [Fact]
    public async Task Reads_thoughts_text_and_parallel_calls_and_sends_them_back_with_their_results()
    {
        ScriptedEngine engine = Thinking(TwoCalls);
        await using RunningServer server = await RunningServer.StartAsync(engine);
        AnthropicClient client = Connect(server);
        MessageCreateParams question = Ask("Praha?") with { Tools = [Weather, Time], Thinking = new ThinkingConfigEnabled(1024), ToolChoice = new ToolChoiceAuto() };

        Message first = await client.Messages.Create(question, TestContext.Current.CancellationToken);

        Assert.Equal(["thinking", "text", "tool_use", "tool_use"], first.Content.Select(block => block.Type.Raw()));
        Assert.True(first.Content[0].TryPickThinking(out ThinkingBlock? thinking));
        Assert.Equal("Two calls.", thinking.Thinking);
        Assert.True(first.Content[2].TryPickToolUse(out ToolUseBlock? weather));
        Assert.Equal(("id1", "weather", "Říše", "[1,2]"), (weather.ID, weather.Name, weather.Input["city"].GetString(), weather.Input["days"].GetRawText()));
        Assert.True(first.Content[3].TryPickToolUse(out ToolUseBlock? time));
        Assert.Equal(("id2", "time", 0), (time.ID, time.Name, time.Input.Count));
        Assert.Equal(StopReason.ToolUse, first.StopReason!.Value());
        // Tokens of the cache stand beside the others in this dialect.
        Assert.Equal((26, 64, 6), (first.Usage.InputTokens, first.Usage.CacheReadInputTokens, first.Usage.OutputTokens));

        await client.Messages.Create(question with
        {
            Messages =
            [
                new UserMessageParam("Praha?"),
                new AssistantMessageParam(new List<ContentBlockParam>
                {
                    new ThinkingBlockParam { Thinking = thinking.Thinking, Signature = thinking.Signature },
                    new TextBlockParam("Let me see."),
                    new ToolUseBlockParam { ID = weather.ID, Name = weather.Name, Input = weather.Input },
                    new ToolUseBlockParam { ID = time.ID, Name = time.Name, Input = time.Input },
                }),
                new UserMessageParam(new List<ContentBlockParam>
                {
                    new ToolResultBlockParam("id1") { Content = "rain" },
                    new ToolResultBlockParam("id2") { Content = new List<Block> { new TextBlockParam("noon") }, IsError = false },
                    new TextBlockParam("And now?"),
                }),
            ],
        }, TestContext.Current.CancellationToken);

        var seen = Assert.IsType<GenerationInput.Messages>(engine.Requests.Last().Input);
        Assert.Equal(["user", "assistant", "tool", "tool", "user"], seen.Items.Select(item => item.Role));
        Assert.Equal(("Let me see.", "Two calls."), (seen.Items[1].Content, seen.Items[1].Reasoning));
        Assert.Equal([("id1", "weather"), ("id2", "time")], seen.Items[1].ToolCalls!.Select(call => (call.Id, call.Name)));
        Assert.Equal("Říše", JsonElement.Parse(seen.Items[1].ToolCalls![0].Arguments).GetProperty("city").GetString());
        Assert.Equal([("id1", "rain"), ("id2", "noon")], seen.Items.Where(item => item.Role == "tool").Select(item => (item.ToolCallId!, item.Content)));
        Assert.Equal("""{"enable_thinking":true}""", seen.TemplateArguments);
        Assert.Equal(["weather", "time"], seen.Tools!.Select(tool => tool.Name));
        Assert.Equal("string", JsonElement.Parse(seen.Tools![0].Parameters!).GetProperty("properties").GetProperty("city").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Streams_thoughts_text_and_calls_as_blocks_one_after_the_other()
    {
        await using RunningServer server = await RunningServer.StartAsync(Thinking(TwoCalls));
        var thinking = "";
        var text = "";
        var arguments = new SortedDictionary<long, string>();
        var starts = new List<string>();
        RawMessageDeltaEvent? end = null;

        await foreach (RawMessageStreamEvent happened in Connect(server).Messages.CreateStreaming(Ask("?") with { Tools = [Weather, Time] }, TestContext.Current.CancellationToken))
        {
            if (happened.TryPickContentBlockStart(out RawContentBlockStartEvent? start)) starts.Add(start.ContentBlock.Type.Raw() + start.Index);
            if (happened.TryPickDelta(out RawMessageDeltaEvent? last)) end = last;
            if (!happened.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? piece)) continue;
            if (piece.Delta.TryPickThinking(out ThinkingDelta? thought)) thinking += thought.Thinking;
            if (piece.Delta.TryPickText(out TextDelta? said)) text += said.Text;
            if (piece.Delta.TryPickInputJson(out InputJsonDelta? input)) arguments[piece.Index] = arguments.GetValueOrDefault(piece.Index) + input.PartialJson;
        }

        Assert.Equal(["thinking0", "text1", "tool_use2", "tool_use3"], starts);
        Assert.Equal(("Two calls.", "Let me see."), (thinking, text));
        Assert.Equal(["""{"city":"Říše","days":[1,2]}""", "{}"], arguments.Values);
        Assert.Equal(StopReason.ToolUse, end!.Delta.StopReason!.Value());
        Assert.Equal((26L, 64L, 6L), (end.Usage.InputTokens, end.Usage.CacheReadInputTokens, end.Usage.OutputTokens));
    }

    [Fact]
    public async Task Says_why_an_answer_ended()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);
        AnthropicClient client = Connect(server);

        Message cut = await client.Messages.Create(Ask("?") with { MaxTokens = 1 }, TestContext.Current.CancellationToken);
        engine.Script = (_, _) => ScriptedEngine.Events(new GenerationEvent.Text(0, "a"), new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(1, 2), "###"));
        Message stopped = await client.Messages.Create(Ask("?") with { StopSequences = ["###"] }, TestContext.Current.CancellationToken);

        Assert.Equal((StopReason.MaxTokens, null), (cut.StopReason!.Value(), cut.StopSequence));
        Assert.Equal((StopReason.StopSequence, "###"), (stopped.StopReason!.Value(), stopped.StopSequence));
    }

    [Fact]
    public async Task Lists_models_where_the_other_dialect_has_its_own()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        AnthropicClient client = Connect(server);
        CancellationToken cancellation = TestContext.Current.CancellationToken;

        ModelInfo listed = Assert.Single((await client.Models.List(cancellationToken: cancellation)).Items);
        ModelInfo named = await client.Models.Retrieve("test-model", cancellationToken: cancellation);

        Assert.Equal(("test-model", "test-model", new ScriptedEngine().Info.ContextLength), (listed.ID, named.DisplayName, listed.MaxInputTokens));
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<AnthropicNotFoundException>(() => client.Models.Retrieve("other", cancellationToken: cancellation))).StatusCode);
        Assert.Contains("expected 1 to 1000", (await Assert.ThrowsAsync<AnthropicBadRequestException>(() => client.Models.List(new ModelListParams { Limit = 0 }, cancellation))).Message);
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Contains("\"object\":\"list\"", await http.GetStringAsync("v1/models", cancellation));
    }

    private static ScriptedEngine Thinking(GenerationEvent[] events) => new()
    {
        Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true },
        Script = (_, _) => ScriptedEngine.Events(events),
    };

    internal static MessageCreateParams Ask(string text, string model = "test-model") => new() { Model = model, MaxTokens = 20, Messages = [new UserMessageParam(text)] };

    internal static string TextOf(Message answer) => string.Concat(answer.Content.Select(block => block.TryPickText(out TextBlock? text) ? text.Text : ""));

    internal static AnthropicClient Connect(RunningServer server) => Connect(server.Address, "none");

    internal static AnthropicClient Connect(Uri address, string? key, string? token = null) =>
        new() { BaseUrl = address.ToString(), ApiKey = key, AuthToken = token, MaxRetries = 0, ResponseValidation = true };
}
