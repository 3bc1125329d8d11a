namespace OpenEuroLLM.Tokenizers;

/// <summary>Decoders one after the other.</summary>
internal sealed record DecoderSequence(IReadOnlyList<IDecoder> Steps) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => Steps.Reverse().Aggregate(next, (stream, step) => step.Begin(stream));

    // Once tokens are fused there is one only, and what is done at its ends happens to no token inside.
    public byte[] Inside(byte[] token) => Steps.TakeWhile(step => step is not FuseDecoder).Concat(Steps.SkipWhile(step => step is not FuseDecoder).Where(step => step is not StripDecoder))
        .Aggregate(token, (bytes, step) => step.Inside(bytes));
}
