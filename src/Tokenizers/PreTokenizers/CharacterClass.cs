using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What the split pattern distinguishes; together the classes cover every character once.</summary>
internal enum CharacterClass : byte
{
    /// <summary>Anything else: punctuation, symbols, marks, controls, unassigned, and a byte that is no part of valid UTF-8.</summary>
    Other,

    /// <summary><c>\p{L}</c></summary>
    Letter,

    /// <summary><c>\p{N}</c></summary>
    Number,

    /// <summary><c>\s</c> but <c>\r</c> and <c>\n</c></summary>
    Space,

    /// <summary><c>[\r\n]</c></summary>
    LineBreak,
}

/// <summary>Reads characters of UTF-8 text with their classes.</summary>
internal static class CharacterClasses
{
    /// <summary>The version of the Unicode tables of this runtime: it decides how text is split, so tokenizers record it.</summary>
    public const string UnicodeVersion = "16.0";

    private static readonly CharacterClass[] BasicPlane = BuildBasicPlane();

    /// <summary>The class of the character at a position, and its length in bytes.</summary>
    /// <remarks>Bytes that are no valid UTF-8 (cut, overlong, an encoded surrogate) are taken one at a time as <see cref="CharacterClass.Other"/>;
    /// nothing is replaced, so broken text is split somehow and still encoded without loss.</remarks>
    public static CharacterClass Read(ReadOnlySpan<byte> text, int position, out int length)
    {
        byte first = text[position];
        length = 1;
        if (first < 0x80)
            return BasicPlane[first];
        if (first < 0xC2)
            return CharacterClass.Other;
        if (first < 0xE0)
        {
            if (!IsContinuation(text, position + 1))
                return CharacterClass.Other;
            length = 2;
            return BasicPlane[((first & 0x1F) << 6) | (text[position + 1] & 0x3F)];
        }
        if (first < 0xF0)
        {
            if (!IsContinuation(text, position + 1) || !IsContinuation(text, position + 2))
                return CharacterClass.Other;
            int value = ((first & 0x0F) << 12) | ((text[position + 1] & 0x3F) << 6) | (text[position + 2] & 0x3F);
            if (value < 0x800 || (value >= 0xD800 && value < 0xE000))
                return CharacterClass.Other;
            length = 3;
            return BasicPlane[value];
        }
        if (first < 0xF5 && Rune.DecodeFromUtf8(text[position..], out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            length = consumed;
            return Classify(rune.Value);
        }
        return CharacterClass.Other;
    }

    private static bool IsContinuation(ReadOnlySpan<byte> text, int position) =>
        position < text.Length && (text[position] & 0xC0) == 0x80;

    private static CharacterClass[] BuildBasicPlane()
    {
        var classes = new CharacterClass[0x10000];
        for (int value = 0; value < classes.Length; value++)
            classes[value] = Classify(value);
        return classes;
    }

    private static CharacterClass Classify(int value) => value switch
    {
        '\r' or '\n' => CharacterClass.LineBreak,
        '\t' or '\v' or '\f' or 0x85 => CharacterClass.Space,
        _ => CharUnicodeInfo.GetUnicodeCategory(value) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Number,
            UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => CharacterClass.Space,
            _ => CharacterClass.Other,
        },
    };
}
