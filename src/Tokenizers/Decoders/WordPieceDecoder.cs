using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Puts a space before every token but the first and those that continue a word.</summary>
/// <param name="Prefix">What begins a token that continues a word.</param>
/// <param name="Cleanup">Whether spaces before punctuation and English contractions are removed.</param>
internal sealed record WordPieceDecoder(string Prefix, bool Cleanup) : IDecoder
{
    private static readonly (string From, string To)[] Cleanups =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public DecoderStream Begin(DecoderStream next) => new Stream(this, next);

    public byte[] Inside(byte[] token) => Decode(token, isFirst: false);

    /// <summary>A token without the spaces that English writing has not.</summary>
    public static string CleanUp(string token) => Cleanups.Aggregate(token, (text, cleanup) => text.Replace(cleanup.From, cleanup.To, StringComparison.Ordinal));

    private byte[] Decode(ReadOnlySpan<byte> token, bool isFirst)
    {
        string text = Encoding.UTF8.GetString(token);
        if (!isFirst)
            text = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : " " + text;
        return Encoding.UTF8.GetBytes(Cleanup ? CleanUp(text) : text);
    }

    private sealed class Stream(WordPieceDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private bool _isFirst = true;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            Pass(decoder.Decode(token, _isFirst));
            _isFirst = false;
        }
    }
}
