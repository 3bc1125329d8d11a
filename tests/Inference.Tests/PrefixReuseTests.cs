namespace OpenEuroLLM.Inference.Tests;

public sealed class PrefixReuseTests : IDisposable
{
    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    private static int[] Prompt(int shared, int own, ulong seed) => [.. SmallLlama.Tokens(shared, 1), .. SmallLlama.Tokens(own, seed)];

    private async Task<string> Cold(GenerationRequest request)
    {
        using var engine = _model.Load();
        return SmallLlama.Said(await SmallLlama.Collect(engine, request));
    }

    [Fact]
    public async Task A_beginning_that_was_there_before_is_not_computed_again_and_the_answer_has_the_same_bits()
    {
        using var engine = _model.Load();
        var first = SmallLlama.Request(Prompt(150, 20, 2)) with { Logprobs = 2 };
        var second = SmallLlama.Request(Prompt(150, 30, 3), seed: 9) with { Logprobs = 2 };
        Assert.Equal(0, SmallLlama.UsageOf(await SmallLlama.Collect(engine, first)).CachedTokens);
        var warm = await SmallLlama.Collect(engine, second);
        Assert.Equal(128, SmallLlama.UsageOf(warm).CachedTokens);
        Assert.Equal(await Cold(second), SmallLlama.Said(warm));
        Assert.Equal((350, 128), (engine.Status.PromptTokens, engine.Status.CachedTokens));
        // The answer is kept too: a conversation goes on behind it.
        var longer = SmallLlama.Request(Prompt(150, 20, 2), 60);
        int[] answer = SmallLlama.Ids(await SmallLlama.Collect(engine, longer));
        var next = SmallLlama.Request([.. Prompt(150, 20, 2), .. answer, 7, 8]);
        var went = await SmallLlama.Collect(engine, next);
        Assert.Equal(192, SmallLlama.UsageOf(went).CachedTokens);
        Assert.Equal(await Cold(next), SmallLlama.Said(went));
    }

    [Fact]
    public async Task The_last_token_of_a_prompt_is_always_computed()
    {
        using var engine = _model.Load();
        var request = SmallLlama.Request(SmallLlama.Tokens(128, 1));
        string cold = SmallLlama.Said(await SmallLlama.Collect(engine, request));
        var warm = await SmallLlama.Collect(engine, request);
        Assert.Equal(64, SmallLlama.UsageOf(warm).CachedTokens);
        Assert.Equal(cold, SmallLlama.Said(warm));
    }

    [Fact]
    public async Task Another_tenant_finds_nothing()
    {
        using var engine = _model.Load();
        var request = SmallLlama.Request(SmallLlama.Tokens(200, 1)) with { CacheSalt = "one" };
        await SmallLlama.Collect(engine, request);
        Assert.Equal(0, SmallLlama.UsageOf(await SmallLlama.Collect(engine, request with { CacheSalt = "two" })).CachedTokens);
        Assert.Equal(0, SmallLlama.UsageOf(await SmallLlama.Collect(engine, request with { CacheSalt = null })).CachedTokens);
        Assert.Equal(192, SmallLlama.UsageOf(await SmallLlama.Collect(engine, request)).CachedTokens);
    }

    [Fact]
    public async Task Mixed_batches_under_pressure_with_cancelled_requests_give_the_bits_of_cold_runs()
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 12).Select(i => SmallLlama.Request(Prompt(64 * (1 + i % 4), 5 + 10 * i, (ulong)(20 + i / 2)), 8 + i, i % 2, (ulong)i))];
        var cold = new List<string>();
        foreach (var request in requests) cold.Add(await Cold(request));

        // Nine pages: two or three sequences fit, and what is kept of others must go.
        using var engine = _model.Load(new EngineLimits(BatchRows: 50, Sequences: 4, CacheTokens: 9 * 64), threads: 2);
        for (int round = 0; round < 2; round++)
        {
            using var leaving = new CancellationTokenSource();
            var left = Task.Run(async () =>
            {
                await foreach (var _ in engine.Generate(SmallLlama.Request(Prompt(256, 40, 99), 60), leaving.Token)) await leaving.CancelAsync();
            }, TestContext.Current.CancellationToken);
            var together = await Task.WhenAll(requests.Select(request => Task.Run(() => SmallLlama.Collect(engine, request), TestContext.Current.CancellationToken)));
            Assert.Equal(cold, together.Select(SmallLlama.Said));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        Assert.True(engine.Status.CachedTokens > 0);
        Assert.True(SpinWait.SpinUntil(() => engine.Status is { Running: 0, FreePages: 9 }, TimeSpan.FromSeconds(20)));
    }
}
