namespace OpenEuroLLM.Tokenizers;

/// <summary>The way with places for tokenizers whose text is normalized between two searches for added tokens: what is left of it is encoded in stretches.</summary>
internal abstract class AlignedPipeline(AddedTokens added) : TokenizerPipeline(added)
{
    public sealed override void Encode(ReadOnlySpan<byte> text, List<EncodedToken> tokens, ControlPlaces control)
    {
        var spans = new List<AddedTokenSpan>();
        Added.SplitRaw(text, control, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
                tokens.Add(new EncodedToken(id, span.Start, span.End));
            else
                EncodeNormalized(Normalize(text[span.Start..span.End], span.Start), tokens, control.IsEverywhere);
        }
    }

    /// <summary>Text without raw added tokens in its normal form.</summary>
    protected abstract AlignedText Normalize(ReadOnlySpan<byte> source, int sourceStart);

    /// <summary>Appends the tokens of a stretch of normalized text that holds no added token, with their places in the source.</summary>
    protected abstract void EncodeStretch(AlignedText text, int from, int to, List<EncodedToken> tokens);

    private void EncodeNormalized(AlignedText text, List<EncodedToken> tokens, bool allowSpecial)
    {
        var spans = new List<AddedTokenSpan>();
        Added.SplitNormalized(text.Bytes, allowSpecial, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
            {
                var (start, end) = text.SourceOf(span.Start, span.End);
                tokens.Add(new EncodedToken(id, start, end));
            }
            else
            {
                EncodeStretch(text, span.Start, span.End, tokens);
            }
        }
    }
}
