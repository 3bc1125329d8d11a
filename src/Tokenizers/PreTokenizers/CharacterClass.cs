using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What split patterns distinguish. A character has one class; sets of them are masks.</summary>
[Flags]
internal enum CharacterClass : byte
{
    /// <summary>Anything else: controls, formats, unassigned, and a byte that is no part of valid UTF-8.</summary>
    Other = 0,

    /// <summary><c>[\p{Lu}\p{Lt}]</c></summary>
    Uppercase = 1,

    /// <summary><c>\p{Ll}</c></summary>
    Lowercase = 2,

    /// <summary><c>[\p{Lm}\p{Lo}]</c>: letters without case.</summary>
    Caseless = 4,

    /// <summary><c>\p{M}</c></summary>
    Mark = 8,

    /// <summary><c>\p{N}</c></summary>
    Number = 16,

    /// <summary><c>\s</c> but <c>\r</c> and <c>\n</c></summary>
    Space = 32,

    /// <summary><c>[\r\n]</c></summary>
    LineBreak = 64,

    /// <summary><c>[\p{P}\p{S}]</c></summary>
    Symbol = 128,

    /// <summary><c>\p{L}</c></summary>
    Letter = Uppercase | Lowercase | Caseless,

    /// <summary><c>\s</c></summary>
    WhiteSpace = Space | LineBreak,
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharacterClass Read(ReadOnlySpan<byte> text, int position, out int length)
    {
        uint first = text[position];
        if (first < 0x80)
        {
            length = 1;
            return At(first);
        }
        uint second = position + 1 < text.Length ? text[position + 1] ^ 0x80u : 0x80;   // below 0x40 when it continues a character
        if (first - 0xC2 < 0xE0 - 0xC2 && second < 0x40)
        {
            length = 2;
            return At(((first & 0x1F) << 6) | second);
        }
        return ReadLonger(text, position, out length);
    }

    /// <summary>The first place from a position on where a character is not of the wanted classes.</summary>
    public static int Skip(ReadOnlySpan<byte> text, int position, CharacterClass wanted)
    {
        ref var classes = ref MemoryMarshal.GetArrayDataReference(BasicPlane);
        ref byte bytes = ref MemoryMarshal.GetReference(text);
        while (position < text.Length)
        {
            uint first = Unsafe.Add(ref bytes, position);
            CharacterClass found;
            int length = 1;
            if (first < 0x80)
                found = Unsafe.Add(ref classes, first);
            else
                found = Read(text, position, out length);
            if ((found & wanted) == 0)
                return position;
            position += length;
        }
        return position;
    }

    /// <summary>The first place from a position on where a character is of one of the classes.</summary>
    public static int SkipOthers(ReadOnlySpan<byte> text, int position, CharacterClass unwanted)
    {
        while (position < text.Length && (Read(text, position, out int length) & unwanted) == 0)
            position += length;
        return position;
    }

    /// <summary>The class of a code point.</summary>
    public static CharacterClass Classify(int value) => value switch
    {
        '\r' or '\n' => CharacterClass.LineBreak,
        '\t' or '\v' or '\f' or 0x85 => CharacterClass.Space,
        _ => CharUnicodeInfo.GetUnicodeCategory(value) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterClass.Uppercase,
            UnicodeCategory.LowercaseLetter => CharacterClass.Lowercase,
            UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Caseless,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterClass.Mark,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Number,
            UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => CharacterClass.Space,
            >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherSymbol => CharacterClass.Symbol,
            _ => CharacterClass.Other,
        },
    };

    private static CharacterClass ReadLonger(ReadOnlySpan<byte> text, int position, out int length)
    {
        if (text.Length - position >= 3 && (text[position] & 0xF0) == 0xE0 && (text[position + 1] & 0xC0) == 0x80 && (text[position + 2] & 0xC0) == 0x80)
        {
            int value = ((text[position] & 0x0F) << 12) | ((text[position + 1] & 0x3F) << 6) | (text[position + 2] & 0x3F);
            length = value < 0x800 || (value & 0xF800) == 0xD800 ? 1 : 3;
            return length == 1 ? CharacterClass.Other : At((uint)value);
        }
        if (text[position] >= 0xF0 && Rune.DecodeFromUtf8(text[position..], out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            length = consumed;
            return Classify(rune.Value);
        }
        length = 1;
        return CharacterClass.Other;
    }

    // The callers' values have at most 16 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static CharacterClass At(uint value) => Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(BasicPlane), value);

    private static CharacterClass[] BuildBasicPlane()
    {
        var classes = new CharacterClass[0x10000];
        for (int value = 0; value < classes.Length; value++)
            classes[value] = Classify(value);
        return classes;
    }
}
