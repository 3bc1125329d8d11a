namespace OpenEuroLLM.Tokenizers;

/// <summary>The pieces are <c>\w+|[^\w\s]+</c>: words, and runs of what is neither word nor white space.</summary>
internal sealed record WhiteSpacePreTokenizer : IPreTokenizer
{
    private enum Kind
    {
        WhiteSpace,
        Word,
        Other,
    }

    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        var bytes = piece.Bytes;
        int start = 0;
        var kind = Kind.WhiteSpace;
        for (int position = 0; position < bytes.Length;)
        {
            int length = Characters.Read(bytes, position, out int value);
            var next = Characters.IsWhiteSpace(value) ? Kind.WhiteSpace : Characters.IsWord(value) ? Kind.Word : Kind.Other;
            if (next != kind)
            {
                if (kind != Kind.WhiteSpace)
                    pieces.Add(piece.Slice(start, position));
                (kind, start) = (next, position);
            }
            position += length;
        }
        if (kind != Kind.WhiteSpace)
            pieces.Add(piece.Slice(start, piece.Length));
    }
}
