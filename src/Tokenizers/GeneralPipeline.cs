using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The way of every tokenizer, step by step as the format means it.</summary>
/// <param name="added">The added tokens.</param>
/// <param name="normalizer">Rewrites text; null leaves it.</param>
/// <param name="preTokenizer">Splits text; null leaves it whole.</param>
/// <param name="model">Makes tokens of the pieces.</param>
/// <param name="keepsBytes">Whether bytes that are no valid UTF-8 are kept; otherwise each is a U+FFFD.</param>
internal sealed class GeneralPipeline(AddedTokens added, INormalizer? normalizer, IPreTokenizer? preTokenizer, ITokenModel model, bool keepsBytes) : TokenizerPipeline(added)
{
    public override void Encode(ReadOnlySpan<byte> text, List<int> ids, bool allowSpecial)
    {
        var tokens = new List<EncodedToken>();
        Encode(text, tokens, allowSpecial);
        foreach (var token in CollectionsMarshal.AsSpan(tokens))
            ids.Add(token.Id);
    }

    public override void Encode(ReadOnlySpan<byte> text, List<EncodedToken> tokens, bool allowSpecial)
    {
        var spans = new List<AddedTokenSpan>();
        Added.SplitRaw(text, allowSpecial, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
            {
                tokens.Add(new EncodedToken(id, span.Start, span.End));
                continue;
            }
            var source = text[span.Start..span.End];
            var piece = keepsBytes ? new AlignedText(source, span.Start) : AlignedText.Repaired(source, span.Start);
            normalizer?.Normalize(piece);
            EncodeNormalized(piece, tokens, allowSpecial);
        }
    }

    private void EncodeNormalized(AlignedText text, List<EncodedToken> tokens, bool allowSpecial)
    {
        var spans = new List<AddedTokenSpan>();
        Added.SplitNormalized(text.Bytes, allowSpecial, spans);
        var pieces = new List<AlignedText>();
        foreach (var span in spans)
        {
            if (span.Id is int id)
            {
                var (start, end) = text.SourceOf(span.Start, span.End);
                tokens.Add(new EncodedToken(id, start, end));
                continue;
            }
            var piece = text.Slice(span.Start, span.End);
            if (preTokenizer is null)
            {
                EncodePiece(piece, tokens);
                continue;
            }
            pieces.Clear();
            preTokenizer.Split(piece, pieces);
            foreach (var part in pieces)
                EncodePiece(part, tokens);
        }
    }

    private void EncodePiece(AlignedText piece, List<EncodedToken> tokens)
    {
        if (piece.Length == 0)
            return;
        int first = tokens.Count;
        model.Encode(piece.Bytes, tokens);
        foreach (ref var token in CollectionsMarshal.AsSpan(tokens)[first..])
        {
            var (start, end) = piece.SourceOf(token.Start, token.End);
            token = token with { Start = start, End = end };
        }
    }
}
