using System.Globalization;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Goes through the words of a text: runs of letters, marks and digits in lower case. Punctuation, layout and capitals make no difference.</summary>
internal ref struct FoldedWords
{
    private const ulong WordStart = 0xCBF29CE484222325;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private static readonly char[] Folded = MakeTable();

    private readonly ReadOnlySpan<char> _text;

    /// <param name="text">The text, from the beginning of a word or between two.</param>
    public FoldedWords(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Where the word begins, in UTF-16 units.</summary>
    public int Start { get; private set; }

    /// <summary>Where it ends.</summary>
    public int End { get; private set; }

    /// <summary>Stands for the word.</summary>
    public ulong Hash { get; private set; }

    /// <summary>A character as it is compared; '\0' for what is no part of a word.</summary>
    public static char Fold(char letter) => Folded[letter];

    /// <summary>Goes to the next word, if there is one.</summary>
    public bool MoveNext()
    {
        int i = End;
        while (i < _text.Length && Folded[_text[i]] == '\0') i++;
        if (i == _text.Length) return false;
        Start = i;
        ulong hash = WordStart;
        for (char letter; i < _text.Length && (letter = Folded[_text[i]]) != '\0'; i++) hash = (hash ^ letter) * 0x100000001B3;
        Hash = hash * Multiplier;
        End = i;
        return true;
    }

    private static char[] MakeTable()
    {
        var folded = new char[0x10000];
        for (int value = 0; value < folded.Length; value++)
        {
            char letter = (char)value;
            bool isWord = char.IsLetterOrDigit(letter)
                || CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
            // In capitals Greek has one sigma, and Turkish two letters i: all forms are one.
            folded[value] = !isWord ? '\0' : letter switch { 'ς' => 'σ', 'İ' or 'ı' => 'i', _ => char.ToLowerInvariant(letter) };
        }
        return folded;
    }
}
