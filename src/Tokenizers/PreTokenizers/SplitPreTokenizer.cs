namespace OpenEuroLLM.Tokenizers;

/// <summary>Splits at the matches of a pattern.</summary>
/// <param name="Pattern">What is looked for.</param>
/// <param name="Behavior">What becomes of the matches.</param>
/// <param name="Invert">Whether the matches are the words, and what lies between them the delimiters.</param>
internal sealed record SplitPreTokenizer(TextPattern Pattern, SplitBehavior Behavior, bool Invert) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces) => Splits.At(piece, Pattern, Invert).AppendTo(pieces, Behavior);
}
