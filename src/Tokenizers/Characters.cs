using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads the characters of UTF-8 text, and tells what normalizers and pre-tokenizers ask of them.</summary>
internal static class Characters
{
    /// <summary>The character at a position, or -1 for a byte that is no part of valid UTF-8.</summary>
    /// <returns>The bytes it takes.</returns>
    public static int Read(ReadOnlySpan<byte> text, int position, out int value)
    {
        value = text[position];
        if (value < 0x80)
            return 1;
        if (Rune.DecodeFromUtf8(text[position..], out Rune rune, out int length) == System.Buffers.OperationStatus.Done)
        {
            value = rune.Value;
            return length;
        }
        value = -1;
        return 1;
    }

    /// <summary>Where the last character before an end begins.</summary>
    public static int LastBefore(ReadOnlySpan<byte> text, int end)
    {
        int start = end - 1;
        while (start > 0 && end - start < 4 && (text[start] & 0xC0) == 0x80)
            start--;
        return start + Read(text[..end], start, out _) == end ? start : end - 1;
    }

    /// <summary>The property White_Space.</summary>
    public static bool IsWhiteSpace(int value) => value >= 0 && Rune.IsWhiteSpace(new Rune(value));

    /// <summary>The general categories Mn, Mc and Me.</summary>
    public static bool IsMark(int value) => Category(value) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    public static bool IsNonSpacingMark(int value) => Category(value) == UnicodeCategory.NonSpacingMark;

    /// <summary>The general categories Nd, Nl and No.</summary>
    public static bool IsNumber(int value) => Category(value) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>The general category P, and of ASCII the symbols too.</summary>
    public static bool IsPunctuation(int value) => value is '$' or '+' or '<' or '=' or '>' or '^' or '`' or '|' or '~'
        || Category(value) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    /// <summary><c>\w</c>: what is alphabetic, marks, decimal digits, connectors and joiners.</summary>
    public static bool IsWord(int value) => value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189)
        || Category(value) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;

    public static UnicodeCategory Category(int value) => value < 0 ? UnicodeCategory.OtherNotAssigned : CharUnicodeInfo.GetUnicodeCategory(value);
}
