namespace OpenEuroLLM.Inference.Tests;

public sealed class SpeculationTests : IDisposable
{
    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    // Few kinds of tokens, so that the last ones were there before, and a low temperature, so that some guesses are right.
    public static TheoryData<Sampling> Settings =>
    [
        Sampling.Greedy, new Sampling(0.05, Seed: 3), new Sampling(1, TopK: 20, Seed: 4), new Sampling(0.3, TypicalP: 0.9, MinP: 0.02, Seed: 6),
        new Sampling(0, RepetitionPenalty: 1.05, PresencePenalty: 0.2, FrequencyPenalty: 0.1),
    ];

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task Guessing_ahead_changes_neither_tokens_nor_text_nor_likelihoods(Sampling sampling)
    {
        int[] prompt = SmallLlama.Tokens(90, 5, kinds: 3);
        var request = new GenerationRequest(new GenerationInput.Tokens(prompt), sampling, 150, IgnoreEnd: true, Logprobs: 3);
        using var engine = _model.Load(threads: 2);
        var plain = await SmallLlama.Collect(engine, request);
        foreach (var speculation in (Speculation[])[new(), new(1, 1, 1), new(16, 1, 3)])
        {
            var ahead = await SmallLlama.Collect(engine, request with { Speculation = speculation });
            Assert.Equal(SmallLlama.Said(plain), SmallLlama.Said(ahead));
            Assert.InRange(SmallLlama.UsageOf(ahead).AcceptedTokens, 0, SmallLlama.UsageOf(ahead).GuessedTokens);
        }
    }

    [Fact]
    public async Task Guesses_are_right_where_the_answer_repeats_itself()
    {
        using var engine = _model.Load();
        // One token far ahead of all others: the answer repeats it.
        var sampling = Sampling.Greedy with { LogitBias = new Dictionary<int, double> { [65] = 100 } };
        var request = SmallLlama.Request(SmallLlama.Tokens(10, 1)) with { Sampling = sampling, MaxTokens = 60, Speculation = new Speculation() };
        var events = await SmallLlama.Collect(engine, request);
        Assert.Equal(Enumerable.Repeat(65, 60), SmallLlama.Ids(events));
        var usage = SmallLlama.UsageOf(events);
        Assert.Equal(usage.GuessedTokens, usage.AcceptedTokens);
        Assert.True(usage.AcceptedTokens > 40);
    }

    [Fact]
    public async Task A_stop_text_inside_a_guess_ends_the_answer_and_nothing_behind_it_is_told()
    {
        using var engine = _model.Load();
        var sampling = Sampling.Greedy with { LogitBias = new Dictionary<int, double> { [65] = 100 } };
        var request = SmallLlama.Request(SmallLlama.Tokens(10, 1)) with { Sampling = sampling, MaxTokens = 60, Stop = [new string((char)65, 20)] };
        var plain = await SmallLlama.Collect(engine, request);
        var ahead = await SmallLlama.Collect(engine, request with { Speculation = new Speculation() });
        Assert.Equal(SmallLlama.Said(plain), SmallLlama.Said(ahead));
        Assert.Equal(20, SmallLlama.UsageOf(ahead).CompletionTokens);
    }

    [Fact]
    public async Task Guesses_in_a_full_batch_change_nothing_and_leave_no_page_behind()
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => SmallLlama.Request(SmallLlama.Tokens(60 + 9 * i, (ulong)i, kinds: 3), 40 + i, 0.05, (ulong)i))];
        var alone = new List<string>();
        using (var engine = _model.Load())
            foreach (var request in requests) alone.Add(SmallLlama.Said(await SmallLlama.Collect(engine, request)));
        using var busy = _model.Load(new EngineLimits(BatchRows: 20, Sequences: 5, CacheTokens: 1024), threads: 2);
        var together = await Task.WhenAll(requests.Select((request, i) => Task.Run(() => SmallLlama.Collect(busy, request with { Speculation = i % 3 == 0 ? null : new Speculation(6, 1, 4) }), TestContext.Current.CancellationToken)));
        Assert.Equal(alone, together.Select(SmallLlama.Said));
        Assert.True(SpinWait.SpinUntil(() => busy.Status is { Running: 0 } status && status.FreePages == status.TotalPages, TimeSpan.FromSeconds(20)));
    }
}
