using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The decoder of speech models: of equal tokens in a row one is kept, padding is dropped, the word delimiter is a space.</summary>
/// <param name="Padding">The token between two equal ones.</param>
/// <param name="WordDelimiter">What stands for a space.</param>
/// <param name="Cleanup">Whether spaces before punctuation are removed and delimiters replaced.</param>
internal sealed record CtcDecoder(string Padding, string WordDelimiter, bool Cleanup) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(this, next);

    public byte[] Inside(byte[] token)
    {
        string text = Without(Encoding.UTF8.GetString(token), Padding, "");
        return Encoding.UTF8.GetBytes(Cleanup ? Without(WordPieceDecoder.CleanUp(text), WordDelimiter, " ") : text);

        static string Without(string text, string content, string with) => content.Length == 0 ? text : text.Replace(content, with, StringComparison.Ordinal);
    }

    private sealed class Stream(CtcDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private byte[]? _last;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            if (_last is not null && token.SequenceEqual(_last))
                return;
            _last = token.ToArray();
            if (decoder.Inside(_last) is { Length: > 0 } text)
                Pass(text);
        }
    }
}
