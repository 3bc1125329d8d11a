namespace OpenEuroLLM.Tokenizers;

/// <summary>What holds at a place between characters.</summary>
internal static class RegexAnchors
{
    public static bool Holds(RegexAnchorKind kind, ReadOnlySpan<byte> text, int position) => kind switch
    {
        RegexAnchorKind.LineStart => position == 0 || (text[position - 1] == '\n' && position < text.Length),
        RegexAnchorKind.LineEnd => position == text.Length || text[position] == '\n',
        RegexAnchorKind.TextStart => position == 0,
        RegexAnchorKind.TextEnd => position == text.Length,
        RegexAnchorKind.TextEndOrLastBreak => position == text.Length || (position == text.Length - 1 && text[position] == '\n'),
        RegexAnchorKind.WordBoundary => IsBoundary(text, position),
        _ => !IsBoundary(text, position),
    };

    private static bool IsBoundary(ReadOnlySpan<byte> text, int position)
    {
        bool before = position > 0 && UnicodeSets.WordCharacter.Contains(CodePoints.ReadBefore(text, position, out _));
        bool after = position < text.Length && UnicodeSets.WordCharacter.Contains(CodePoints.Read(text, position, out _));
        return before != after;
    }
}
