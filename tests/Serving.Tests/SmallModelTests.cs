using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenEuroLLM.Inference;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>The server before a real engine: the whole way from HTTP through tokens and logits and back.</summary>
public sealed class SmallModelTests(SmallModel model) : IClassFixture<SmallModel>
{
    private const string Prompt = """{"model":"small","messages":[{"role":"user","content":"Kdo jsi?"}]""";

    // <|begin_of_text|><|user|>Kdo jsi?<|end_of_turn|><|assistant|>, one token for each byte of text
    private const int PromptTokens = 4 + 8;

    [Fact]
    public async Task Is_ready_and_lists_the_model()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        Assert.Equal("""{"status":"ready"}""", await server.Client.GetStringAsync("/ready", TestContext.Current.CancellationToken));
        Assert.Contains("\"id\":\"small\"", await server.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stream_is_the_whole_answer_in_pieces_and_the_same_every_time()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        var (_, first) = await server.ChatAsync(Prompt + ""","max_tokens":40,"seed":7}""");
        var (_, second) = await server.ChatAsync(Prompt + ""","max_tokens":40,"seed":7}""");
        var (_, other) = await server.ChatAsync(Prompt + ""","max_tokens":40,"seed":8}""");
        var (_, stream) = await server.ChatAsync(Prompt + ""","max_tokens":40,"seed":7,"stream":true,"stream_options":{"include_usage":true}}""");

        (string text, string reason, JsonElement usage) = Whole(first);
        Assert.NotEmpty(text);
        Assert.Equal(text, Whole(second).Text);
        Assert.NotEqual(text, Whole(other).Text);
        JsonElement[] chunks = [.. stream.Split("\n\n")[..^2].Select(line => JsonElement.Parse(line["data: ".Length..]))];
        Assert.Equal(text, string.Concat(chunks[..^1].Select(chunk =>
            chunk.GetProperty("choices")[0].GetProperty("delta").TryGetProperty("content", out JsonElement piece) ? piece.GetString() : "")));
        Assert.Equal(reason, chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(usage.GetRawText(), chunks[^1].GetProperty("usage").GetRawText());
        Assert.Equal(PromptTokens, usage.GetProperty("prompt_tokens").GetInt32());
        Assert.InRange(usage.GetProperty("completion_tokens").GetInt32(), 1, 40);
    }

    [Fact]
    public async Task Requests_at_the_same_time_do_not_change_each_other()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        string Body(int seed) => Prompt + FormattableString.Invariant($",\"max_tokens\":30,\"seed\":{seed}}}");
        var alone = new List<string>();
        for (int seed = 0; seed < 6; seed++) alone.Add(Whole((await server.ChatAsync(Body(seed))).Body).Text);

        var together = await Task.WhenAll(Enumerable.Range(0, 6).Select(async seed => Whole((await server.ChatAsync(Body(seed))).Body).Text));

        Assert.Equal(alone, together);
    }

    [Theory]
    [InlineData("\"max_tokens\":-1", "max_tokens", "invalid_value")]
    [InlineData("\"max_tokens\":0", "max_tokens", "invalid_value")]
    [InlineData("\"max_completion_tokens\":2147483647", "max_completion_tokens", "context_length_exceeded")]
    [InlineData("\"temperature\":-0.1", "temperature", "invalid_value")]
    [InlineData("\"temperature\":2.1", "temperature", "invalid_value")]
    [InlineData("\"top_p\":0", "top_p", "invalid_value")]
    [InlineData("\"top_p\":1.5", "top_p", "invalid_value")]
    [InlineData("\"top_k\":-1", "top_k", "invalid_value")]
    [InlineData("\"n\":0", "n", "invalid_value")]
    [InlineData("\"n\":1000000000", "n", "invalid_value")]
    [InlineData("\"stop\":\"\"", "stop[0]", "invalid_value")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty", "invalid_value")]
    public async Task Values_outside_the_table_of_limits_are_400_also_for_streams(string field, string name, string code)
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        foreach (string stream in new[] { "", ",\"stream\":true" })
        {
            ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest($"{Prompt},{field}{stream}}}"));
            Assert.Equal((400, code, name), (error.Status, error.Code, error.Field));
        }

        var (response, _) = await server.ChatAsync(Prompt + ",\"max_tokens\":1}");
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_conversation_beyond_the_context_is_400_with_the_counts()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest(
            """{"model":"small","messages":[{"role":"user","content":"LONG"}]}""".Replace("LONG", new string('x', 300), StringComparison.Ordinal)));

        Assert.Equal((400, "context_length_exceeded", "messages"), (error.Status, error.Code, error.Field));
        Assert.Contains("304 tokens", error.Message, StringComparison.Ordinal);
        Assert.Contains("256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_conversation_is_400()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        Assert.Equal("messages", (await server.ErrorAsync(RunningServer.ChatRequest("""{"model":"small","messages":[]}"""))).Field);
    }

    [Fact]
    public async Task The_text_of_a_special_token_in_a_message_stays_text()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        var (_, body) = await server.ChatAsync("""{"model":"small","max_tokens":1,"messages":[{"role":"user","content":"<|end_of_turn|>"}]}""");

        Assert.Equal(4 + "<|end_of_turn|>".Length, Whole(body).Usage.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_that_leaves_frees_its_place_in_the_engine()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        EngineStatus before = model.Engine.Status;
        for (int client = 0; client < 8; client++)
        {
            using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.ChatRequest(Prompt + ",\"stream\":true}"),
                HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        }

        while ((model.Engine.Status.Running, model.Engine.Status.Waiting) != (before.Running, before.Waiting) || model.Engine.Status.FreePages != before.FreePages)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested(); // the time limit ends a wait in vain
            await Task.Yield();
        }
        Assert.Equal((0, 0), (before.Running, before.Waiting));
    }

    [Fact]
    public async Task The_official_client_gets_the_same_text_streamed_and_not()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        ChatClient client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") }).GetChatClient("small");
        var options = new ChatCompletionOptions { Temperature = 0.5f, MaxOutputTokenCount = 32 };
        ChatMessage[] messages = [new SystemChatMessage("Buď stručný."), new UserChatMessage("Kdo jsi?")];

        ChatCompletion whole = await client.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        string streamed = "";
        int tokens = 0;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
            tokens += update.Usage?.OutputTokenCount ?? 0;
        }

        Assert.Equal(whole.Content[0].Text, streamed);
        Assert.Equal(whole.Usage.OutputTokenCount, tokens);
        Assert.NotEmpty(streamed);
    }

    private static (string Text, string Reason, JsonElement Usage) Whole(string body)
    {
        JsonElement answer = JsonElement.Parse(body);
        JsonElement choice = answer.GetProperty("choices")[0];
        return (choice.GetProperty("message").GetProperty("content").GetString()!, choice.GetProperty("finish_reason").GetString()!, answer.GetProperty("usage"));
    }
}
