using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Makes spaces of the visible character; in the first token it is dropped unless nothing is ever put before a text.</summary>
internal sealed record MetaspaceDecoder(string Replacement, PrependScheme Prepend, bool Splits) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(this, next);

    public byte[] Inside(byte[] token) => Replace(token, " ");

    private byte[] Replace(ReadOnlySpan<byte> token, string with) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(token).Replace(Replacement, with, StringComparison.Ordinal));

    private sealed class Stream(MetaspaceDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private bool _isFirst = true;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            Pass(decoder.Replace(token, _isFirst && decoder.Prepend != PrependScheme.Never ? "" : " "));
            _isFirst = false;
        }
    }
}
