using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The fast way of byte-level pair encoding: words are found in the bytes of the text, nothing is rewritten and no piece is allocated. It gives
/// the same as <see cref="GeneralPipeline"/>.</summary>
/// <param name="added">The added tokens.</param>
/// <param name="form">The normalization form of the text, or null; text that has it already, as most has, is not copied.</param>
/// <param name="model">Makes tokens of the bytes.</param>
internal sealed class BytePairPipeline(AddedTokens added, UnicodeForm? form, BpeModel model) : TokenizerPipeline(added)
{
    public override void Encode(ReadOnlySpan<byte> text, List<int> ids, bool allowSpecial)
    {
        if (!Added.MatchesRaw(allowSpecial))
        {
            EncodeText(text, ids, allowSpecial);
            return;
        }
        var spans = new List<AddedTokenSpan>();
        Added.SplitRaw(text, allowSpecial, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
                ids.Add(id);
            else
                EncodeText(text[span.Start..span.End], ids, allowSpecial);
        }
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
            var piece = new AlignedText(text[span.Start..span.End], span.Start);
            form?.Normalize(piece);
            EncodeNormalized(piece, tokens, allowSpecial);
        }
    }

    private void EncodeText(ReadOnlySpan<byte> text, List<int> ids, bool allowSpecial)
    {
        if (form is not null && !form.Holds(text))
        {
            var normalized = new AlignedText(text);
            form.Normalize(normalized);
            text = normalized.Bytes;
        }
        if (!Added.MatchesNormalized(allowSpecial))
        {
            model.Encode(text, ids);
            return;
        }
        var spans = new List<AddedTokenSpan>();
        Added.SplitNormalized(text, allowSpecial, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
                ids.Add(id);
            else
                model.Encode(text[span.Start..span.End], ids);
        }
    }

    private void EncodeNormalized(AlignedText text, List<EncodedToken> tokens, bool allowSpecial)
    {
        var spans = new List<AddedTokenSpan>();
        Added.SplitNormalized(text.Bytes, allowSpecial, spans);
        var ids = new List<int>();
        foreach (var span in spans)
        {
            if (span.Id is int added)
            {
                var (start, end) = text.SourceOf(span.Start, span.End);
                tokens.Add(new EncodedToken(added, start, end));
                continue;
            }
            ids.Clear();
            model.Encode(text.Bytes[span.Start..span.End], ids);
            int position = span.Start;
            foreach (int id in CollectionsMarshal.AsSpan(ids))
            {
                int next = position + model.Tokens[id]!.Length;
                var (start, end) = text.SourceOf(position, next);
                tokens.Add(new EncodedToken(id, start, end));
                position = next;
            }
        }
    }
}
