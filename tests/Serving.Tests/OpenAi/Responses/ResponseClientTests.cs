#pragma warning disable OPENAI001 // the client calls its own interface to Responses a preview
using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Responses;
using OpenEuroLLM.Inference;
using ResponseItem = OpenAI.Responses.ResponseItem;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>OpenAI's own .NET client, unmodified, against the server: the small real model where text matters, a script where calls do.</summary>
public sealed class ResponseClientTests(SmallModel model) : IClassFixture<SmallModel>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_stream_is_the_whole_answer_in_pieces()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ResponsesClient client = Connect(server);

        ResponseResult whole = await client.CreateResponseAsync(Options("Kdo jsi?"), Cancellation);
        CreateResponseOptions options = Options("Kdo jsi?");
        options.StreamingEnabled = true;
        var kinds = new List<string>();
        string text = "", done = "";
        ResponseResult? last = null;
        int number = 0;
        await foreach (StreamingResponseUpdate update in await client.CreateResponseStreamingAsync(options, Cancellation))
        {
            kinds.Add(update.GetType().Name);
            Assert.Equal(number++, update.SequenceNumber);
            if (update is StreamingResponseOutputTextDeltaUpdate delta) text += delta.Delta;
            if (update is StreamingResponseOutputTextDoneUpdate end) done = end.Text;
            last = (update as StreamingResponseCompletedUpdate)?.Response ?? (update as StreamingResponseIncompleteUpdate)?.Response ?? last;
        }

        Assert.NotEmpty(text);
        Assert.Equal([whole.GetOutputText(), whole.GetOutputText(), whole.GetOutputText()], [text, done, last!.GetOutputText()]);
        Assert.Equal((whole.Status, whole.Usage.InputTokenCount, whole.Usage.OutputTokenCount), (last.Status, last.Usage.InputTokenCount, last.Usage.OutputTokenCount));
        Assert.Equal(
            [nameof(StreamingResponseCreatedUpdate), nameof(StreamingResponseInProgressUpdate), nameof(StreamingResponseOutputItemAddedUpdate), nameof(StreamingResponseContentPartAddedUpdate)], kinds[..4]);
        Assert.Equal([nameof(StreamingResponseOutputTextDoneUpdate), nameof(StreamingResponseContentPartDoneUpdate), nameof(StreamingResponseOutputItemDoneUpdate)], kinds[^4..^1]);
        Assert.All(kinds[4..^4], kind => Assert.Equal(nameof(StreamingResponseOutputTextDeltaUpdate), kind));
        MessageResponseItem message = Assert.IsAssignableFrom<MessageResponseItem>(Assert.Single(whole.OutputItems));
        Assert.Equal(MessageRole.Assistant, message.Role);
        Assert.Equal(("small", 0.7f), (whole.Model, whole.Temperature));
    }

    [Fact]
    public async Task A_chain_computes_the_same_tokens_as_the_conversation_sent_whole()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ResponsesClient client = Connect(server);

        ResponseResult first = await client.CreateResponseAsync(Options("Kdo jsi?"), Cancellation);
        CreateResponseOptions chained = Options("A proč?");
        chained.PreviousResponseId = first.Id;
        ResponseResult second = await client.CreateResponseAsync(chained, Cancellation);
        CreateResponseOptions whole = Options("Kdo jsi?");
        foreach (ResponseItem item in first.OutputItems) whole.InputItems.Add(item);
        whole.InputItems.Add(ResponseItem.CreateUserMessageItem("A proč?"));
        ResponseResult explicitly = await client.CreateResponseAsync(whole, Cancellation);
        CreateResponseOptions third = Options("Vážně?");
        third.PreviousResponseId = second.Id;
        ResponseResult last = await client.CreateResponseAsync(third, Cancellation);

        Assert.NotEmpty(second.GetOutputText());
        Assert.Equal(second.GetOutputText(), explicitly.GetOutputText());
        Assert.Equal(second.Usage.InputTokenCount, explicitly.Usage.InputTokenCount);
        Assert.Equal(second.Usage.OutputTokenCount, explicitly.Usage.OutputTokenCount);
        Assert.Equal(first.Id, second.PreviousResponseId);
        // <|begin_of_text|>, three tokens around each turn of before, two around the question
        Assert.True(last.Usage.InputTokenCount > second.Usage.InputTokenCount + 8);
    }

    [Fact]
    public async Task Responses_are_read_listed_and_deleted()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ResponsesClient client = Connect(server);
        CreateResponseOptions options = Options("Kdo jsi?");
        options.Instructions = "Buď stručný.";
        options.Metadata["spis"] = "7/26";
        ResponseResult response = await client.CreateResponseAsync(options, Cancellation);

        ResponseResult again = await client.GetResponseAsync(response.Id, Cancellation);
        var items = new List<ResponseItem>();
        await foreach (ResponseItem item in client.GetResponseInputItemsAsync(response.Id, Cancellation)) items.Add(item);
        ResponseDeletionResult deleted = await client.DeleteResponseAsync(response.Id, Cancellation);
        ClientResultException gone = await Assert.ThrowsAsync<ClientResultException>(async () => await client.GetResponseAsync(response.Id, Cancellation));
        CreateResponseOptions unstored = Options("Kdo jsi?");
        unstored.StoredOutputEnabled = false;
        ResponseResult never = await client.CreateResponseAsync(unstored, Cancellation);
        ClientResultException absent = await Assert.ThrowsAsync<ClientResultException>(async () => await client.GetResponseAsync(never.Id, Cancellation));

        Assert.Equal((response.GetOutputText(), "7/26"), (again.GetOutputText(), again.Metadata["spis"]));
        Assert.Equal("Kdo jsi?", Assert.IsAssignableFrom<MessageResponseItem>(Assert.Single(items)).Content[0].Text);
        Assert.True(deleted.Deleted);
        Assert.Equal((404, 404), (gone.Status, absent.Status));
    }

    [Fact]
    public async Task A_conversation_beyond_the_context_is_400_or_loses_its_beginning()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ResponsesClient client = Connect(server);
        CreateResponseOptions Long(ResponseTruncationMode mode)
        {
            CreateResponseOptions options = Options("Mluv česky.");
            options.InputItems.Clear();
            options.InputItems.Add(ResponseItem.CreateSystemMessageItem("Mluv česky."));
            for (int turn = 0; turn < 6; turn++)
            {
                options.InputItems.Add(ResponseItem.CreateUserMessageItem(new string('u', 40)));
                options.InputItems.Add(ResponseItem.CreateAssistantMessageItem(new string('a', 20)));
            }
            options.InputItems.Add(ResponseItem.CreateUserMessageItem("Kdo jsi?"));
            options.TruncationMode = mode;
            options.MaxOutputTokenCount = 20;
            return options;
        }

        ClientResultException refused = await Assert.ThrowsAsync<ClientResultException>(async () => await client.CreateResponseAsync(Long(ResponseTruncationMode.Disabled), Cancellation));
        ClientResult<ResponseResult> cut = await client.CreateResponseAsync(Long(ResponseTruncationMode.Auto), Cancellation);

        Assert.Equal(400, refused.Status);
        Assert.Contains("context_length_exceeded", refused.Message, StringComparison.Ordinal);
        // 13 tokens of the system, 64 of each exchange, 10 of the question and the opening of an answer: three exchanges leave 20 of 256.
        Assert.Equal(1 + (2 + 12) + (3 * (40 + 2 + 20 + 2)) + (8 + 2) + 1, cut.Value.Usage.InputTokenCount);
        Assert.True(cut.GetRawResponse().Headers.TryGetValue("x-oellm-dropped-items", out string? dropped));
        Assert.Equal("6", dropped);
    }

    [Fact]
    public async Task An_answer_that_was_cut_is_incomplete()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        CreateResponseOptions options = Options("Kdo jsi?");
        options.MaxOutputTokenCount = 2;

        ResponseResult response = await Connect(server).CreateResponseAsync(options, Cancellation);

        Assert.Equal((ResponseStatus.Incomplete, ResponseIncompleteStatusReason.MaxOutputTokens), (response.Status, response.IncompleteStatusDetails.Reason));
        Assert.Equal(2, response.Usage.OutputTokenCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tools_go_round(bool chained)
    {
        var engine = new ScriptedEngine { Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true } };
        var answer = engine.Script;
        engine.Script = (_, _) => ScriptedEngine.Events(new GenerationEvent.Reasoning(0, "Kde?"), new GenerationEvent.ToolCall(0, "call_1", "weather", """{"city":"Brno"}"""),
            new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(5, 5)));
        await using RunningServer server = await RunningServer.StartAsync(engine);
        ResponsesClient client = Connect(server);
        CreateResponseOptions options = Options("Jak bude?", "test-model");
        options.Tools.Add(ResponseTool.CreateFunctionTool("weather", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}"""), strictModeEnabled: false, "Počasí"));
        options.ReasoningOptions = new ResponseReasoningOptions { ReasoningEffortLevel = ResponseReasoningEffortLevel.Low };
        options.StreamingEnabled = true;

        string arguments = "";
        ResponseResult? first = null;
        await foreach (StreamingResponseUpdate update in await client.CreateResponseStreamingAsync(options, Cancellation))
        {
            if (update is StreamingResponseFunctionCallArgumentsDeltaUpdate delta) arguments += delta.Delta.ToString();
            if (update is StreamingResponseCompletedUpdate completed) first = completed.Response;
        }
        FunctionCallResponseItem call = Assert.IsType<FunctionCallResponseItem>(first!.OutputItems[1]);
        engine.Script = answer;
        CreateResponseOptions next = Options("Jak bude?", "test-model");
        if (chained)
        {
            next.InputItems.Clear();
            next.PreviousResponseId = first.Id;
        }
        else
        {
            foreach (ResponseItem item in first.OutputItems) next.InputItems.Add(item);
        }
        next.InputItems.Add(ResponseItem.CreateFunctionCallOutputItem(call.CallId, "déšť"));
        ResponseResult second = await client.CreateResponseAsync(next, Cancellation);

        Assert.Equal(("weather", "call_1", """{"city":"Brno"}""", arguments), (call.FunctionName, call.CallId, call.FunctionArguments.ToString(), """{"city":"Brno"}"""));
        Assert.Equal("Dobrý den", second.GetOutputText());
        IReadOnlyList<ChatMessage> messages = ((GenerationInput.Messages)engine.Requests.Last().Input).Items;
        Assert.Equal(["user", "assistant", "tool"], messages.Select(message => message.Role));
        Assert.Equal(new ToolCall("call_1", "weather", """{"city":"Brno"}"""), Assert.Single(messages[1].ToolCalls!));
        Assert.Equal("Kde?", messages[1].Reasoning);
        Assert.Equal(("déšť", "call_1", "weather"), (messages[2].Content, messages[2].ToolCallId, messages[2].Name));
        using JsonDocument schema = JsonDocument.Parse(((GenerationInput.Messages)engine.Requests.First().Input).Tools!.Single().Parameters!);
        Assert.Equal("object", schema.RootElement.GetProperty("type").GetString());
    }

    private static CreateResponseOptions Options(string question, string model = "small") =>
        new(model, [ResponseItem.CreateUserMessageItem(question)]) { Temperature = 0.7f, MaxOutputTokenCount = 32 };

    private static ResponsesClient Connect(RunningServer server) =>
        new(new ApiKeyCredential("none"), new ResponsesClientOptions { Endpoint = new Uri(server.Address, "/v1") });
}
