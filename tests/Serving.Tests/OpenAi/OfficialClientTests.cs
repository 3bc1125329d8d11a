using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace OpenEuroLLM.Serving.Tests.OpenAi;

/// <summary>OpenAI's own .NET client, unmodified, against the server.</summary>
public sealed class OfficialClientTests
{
    private static readonly UserChatMessage Question = new("What is the capital of Finland?");

    [Fact]
    public async Task Lists_the_models()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        OpenAIModelClient client = Connect(server).GetOpenAIModelClient();

        OpenAIModelCollection models = await client.GetModelsAsync(TestContext.Current.CancellationToken);
        OpenAIModel model = await client.GetModelAsync("test-model", TestContext.Current.CancellationToken);

        Assert.Equal("test-model", Assert.Single(models).Id);
        Assert.Equal("local", model.OwnedBy);
    }

    [Fact]
    public async Task Completes_a_chat()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);
        var options = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 20, TopP = 0.5f, EndUserId = "someone" };
        options.StopSequences.Add("\n");

        ChatCompletion completion = await Connect(server).GetChatClient("test-model").CompleteChatAsync(
            [new SystemChatMessage("Answer shortly."), Question], options, TestContext.Current.CancellationToken);

        Assert.Equal("Dobrý den", completion.Content[0].Text);
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Stop, completion.FinishReason);
        Assert.Equal((5, 3, 8), (completion.Usage.InputTokenCount, completion.Usage.OutputTokenCount, completion.Usage.TotalTokenCount));
        Assert.True(engine.Requests.TryDequeue(out var request));
        Assert.Equal((20, 0d, 0.5), (request.MaxTokens, request.Sampling!.Temperature, request.Sampling.TopP));
        Assert.Equal(["\n"], request.Stop!);
    }

    [Fact]
    public async Task Streams_a_chat()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        var text = new List<string>();
        ChatTokenUsage? usage = null;
        OpenAI.Chat.ChatFinishReason? reason = null;
        ChatMessageRole? role = null;

        await foreach (StreamingChatCompletionUpdate update in Connect(server).GetChatClient("test-model")
            .CompleteChatStreamingAsync([Question], cancellationToken: TestContext.Current.CancellationToken))
        {
            text.AddRange(update.ContentUpdate.Select(part => part.Text).Where(piece => piece.Length > 0));
            role ??= update.Role;
            usage ??= update.Usage;
            reason ??= update.FinishReason;
        }

        Assert.Equal(["Dobrý ", "den"], text);
        Assert.Equal((ChatMessageRole.Assistant, OpenAI.Chat.ChatFinishReason.Stop), (role, reason));
        Assert.Equal(8, usage!.TotalTokenCount);
    }

    [Fact]
    public async Task Understands_the_errors()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        ClientResultException unknown = await Assert.ThrowsAsync<ClientResultException>(async () => await Connect(server).GetChatClient("other")
            .CompleteChatAsync([Question], cancellationToken: TestContext.Current.CancellationToken));
        ClientResultException tools = await Assert.ThrowsAsync<ClientResultException>(async () => await Connect(server).GetChatClient("test-model")
            .CompleteChatAsync([Question], new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("f") } }, TestContext.Current.CancellationToken));

        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(400, tools.Status);
        Assert.Contains("'tools' is not available", tools.Message, StringComparison.Ordinal);
    }

    internal static OpenAIClient Connect(RunningServer server) =>
        new(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") });
}
