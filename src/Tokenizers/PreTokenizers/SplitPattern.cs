namespace OpenEuroLLM.Tokenizers;

/// <summary>The split pattern of Llama 3, matched by hand over UTF-8: where one word ends and the next begins. Tokens never cross it.</summary>
/// <remarks>A regular expression over UTF-16 cannot do it: letters beyond U+FFFF are two units there, and broken UTF-8 would be lost.</remarks>
internal static class SplitPattern
{
    /// <summary>The pattern as it stands in <c>tokenizer.json</c>.</summary>
    public const string Regex =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The end of the word that starts at a position inside the text.</summary>
    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        var first = CharacterClasses.Read(text, start, out int length);
        int next = start + length;
        switch (first)
        {
            case CharacterClass.Letter:
                return Skip(text, next, CharacterClass.Letter);                        // \p{L}+
            case CharacterClass.Number:
                return NumberEnd(text, next);                                          // \p{N}{1,3}
            case CharacterClass.LineBreak:
                return WhiteSpaceEnd(text, start);
        }
        if (text[start] == (byte)'\'' && ContractionEnd(text, next) is int contraction)
            return contraction;
        var second = next < text.Length ? CharacterClasses.Read(text, next, out length) : CharacterClass.LineBreak;
        if (second == CharacterClass.Letter)
            return Skip(text, next + length, CharacterClass.Letter);                   // [^\r\n\p{L}\p{N}]\p{L}+
        if (first == CharacterClass.Other || (text[start] == (byte)' ' && second == CharacterClass.Other))
            return Skip(text, Skip(text, next, CharacterClass.Other), CharacterClass.LineBreak);   //  ?[^\s\p{L}\p{N}]+[\r\n]*
        return WhiteSpaceEnd(text, start);
    }

    /// <summary>The end of <c>(?i:s|t|re|ve|m|ll|d)</c> at a position, or null.</summary>
    /// <remarks>U+017F (long s) folds to s and is the only character outside ASCII that folds to one of these letters.</remarks>
    private static int? ContractionEnd(ReadOnlySpan<byte> text, int position)
    {
        if (position >= text.Length)
            return null;
        int first = text[position] | 0x20;
        int second = position + 1 < text.Length ? text[position + 1] | 0x20 : 0;
        return first switch
        {
            's' or 't' or 'm' or 'd' => position + 1,
            'r' or 'v' when second == 'e' => position + 2,
            'l' when second == 'l' => position + 2,
            _ => text[position..].StartsWith("\u017F"u8) ? position + 2 : null,
        };
    }

    private static int NumberEnd(ReadOnlySpan<byte> text, int position)
    {
        for (int more = 0; more < 2 && position < text.Length; more++)
        {
            if (CharacterClasses.Read(text, position, out int length) != CharacterClass.Number)
                break;
            position += length;
        }
        return position;
    }

    /// <summary>The end of <c>\s*[\r\n]+|\s+(?!\S)|\s+</c>: up to the last line break of the run; else all of it at the end of the text; else
    /// all but its last character, which goes with what follows; else that one character.</summary>
    private static int WhiteSpaceEnd(ReadOnlySpan<byte> text, int start)
    {
        int afterLastBreak = -1;
        int lastCharacter = start;
        int position = start;
        while (position < text.Length)
        {
            var found = CharacterClasses.Read(text, position, out int length);
            if (found is not (CharacterClass.Space or CharacterClass.LineBreak))
                break;
            lastCharacter = position;
            position += length;
            if (found == CharacterClass.LineBreak)
                afterLastBreak = position;
        }
        if (afterLastBreak >= 0)
            return afterLastBreak;
        return position == text.Length || lastCharacter == start ? position : lastCharacter;
    }

    private static int Skip(ReadOnlySpan<byte> text, int position, CharacterClass wanted)
    {
        while (position < text.Length && CharacterClasses.Read(text, position, out int length) == wanted)
            position += length;
        return position;
    }
}
