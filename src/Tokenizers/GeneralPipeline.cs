using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The way of every tokenizer, step by step as the format means it.</summary>
/// <param name="added">The added tokens.</param>
/// <param name="normalizer">Rewrites text; null leaves it.</param>
/// <param name="preTokenizer">Splits text; null leaves it whole.</param>
/// <param name="model">Makes tokens of the pieces.</param>
/// <param name="keepsBytes">Whether bytes that are no valid UTF-8 are kept; otherwise each is a U+FFFD.</param>
internal sealed class GeneralPipeline(AddedTokens added, INormalizer? normalizer, IPreTokenizer? preTokenizer, ITokenModel model, bool keepsBytes) : AlignedPipeline(added)
{
    public override void Encode(ReadOnlySpan<byte> text, List<int> ids, ControlPlaces control)
    {
        var tokens = new List<EncodedToken>();
        Encode(text, tokens, control);
        foreach (var token in CollectionsMarshal.AsSpan(tokens))
            ids.Add(token.Id);
    }

    protected override AlignedText Normalize(ReadOnlySpan<byte> source, int sourceStart)
    {
        var text = keepsBytes ? new AlignedText(source, sourceStart) : AlignedText.Repaired(source, sourceStart);
        normalizer?.Normalize(text);
        return text;
    }

    protected override void EncodeStretch(AlignedText text, int from, int to, List<EncodedToken> tokens)
    {
        var piece = text.Slice(from, to);
        if (preTokenizer is null)
        {
            EncodePiece(piece, tokens);
            return;
        }
        var pieces = new List<AlignedText>();
        preTokenizer.Split(piece, pieces);
        foreach (var part in pieces)
            EncodePiece(part, tokens);
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
