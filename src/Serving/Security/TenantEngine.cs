using System.Runtime.CompilerServices;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The engine as one caller may use it: the cache is shared with nobody else, the queue is shared fairly, and every token is charged to the key.</summary>
internal sealed class TenantEngine(IInferenceEngine engine) : WrappedEngine(engine)
{
    public override IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        if (Caller.Current is not { KeyId: string id, Use: KeyUse use }) return Inner.Generate(request, cancellation);
        // The id has a fixed length: no salt of one tenant can be put together to be another's.
        return ChargeAsync(Inner.Generate(request with { CacheSalt = id + request.CacheSalt, Tenant = id }, cancellation), use, cancellation);
    }

    public override IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        var found = Inner.Embed(inputs, pooling, normalize, cancellation);
        Caller.Current?.Use?.Charge(found.Sum(each => each.Tokens));
        return found;
    }

    private static async IAsyncEnumerable<GenerationEvent> ChargeAsync(
        IAsyncEnumerable<GenerationEvent> events, KeyUse use, [EnumeratorCancellation] CancellationToken cancellation)
    {
        bool prompt = false;
        await foreach (GenerationEvent happened in events.WithCancellation(cancellation).ConfigureAwait(false))
        {
            if (happened is GenerationEvent.Token) use.Charge(1);
            if (happened is GenerationEvent.Finished finished && !prompt)
            {
                // The choices of a request share its prompt.
                prompt = true;
                use.Charge(finished.Usage.PromptTokens);
            }
            yield return happened;
        }
    }
}
