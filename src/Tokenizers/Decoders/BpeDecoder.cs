using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Makes spaces of the suffix that ends words; of the last token it is dropped, so one token is held back.</summary>
internal sealed record BpeDecoder(string Suffix) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(this, next);

    public byte[] Inside(byte[] token) => Replace(token, " ");

    // An empty suffix stands everywhere: before each character and at the end.
    private byte[] Replace(ReadOnlySpan<byte> token, string with)
    {
        string text = Encoding.UTF8.GetString(token);
        return Encoding.UTF8.GetBytes(Suffix.Length > 0 ? text.Replace(Suffix, with, StringComparison.Ordinal) : with + string.Concat(text.EnumerateRunes().Select(rune => rune + with)));
    }

    private sealed class Stream(BpeDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private byte[]? _last;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            if (_last is not null)
                Pass(decoder.Replace(_last, " "));
            _last = token.ToArray();
        }

        public override void End()
        {
            if (_last is not null)
                Pass(decoder.Replace(_last, ""));
            Next.End();
        }
    }
}
