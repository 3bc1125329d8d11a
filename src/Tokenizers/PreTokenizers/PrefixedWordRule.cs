namespace OpenEuroLLM.Tokenizers;

/// <summary>What the patterns of the family of cl100k and Llama 3 differ in.</summary>
internal interface IPrefixedWordOptions
{
    /// <summary>Whether English contractions are words: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)</c> before all others.</summary>
    static virtual bool Contractions => true;

    /// <summary>What words consist of: <c>\p{L}</c> or <c>[\p{L}\p{M}]</c>.</summary>
    static virtual CharacterClass Word => CharacterClass.Letter;

    /// <summary>Whether a word is capitals before small letters: a new one begins at a capital behind a small letter.</summary>
    static virtual bool Cased => false;

    /// <summary>Whether a contraction belongs to the word before it.</summary>
    static virtual bool ContractionsEndWords => false;

    /// <summary>The longest run of numbers that is one word.</summary>
    static virtual int MostNumbers => 3;

    /// <summary>What may follow punctuation: line breaks, and slashes as well.</summary>
    static virtual bool BreaksEndPunctuation => true;

    static virtual bool SlashesEndPunctuation => false;

    /// <summary>Whether white space at the end of the text is one word.</summary>
    static virtual bool WholeSpacesAtEnd => false;
}

/// <summary>The family of cl100k, Llama 3, Qwen, o200k and Tekken: a word may take one character before it that is neither letter, number nor line
/// break: <c>(?i:'s|…)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.</summary>
internal readonly struct PrefixedWordRule<TOptions> : IWordRule where TOptions : struct, IPrefixedWordOptions
{
    // In cased words marks are letters, but punctuation as well where no word begins; in the others the two are apart.
    private static CharacterClass Word => TOptions.Cased ? CharacterClass.Letter | CharacterClass.Mark : TOptions.Word;

    private static CharacterClass NoPunctuation =>
        (TOptions.Cased ? CharacterClass.Letter : TOptions.Word) | CharacterClass.Number | CharacterClass.WhiteSpace;

    public static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        var first = CharacterClasses.Read(text, start, out int length);
        int next = start + length;
        if ((first & CharacterClass.Letter) != 0)
            return LettersEnd(text, start, next);
        if (first == CharacterClass.Number)
            return SplitRules.NumbersEnd(text, next, TOptions.MostNumbers - 1);
        if (first == CharacterClass.LineBreak)
            return SplitRules.SpacesAndBreaksEnd(text, start, TOptions.WholeSpacesAtEnd);
        if (TOptions.Contractions && SplitRules.ContractionEnd(text, start, ignoreCase: true) is > 0 and int contraction)
            return contraction;
        var second = next < text.Length ? CharacterClasses.Read(text, next, out length) : CharacterClass.LineBreak;
        if ((second & Word) != 0)
        {
            if (!TOptions.Cased)
                return CharacterClasses.Skip(text, next + length, Word);
            if (CasedEnd(text, next, capitalsAlone: first != CharacterClass.Mark) is > 0 and int cased)
                return AfterContraction(text, cased);
        }
        if ((first & Word) != 0)   // a mark
            return LettersEnd(text, start, next);
        if ((first & NoPunctuation) == 0 || (text[start] == (byte)' ' && (second & NoPunctuation) == 0))
            return PunctuationEnd(text, next);
        return SplitRules.SpacesAndBreaksEnd(text, start, TOptions.WholeSpacesAtEnd);
    }

    private static int LettersEnd(ReadOnlySpan<byte> text, int start, int next) => TOptions.Cased
        ? AfterContraction(text, CasedEnd(text, start, capitalsAlone: true))
        : CharacterClasses.Skip(text, next, Word);

    /// <summary>The end of <c>U*W+|U+W*</c> with U = <c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c> and W = <c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c>; 0 for none.</summary>
    /// <param name="capitalsAlone">Whether the second alternative counts; it comes after the first one has been tried without a character before.</param>
    /// <remarks>Where no small letter follows the capitals, the first alternative gives back characters until its last is one without case.</remarks>
    private static int CasedEnd(ReadOnlySpan<byte> text, int start, bool capitalsAlone)
    {
        const CharacterClass either = CharacterClass.Caseless | CharacterClass.Mark;
        int afterCaseless = 0;
        int position = start;
        while (position < text.Length)
        {
            var found = CharacterClasses.Read(text, position, out int length);
            if (found == CharacterClass.Lowercase)
                return CharacterClasses.Skip(text, position + length, CharacterClass.Lowercase | either);
            if ((found & (CharacterClass.Uppercase | either)) == 0)
                break;
            position += length;
            if (found != CharacterClass.Uppercase)
                afterCaseless = position;
        }
        return afterCaseless > 0 || !capitalsAlone ? afterCaseless : position;
    }

    private static int AfterContraction(ReadOnlySpan<byte> text, int end) =>
        TOptions.ContractionsEndWords && SplitRules.ContractionEnd(text, end, ignoreCase: true) is > 0 and int after ? after : end;

    private static int PunctuationEnd(ReadOnlySpan<byte> text, int position)
    {
        position = CharacterClasses.SkipOthers(text, position, NoPunctuation);
        if (TOptions.SlashesEndPunctuation)
        {
            while (position < text.Length && text[position] is (byte)'\r' or (byte)'\n' or (byte)'/')
                position++;
        }
        else if (TOptions.BreaksEndPunctuation)
        {
            while (position < text.Length && text[position] is (byte)'\r' or (byte)'\n')
                position++;
        }
        return position;
    }
}
