using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class LikelihoodTests : IDisposable
{
    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task A_prompts_likelihoods_are_those_of_the_scorer_also_in_small_pieces()
    {
        const string text = "some abc text that is scored twice, once in pieces";
        using var engine = _model.Load(new EngineLimits(BatchRows: 7, Sequences: 2));
        double expected = new Scorer(engine).Score([text], TestContext.Current.CancellationToken)[0].LogProbability;
        var events = await SmallLlama.Collect(engine, new GenerationRequest(new GenerationInput.TextInput(text), MaxTokens: 0, PromptLogprobs: 2));
        var prompt = events.OfType<GenerationEvent.PromptToken>().ToList();
        Assert.Equal([_model.Folder.Tokenizer.Chat.BeginOfText, .. _model.Folder.Tokenizer.Encode(text)], prompt.Select(token => token.Id));
        Assert.Null(prompt[0].Likelihood);
        Assert.Equal(expected, prompt.Skip(1).Sum(token => token.Likelihood!.LogProbability), 1e-3);
        Assert.All(prompt.Skip(1), token => Assert.Equal(2, token.Likelihood!.Alternatives.Count));
        Assert.Empty(SmallLlama.Ids(events));
        Assert.Equal((FinishReason.Length, 0), (events.OfType<GenerationEvent.Finished>().Single().Reason, SmallLlama.UsageOf(events).CompletionTokens));
    }

    [Fact]
    public async Task A_generated_tokens_likelihood_does_not_depend_on_how_it_was_chosen()
    {
        using var engine = _model.Load();
        var request = SmallLlama.Request(SmallLlama.Tokens(30, 1)) with { Logprobs = 3, MaxTokens = 20 };
        var sampling = new Sampling(1.7, TopK: 40, RepetitionPenalty: 1.3, PresencePenalty: 0.5, Seed: 8, LogitBias: new Dictionary<int, double> { [70] = 3 });
        var events = await SmallLlama.Collect(engine, request with { Sampling = sampling });
        int[] ids = SmallLlama.Ids(events);
        // The same tokens as a prompt.
        var echoed = await SmallLlama.Collect(engine, request with { Input = new GenerationInput.Tokens([.. SmallLlama.Tokens(30, 1), .. ids]), PromptLogprobs = 3, MaxTokens = 1 });
        Assert.Equal(
            echoed.OfType<GenerationEvent.PromptToken>().Skip(30).Select(token => token.Likelihood!.LogProbability),
            events.OfType<GenerationEvent.Token>().Select(token => token.Likelihood!.LogProbability));
        Assert.All(events.OfType<GenerationEvent.Token>(), token => Assert.True(token.Likelihood!.Alternatives[0].LogProbability >= token.Likelihood.LogProbability));
        Assert.All(events.OfType<GenerationEvent.Token>(), token => Assert.True(Numerics.Exp(token.Likelihood!.Alternatives.Sum(other => other.LogProbability)) < 1));
    }

    [Fact]
    public async Task Before_the_fewest_tokens_nothing_ends_an_answer()
    {
        using var engine = _model.Load();
        var sampling = Sampling.Greedy with { LogitBias = new Dictionary<int, double> { [66] = 100, [65] = 50 } };
        var request = SmallLlama.Request(SmallLlama.Tokens(5, 1)) with { Sampling = sampling, StopTokens = [66], MaxTokens = 20 };
        var events = await SmallLlama.Collect(engine, request);
        Assert.Equal(66, Assert.Single(SmallLlama.Ids(events)));
        Assert.Equal(FinishReason.Stop, events.OfType<GenerationEvent.Finished>().Single().Reason);
        Assert.Empty(events.OfType<GenerationEvent.Text>());
        int[] later = SmallLlama.Ids(await SmallLlama.Collect(engine, request with { MinTokens = 3 }));
        Assert.Equal([65, 65, 65, 66], later);
        string text = string.Concat((await SmallLlama.Collect(engine, request with { MinTokens = 3, Stop = ["B"] })).OfType<GenerationEvent.Text>().Select(piece => piece.Value));
        Assert.Equal(3, text.Length);
    }
}
