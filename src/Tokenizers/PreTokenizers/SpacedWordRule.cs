namespace OpenEuroLLM.Tokenizers;

/// <summary>What the patterns of the family of GPT-2 differ in.</summary>
internal interface ISpacedWordOptions
{
    /// <summary>Whether every number was cut out before: it stands alone, and text ends there.</summary>
    static abstract bool SingleNumbers { get; }
}

/// <summary>The family of GPT-2: a word may take one space before it:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.</summary>
internal readonly struct SpacedWordRule<TOptions> : IWordRule where TOptions : struct, ISpacedWordOptions
{
    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        var first = CharacterClasses.Read(text, start, out int length);
        int next = start + length;
        if (text[start] == (byte)' ')
        {
            if (next == text.Length)
                return next;
            first = CharacterClasses.Read(text, next, out length);
            if ((first & CharacterClass.WhiteSpace) != 0)
                return SpacesEnd(text, start);
            if (TOptions.SingleNumbers && first == CharacterClass.Number)
                return next;
            next += length;
        }
        else if (text[start] == (byte)'\'' && SplitRules.ContractionEnd(text, start, ignoreCase: false) is > 0 and int contraction)
        {
            return contraction;
        }
        if ((first & CharacterClass.Letter) != 0)
            return CharacterClasses.Skip(text, next, CharacterClass.Letter);
        if (first == CharacterClass.Number)
            return TOptions.SingleNumbers ? next : CharacterClasses.Skip(text, next, CharacterClass.Number);
        if ((first & CharacterClass.WhiteSpace) != 0)
            return SpacesEnd(text, start);
        return CharacterClasses.SkipOthers(text, next, CharacterClass.WhiteSpace | CharacterClass.Letter | CharacterClass.Number);
    }

    private static int SpacesEnd(ReadOnlySpan<byte> text, int start) =>
        SplitRules.SpacesEnd(text, start, TOptions.SingleNumbers ? CharacterClass.Number : CharacterClass.Other);
}
