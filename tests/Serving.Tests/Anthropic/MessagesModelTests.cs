using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;

namespace OpenEuroLLM.Serving.Tests.Anthropic;

/// <summary>Anthropic's .NET client before a real model: the text, its end and the counts.</summary>
public sealed class MessagesModelTests(SmallModel model) : IClassFixture<SmallModel>
{
    // <|begin_of_text|><|user|>...<|end_of_turn|><|assistant|>, one token for each byte of text
    private const int Around = 4;

    [Fact]
    public async Task The_text_is_the_same_streamed_and_not_and_the_counts_are_exact()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        AnthropicClient client = OfficialClientTests.Connect(server);
        MessageCreateParams question = OfficialClientTests.Ask("Kdo jsi?", "small") with { System = "Buď stručný.", MaxTokens = 30 };

        Message whole = await client.Messages.Create(question, TestContext.Current.CancellationToken);
        var text = "";
        RawMessageStartEvent? start = null;
        RawMessageDeltaEvent? end = null;
        await foreach (RawMessageStreamEvent happened in client.Messages.CreateStreaming(question, TestContext.Current.CancellationToken))
        {
            if (happened.TryPickStart(out RawMessageStartEvent? first)) start = first;
            if (happened.TryPickDelta(out RawMessageDeltaEvent? last)) end = last;
            if (happened.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? piece) && piece.Delta.TryPickText(out TextDelta? said)) text += said.Text;
        }
        MessageTokensCount counted = await client.Messages.CountTokens(
            new MessageCountTokensParams { Model = "small", Messages = question.Messages, System = "Buď stručný." }, TestContext.Current.CancellationToken);

        Assert.NotEmpty(text);
        Assert.Equal(text, OfficialClientTests.TextOf(whole));
        // One turn more, with its two control tokens.
        int prompt = Around + "Kdo jsi?".Length + 2 + System.Text.Encoding.UTF8.GetByteCount("Buď stručný.");
        Assert.Equal((prompt, prompt, prompt), (whole.Usage.InputTokens, start!.Message.Usage.InputTokens, counted.InputTokens));
        Assert.Equal((whole.Usage.OutputTokens, whole.StopReason!.Raw()), (end!.Usage.OutputTokens, end.Delta.StopReason!.Raw()));
        Assert.InRange(whole.Usage.OutputTokens, 1, 30);
    }

    [Fact]
    public async Task Tokens_from_the_cache_are_counted_beside_the_others()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        AnthropicClient client = OfficialClientTests.Connect(server);
        MessageCreateParams question = OfficialClientTests.Ask(new string('q', 150), "small") with { MaxTokens = 4 };

        Message first = await client.Messages.Create(question, TestContext.Current.CancellationToken);
        Message second = await client.Messages.Create(question, TestContext.Current.CancellationToken);

        // Whole pages of 64 tokens are kept.
        Assert.Equal((150 + Around, 0L), (first.Usage.InputTokens, first.Usage.CacheReadInputTokens));
        Assert.Equal((150 + Around - 128, 128L), (second.Usage.InputTokens, second.Usage.CacheReadInputTokens));
        Assert.Equal(OfficialClientTests.TextOf(first), OfficialClientTests.TextOf(second));
    }

    [Fact]
    public async Task A_stop_sequence_ends_the_answer_before_it_and_is_named()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        AnthropicClient client = OfficialClientTests.Connect(server);
        string text = OfficialClientTests.TextOf(await client.Messages.Create(OfficialClientTests.Ask("Proč?", "small") with { MaxTokens = 40 }, TestContext.Current.CancellationToken));
        string stop = text.Skip(3).First(char.IsAscii).ToString();

        Message stopped = await client.Messages.Create(OfficialClientTests.Ask("Proč?", "small") with { MaxTokens = 40, StopSequences = ["never said", stop] }, TestContext.Current.CancellationToken);

        Assert.Equal((StopReason.StopSequence, stop), (stopped.StopReason!.Value(), stopped.StopSequence));
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], OfficialClientTests.TextOf(stopped));
    }

    [Fact]
    public async Task A_conversation_beyond_the_context_is_refused_with_the_counts()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        AnthropicClient client = OfficialClientTests.Connect(server);

        var prompt = await Assert.ThrowsAsync<AnthropicBadRequestException>(() => client.Messages.Create(OfficialClientTests.Ask(new string('x', 300), "small"), TestContext.Current.CancellationToken));
        var answer = await Assert.ThrowsAsync<AnthropicBadRequestException>(() => client.Messages.Create(OfficialClientTests.Ask("x", "small") with { MaxTokens = 1000 }, TestContext.Current.CancellationToken));

        Assert.Contains("304 tokens", prompt.ApiMessage, StringComparison.Ordinal);
        Assert.Contains("256", prompt.ApiMessage, StringComparison.Ordinal);
        Assert.Contains("Lower max_tokens to 251", answer.ApiMessage, StringComparison.Ordinal);
    }
}
