using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class TenantAnswerTests : IDisposable
{
    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task An_answer_has_the_same_bits_whoever_else_asks_and_in_whatever_order()
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 20).Select(i => SmallLlama.Request(SmallLlama.Tokens(3 + (i * 17 % 180), (ulong)i), 4 + i, i % 3 * 0.6, (ulong)i) with { Logprobs = 1 })];
        var alone = new List<string>();
        using (var engine = _model.Load())
            foreach (var request in requests) alone.Add(SmallLlama.Said(await SmallLlama.Collect(engine, request)));
        var random = new CounterRandom(5, 5);
        for (int round = 0; round < 4; round++)
        {
            using var engine = _model.Load(new EngineLimits(BatchRows: 20 + (40 * round), Sequences: 3 + round));
            var together = await Task.WhenAll(requests.Select((request, i) => Task.Run(() => SmallLlama.Collect(engine, request with
            {
                Tenant = $"tenant {(int)(random.UniformAt((ulong)((round * 100) + i)) * 4)}",
                Priority = (int)(random.UniformAt((ulong)((round * 100) + i + 50)) * 3),
            }), TestContext.Current.CancellationToken)));
            Assert.Equal(alone, together.Select(SmallLlama.Said));
        }
    }

    [Fact]
    public async Task A_tenants_name_has_a_length()
    {
        using var engine = _model.Load();
        var error = await Assert.ThrowsAsync<RequestException>(() => SmallLlama.Collect(engine, SmallLlama.Request([1]) with { Tenant = "" }));
        Assert.Equal("tenant", error.Field);
    }
}
