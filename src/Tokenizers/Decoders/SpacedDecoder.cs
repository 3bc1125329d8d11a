namespace OpenEuroLLM.Tokenizers;

/// <summary>What a tokenizer without a decoder does: a space between two tokens.</summary>
internal sealed record SpacedDecoder : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(next);

    public byte[] Inside(byte[] token) => [(byte)' ', .. token];

    private sealed class Stream(DecoderStream next) : WholeTokenStream(next)
    {
        private bool _isFirst = true;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            if (!_isFirst)
                Pass(" "u8);
            _isFirst = false;
            Pass(token);
        }
    }
}
