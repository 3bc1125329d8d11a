namespace OpenEuroLLM.Tokenizers;

/// <summary>One piece a word: every mark of a space begins one.</summary>
internal sealed class SentencePieceWordModel(SentencePieceVocabulary vocabulary) : ITokenModel
{
    private static ReadOnlySpan<byte> Mark => "▁"u8;

    public int VocabularySize => vocabulary.Size;

    public byte[]? TextOf(int id) => vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        var writer = new SentencePieceTokens(vocabulary, piece, tokens);
        int end;
        for (int start = 0; start < piece.Length; start = end)
        {
            int skipped = piece[(start + 1)..].IndexOf(Mark);
            end = skipped < 0 ? piece.Length : start + 1 + skipped;
            writer.Add(vocabulary.FindInText(piece[start..end]), start, end);
        }
    }
}
