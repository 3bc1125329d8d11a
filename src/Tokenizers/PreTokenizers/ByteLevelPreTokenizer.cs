namespace OpenEuroLLM.Tokenizers;

/// <summary>Splits by the pattern of GPT-2 if wanted, and writes each byte as its printable character.</summary>
/// <param name="AddPrefixSpace">Whether a piece that does not begin with a space gets one.</param>
/// <param name="TrimOffsets">Means nothing here; kept for the file.</param>
/// <param name="UseRegex">Whether to split; false where another step has done it.</param>
internal sealed record ByteLevelPreTokenizer(bool AddPrefixSpace, bool TrimOffsets, bool UseRegex) : IPreTokenizer
{
    private static readonly TextPattern Words = new(SplitPatterns.Gpt2, SplitPatterns.Scanner.Gpt2);

    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        if (AddPrefixSpace && !piece.Bytes.StartsWith(" "u8))
            PrependNormalizer.Apply(piece, " "u8);
        int first = pieces.Count;
        if (UseRegex)
            Splits.At(piece, Words).AppendTo(pieces, SplitBehavior.Isolated);
        else
            pieces.Add(piece);
        for (int i = first; i < pieces.Count; i++)
            ByteLevelNormalizer.Apply(pieces[i]);
    }
}
