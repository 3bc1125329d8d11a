using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The fast way of byte-level pair encoding: words are found in the bytes of the text, nothing is rewritten and no piece is allocated. It gives
/// the same as <see cref="GeneralPipeline"/>.</summary>
/// <param name="added">The added tokens.</param>
/// <param name="form">The normalization form of the text, or null; text that has it already, as most has, is not copied.</param>
/// <param name="model">Makes tokens of the bytes.</param>
internal sealed class BytePairPipeline(AddedTokens added, UnicodeForm? form, BpeModel model) : AlignedPipeline(added)
{
    public override void Encode(ReadOnlySpan<byte> text, List<int> ids, ControlPlaces control)
    {
        if (!Added.MatchesRaw(control))
        {
            EncodeText(text, ids, control.IsEverywhere);
            return;
        }
        var spans = new List<AddedTokenSpan>();
        Added.SplitRaw(text, control, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
                ids.Add(id);
            else
                EncodeText(text[span.Start..span.End], ids, control.IsEverywhere);
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

    protected override AlignedText Normalize(ReadOnlySpan<byte> source, int sourceStart)
    {
        var text = new AlignedText(source, sourceStart);
        form?.Normalize(text);
        return text;
    }

    protected override void EncodeStretch(AlignedText text, int from, int to, List<EncodedToken> tokens)
    {
        var ids = new List<int>();
        model.Encode(text.Bytes[from..to], ids);
        int position = from;
        foreach (int id in CollectionsMarshal.AsSpan(ids))
        {
            int next = position + model.Tokens[id]!.Length;
            var (start, end) = text.SourceOf(position, next);
            tokens.Add(new EncodedToken(id, start, end));
            position = next;
        }
    }
}
