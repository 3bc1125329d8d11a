using System.Buffers;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The fast way of SentencePiece models for callers that want no places: text is normalized into memory that is used again. It gives the same as
/// <see cref="GeneralPipeline"/>.</summary>
internal sealed class SentencePiecePipeline(AddedTokens added, SentencePieceNormalizer normalizer, ITokenModel model) : TokenizerPipeline(added)
{
    private const int KeptBytes = 1 << 20;      // what a thread keeps between texts

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _threadText;

    [ThreadStatic]
    private static List<EncodedToken>? _threadTokens;

    // Bytes that are no valid UTF-8 are left to the normalizer, which looks at rules first.
    private readonly GeneralPipeline _general = new(added, normalizer, null, model, keepsBytes: true);

    public override void Encode(ReadOnlySpan<byte> text, List<EncodedToken> tokens, ControlPlaces control) => _general.Encode(text, tokens, control);

    public override void Encode(ReadOnlySpan<byte> text, List<int> ids, ControlPlaces control)
    {
        if (!Added.MatchesRaw(control))
        {
            EncodeText(text, ids);
            return;
        }
        var spans = new List<AddedTokenSpan>();
        Added.SplitRaw(text, control, spans);
        foreach (var span in spans)
        {
            if (span.Id is int id)
                ids.Add(id);
            else
                EncodeText(text[span.Start..span.End], ids);
        }
    }

    private void EncodeText(ReadOnlySpan<byte> text, List<int> ids)
    {
        var (normalized, tokens) = (_threadText ??= new ArrayBufferWriter<byte>(), _threadTokens ??= []);
        normalized.ResetWrittenCount();
        tokens.Clear();
        normalizer.Normalize(text, normalized);
        model.Encode(normalized.WrittenSpan, tokens);
        foreach (ref readonly var token in CollectionsMarshal.AsSpan(tokens))
            ids.Add(token.Id);
        if (normalized.Capacity > KeptBytes)
            (_threadText, _threadTokens) = (null, null);
    }
}
