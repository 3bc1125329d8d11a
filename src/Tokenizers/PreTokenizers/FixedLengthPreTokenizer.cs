namespace OpenEuroLLM.Tokenizers;

/// <summary>Pieces of a fixed number of characters; the last may be shorter.</summary>
/// <param name="Length">Characters, at least 1.</param>
internal sealed record FixedLengthPreTokenizer(int Length) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        for (int start = 0; start < piece.Length;)
        {
            int end = start;
            for (int count = 0; count < Length && end < piece.Length; count++)
                end += Characters.Read(piece.Bytes, end, out _);
            pieces.Add(piece.Slice(start, end));
            start = end;
        }
    }
}
