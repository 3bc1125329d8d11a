namespace OpenEuroLLM.Tokenizers;

/// <summary>Makes bytes of their printable characters; a token that holds other characters is text as it is. All tokens become one.</summary>
/// <param name="AddPrefixSpace">Means nothing here; kept for the file, as the others.</param>
/// <param name="TrimOffsets">See there.</param>
/// <param name="UseRegex">See there.</param>
internal sealed record ByteLevelDecoder(bool AddPrefixSpace = false, bool TrimOffsets = true, bool UseRegex = false) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(next);

    public byte[] Inside(byte[] token) => ByteAlphabet.ToBytes(System.Text.Encoding.UTF8.GetString(token)) ?? token;

    private sealed class Stream(DecoderStream next) : WholeTokenStream(next)
    {
        protected override void Decode(ReadOnlySpan<byte> token) => Next.Write(ByteAlphabet.ToBytes(System.Text.Encoding.UTF8.GetString(token)) ?? token);

        public override void End()
        {
            Next.EndToken();
            Next.End();
        }
    }
}
