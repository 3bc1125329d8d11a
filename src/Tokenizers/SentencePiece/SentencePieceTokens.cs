namespace OpenEuroLLM.Tokenizers;

/// <summary>Writes the tokens of one text: neighbouring unknown ones become one token, or each its bytes.</summary>
internal ref struct SentencePieceTokens(SentencePieceVocabulary vocabulary, ReadOnlySpan<byte> text, List<EncodedToken> tokens)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private bool _afterUnknown;

    /// <param name="id">The piece, or a negative number for an unknown one.</param>
    public void Add(int id, int start, int end)
    {
        if (id >= 0 && id != vocabulary.UnknownId)
        {
            tokens.Add(new EncodedToken(id, start, end));
            _afterUnknown = false;
        }
        else if (vocabulary.File.Training.ByteFallback)
        {
            for (int place = start; place < end; place++)
                tokens.Add(new EncodedToken(vocabulary.ByteIds[_text[place]], place, place + 1));
        }
        else if (_afterUnknown)
        {
            tokens[^1] = tokens[^1] with { End = end };
        }
        else
        {
            tokens.Add(new EncodedToken(vocabulary.UnknownId, start, end));
            _afterUnknown = true;
        }
    }
}
