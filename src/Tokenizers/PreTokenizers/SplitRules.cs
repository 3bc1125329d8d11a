namespace OpenEuroLLM.Tokenizers;

/// <summary>What well-known split patterns have in common: contractions, runs of white space, runs of numbers.</summary>
internal static class SplitRules
{
    /// <summary>The end of <c>'(?i:s|t|re|ve|m|ll|d)</c> at a position, or 0.</summary>
    /// <remarks>U+017F (long s) folds to s and is the only character outside ASCII that folds to one of these letters.</remarks>
    public static int ContractionEnd(ReadOnlySpan<byte> text, int position, bool ignoreCase)
    {
        if (position + 1 >= text.Length || text[position] != (byte)'\'')
            return 0;
        int fold = ignoreCase ? 0x20 : 0;
        int first = text[position + 1] | fold;
        int second = position + 2 < text.Length ? text[position + 2] | fold : 0;
        return first switch
        {
            's' or 't' or 'm' or 'd' => position + 2,
            'r' or 'v' when second == 'e' => position + 3,
            'l' when second == 'l' => position + 3,
            _ => ignoreCase && text[(position + 1)..].StartsWith("\u017F"u8) ? position + 3 : 0,
        };
    }

    /// <summary>The end of up to so many numbers.</summary>
    public static int NumbersEnd(ReadOnlySpan<byte> text, int position, int most)
    {
        if (most == int.MaxValue)
            return CharacterClasses.Skip(text, position, CharacterClass.Number);
        for (; most > 0 && position < text.Length; most--)
        {
            if (CharacterClasses.Read(text, position, out int length) != CharacterClass.Number)
                break;
            position += length;
        }
        return position;
    }

    /// <summary>The end of <c>\s+(?!\S)|\s+</c>: all of the run at the end of the text; else all but its last character, which goes with what
    /// follows; else that one character.</summary>
    public static int SpacesEnd(ReadOnlySpan<byte> text, int start, CharacterClass alsoAnEnd = CharacterClass.Other)
    {
        int lastCharacter = start;
        int position = start;
        while (position < text.Length)
        {
            var found = CharacterClasses.Read(text, position, out int length);
            if ((found & CharacterClass.WhiteSpace) == 0)
                return lastCharacter == start || (found & alsoAnEnd) != 0 ? position : lastCharacter;
            lastCharacter = position;
            position += length;
        }
        return position;
    }

    /// <summary>The end of <c>\s*[\r\n]+|\s+(?!\S)|\s+</c>: up to the last line break of the run, else as without line breaks.</summary>
    /// <param name="wholeAtEnd">Whether a run at the end of the text is one word (<c>\s++$</c> before the others).</param>
    public static int SpacesAndBreaksEnd(ReadOnlySpan<byte> text, int start, bool wholeAtEnd)
    {
        int afterLastBreak = 0;
        int lastCharacter = start;
        int position = start;
        while (position < text.Length)
        {
            var found = CharacterClasses.Read(text, position, out int length);
            if ((found & CharacterClass.WhiteSpace) == 0)
                return afterLastBreak > 0 ? afterLastBreak : lastCharacter == start ? position : lastCharacter;
            lastCharacter = position;
            position += length;
            if (found == CharacterClass.LineBreak)
                afterLastBreak = position;
        }
        return afterLastBreak > 0 && !wholeAtEnd ? afterLastBreak : position;
    }
}
