using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace OpenEuroLLM.Chat.Tests;

/// <summary>The built-in model behind the interfaces of .NET.</summary>
public sealed class LocalModelTests(LocalModelTests.Loaded loaded) : IClassFixture<LocalModelTests.Loaded>
{
    private const string Question = "What is the capital of Austria?";
    private static readonly ChatOptions Greedy = new() { Temperature = 0, MaxOutputTokens = 16 };

    public sealed class Loaded : IDisposable
    {
        public LocalModel Model { get; } = LocalModel.Load(new LocalModelOptions(Folder, Threads: 2, CacheTokens: 4096));

        public void Dispose() => Model.Dispose();
    }

    private static string Root
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
            return folder;
        }
    }

    private static string Folder => Path.Combine(Root, "models", "europa-nano");

    /// <summary>What the engine itself answers.</summary>
    private async Task<string> Expected()
    {
        using var client = loaded.Model.AsChatClient();
        var engine = client.GetService<IInferenceEngine>()!;
        var text = "";
        var request = new GenerationRequest(new GenerationInput.Messages([new Inference.ChatMessage("user", Question)]), Sampling.Greedy, MaxTokens: 16);
        await foreach (var happened in engine.Generate(request, Ending))
            if (happened is GenerationEvent.Text piece) text += piece.Value;
        Assert.NotEmpty(text);
        return text;
    }

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_the_same_whole_and_in_pieces()
    {
        using var client = loaded.Model.AsChatClient();
        var whole = await client.GetResponseAsync([new ChatMessage(ChatRole.User, Question)], Greedy, Ending);
        var pieces = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, Question)], Greedy, Ending)) pieces.Add(update);
        Assert.Equal(await Expected(), whole.Text);
        Assert.Equal(whole.Text, string.Concat(pieces.Select(piece => piece.Text)));
        Assert.True(pieces.Count > 1);
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal("europa-nano", whole.ModelId);
        Assert.True(whole.Usage!.InputTokenCount > 5 && whole.Usage.OutputTokenCount > 0);
        Assert.Equal(whole.Usage.InputTokenCount + whole.Usage.OutputTokenCount, whole.Usage.TotalTokenCount);
        var cut = await client.GetResponseAsync([new ChatMessage(ChatRole.User, Question)], new ChatOptions { Temperature = 0, MaxOutputTokens = 1 }, Ending);
        Assert.Equal(ChatFinishReason.Length, cut.FinishReason);
        Assert.StartsWith(cut.Text, whole.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_goes_on_and_a_seed_repeats_an_answer()
    {
        using var client = loaded.Model.AsChatClient();
        var conversation = new List<ChatMessage> { new(ChatRole.System, "Answer briefly."), new(ChatRole.User, Question) };
        conversation.AddMessages(await client.GetResponseAsync(conversation, Greedy, Ending));
        conversation.Add(new ChatMessage(ChatRole.User, "And of Malta?"));
        var options = new ChatOptions { Temperature = 1.5f, Seed = 7, MaxOutputTokens = 12, TopP = 0.95f, StopSequences = ["\n"] };
        var first = await client.GetResponseAsync(conversation, options, Ending);
        var second = await client.GetResponseAsync(conversation, options, Ending);
        var other = await client.GetResponseAsync(conversation, new ChatOptions { Temperature = 1.5f, Seed = 8, MaxOutputTokens = 12, TopP = 0.95f }, Ending);
        Assert.Equal(first.Text, second.Text);
        Assert.NotEqual(first.Text, other.Text);
        Assert.True(second.Usage!.CachedInputTokenCount is not null);
    }

    public static TheoryData<string, ChatOptions> Unsupported => new()
    {
        { "ModelId is gpt; expected 'europa-nano'", new ChatOptions { ModelId = "gpt" } },
        { "ConversationId is 1; expected null", new ChatOptions { ConversationId = "1" } },
        { "ResponseFormat is JSON; expected text", new ChatOptions { ResponseFormat = ChatResponseFormat.Json } },
        { "Tools is HostedWebSearchTool; expected functions", new ChatOptions { Tools = [new HostedWebSearchTool()] } },
        { "AdditionalProperties['logit_lens'] is 1; expected one of", new ChatOptions { AdditionalProperties = new() { ["logit_lens"] = 1 } } },
        { "AdditionalProperties['min_p'] is much; expected a number", new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } } },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public async Task What_cannot_be_honoured_is_refused_by_name(string expected, ChatOptions options)
    {
        using var client = loaded.Model.AsChatClient();
        var refused = await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, Question)], options, Ending));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_engine_refuses_is_an_argument_exception_that_names_the_field()
    {
        using var client = loaded.Model.AsChatClient();
        Assert.Contains("temperature", (await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, Question)], new ChatOptions { Temperature = -1 }, Ending))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, string.Concat(Enumerable.Repeat(Question, 2000)))], Greedy, Ending));
        var image = new ChatMessage(ChatRole.User, [new TextContent("What is this?"), new DataContent(new byte[] { 1 }, "image/png")]);
        Assert.Contains("DataContent", (await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([image], Greedy, Ending))).Message, StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, Question)], Greedy, cancelled.Token));
    }

    [Fact]
    public async Task Embeddings_have_length_one_and_do_not_depend_on_their_company()
    {
        using var generator = loaded.Model.AsEmbeddingGenerator();
        var together = await generator.GenerateAsync(["Vienna is the capital of Austria.", "Il-Belt Valletta hija l-kapitali ta' Malta.", "Vienna is the capital of Austria."], cancellationToken: Ending);
        var alone = await generator.GenerateAsync(["Il-Belt Valletta hija l-kapitali ta' Malta."], cancellationToken: Ending);
        Assert.Equal(alone[0].Vector.ToArray(), together[1].Vector.ToArray());
        Assert.Equal(together[0].Vector.ToArray(), together[2].Vector.ToArray());
        Assert.NotEqual(together[0].Vector.ToArray(), together[1].Vector.ToArray());
        foreach (var each in together) Assert.Equal(1, each.Vector.ToArray().Sum(x => (double)x * x), 1e-5);
        Assert.True(together.Usage!.InputTokenCount > alone.Usage!.InputTokenCount);
        await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { Dimensions = 3 }, Ending));
    }

    [Fact]
    public async Task A_container_gives_the_model_and_ends_it()
    {
        LocalModel model;
        await using (var provider = new ServiceCollection().AddLocalModel(new LocalModelOptions(Folder, CacheTokens: 1024)).BuildServiceProvider())
        {
            model = provider.GetRequiredService<LocalModel>();
            var answer = await provider.GetRequiredService<IChatClient>().GetResponseAsync(Question, Greedy, Ending);
            Assert.Equal(await Expected(), answer.Text);
            Assert.Single(await provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().GenerateAsync(["text"], cancellationToken: Ending));
            Assert.Equal("europa-nano", provider.GetRequiredService<IChatClient>().GetService<ChatClientMetadata>()!.DefaultModelId);
        }
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => model.AsChatClient().GetResponseAsync(Question, Greedy, Ending));
    }

    [Fact]
    public void A_folder_that_is_no_model_is_refused_with_a_sentence() =>
        Assert.Contains("models", Assert.Throws<UserErrorException>(() => LocalModel.Load(Path.Combine(Root, "models"))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_sample_program_asks_the_model()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "chat-sample.dll"), Folder, Question }) start.ArgumentList.Add(argument);
        using var sample = Process.Start(start)!;
        var output = sample.StandardOutput.ReadToEndAsync(Ending);
        var errors = sample.StandardError.ReadToEndAsync(Ending);
        await sample.WaitForExitAsync(Ending);
        Assert.Equal("", await errors);
        Assert.Equal(0, sample.ExitCode);
        Assert.Equal($"{Question} -> {(await Expected()).Trim()}", (await output).TrimEnd());
    }
}
