namespace OpenEuroLLM.Tokenizers;

/// <summary>One piece a character; user-defined pieces are found before.</summary>
internal sealed class SentencePieceCharacterModel(SentencePieceVocabulary vocabulary) : ITokenModel
{
    public int VocabularySize => vocabulary.Size;

    public byte[]? TextOf(int id) => vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        var writer = new SentencePieceTokens(vocabulary, piece, tokens);
        for (int start = 0; start < piece.Length;)
        {
            int length = vocabulary.UserDefined.LongestPrefix(piece[start..]).Length;
            int end = start + (length > 0 ? length : Utf8Characters.FirstLength(piece[start..]));
            writer.Add(vocabulary.FindInText(piece[start..end]), start, end);
            start = end;
        }
    }
}
