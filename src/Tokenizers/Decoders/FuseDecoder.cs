namespace OpenEuroLLM.Tokenizers;

/// <summary>Makes one token of all.</summary>
internal sealed record FuseDecoder : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(next);

    public byte[] Inside(byte[] token) => token;

    private sealed class Stream(DecoderStream next) : DecoderStream
    {
        public override void Write(ReadOnlySpan<byte> part) => next.Write(part);

        public override void EndToken()
        {
        }

        public override void End()
        {
            next.EndToken();
            next.End();
        }
    }
}
