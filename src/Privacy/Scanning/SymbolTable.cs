using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>What a character is to the scanner.</summary>
internal enum SymbolKind : byte
{
    /// <summary>Ends a number.</summary>
    Other,

    /// <summary>A digit of any script; its value is known.</summary>
    Digit,

    /// <summary>A Latin letter, or one that looks like a Latin capital.</summary>
    Letter,

    /// <summary>A letter that no identifier has; nothing beside it is a number by itself.</summary>
    ForeignLetter,

    /// <summary>A raised, lowered or circled digit: a footnote beside plain digits, a digit beside its like.</summary>
    RaisedDigit,

    /// <summary>A space within a line.</summary>
    Space,

    /// <summary>A hyphen, dash or minus.</summary>
    Hyphen,

    /// <summary>A full stop.</summary>
    Dot,

    /// <summary>A slash.</summary>
    Slash,

    /// <summary>A plus sign.</summary>
    Plus,

    /// <summary>An opening bracket.</summary>
    Open,

    /// <summary>A closing bracket.</summary>
    Close,

    /// <summary>Zero-width characters, soft hyphens, variation selectors and combining marks: a number goes on across them.</summary>
    Invisible,

    /// <summary>A sign of a currency.</summary>
    Currency,
}

/// <summary>The normal form of characters, as NFKC and the folding of look-alikes give it, one at a time so that places in the text are kept.</summary>
internal static class SymbolTable
{
    private const string GreekCapitals = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", GreekAsLatin = "ABEZHIKMNOPTYX";
    private const string CyrillicCapitals = "АВСЕНІЈКМОРЅТХУ", CyrillicAsLatin = "ABCEHIJKMOPSTXY";

    private static readonly SymbolKind[] Kinds = new SymbolKind[0x10000];

    /// <summary>Of digits and letters: the ASCII digit or capital they stand for.</summary>
    private static readonly char[] Values = new char[0x10000];

    /// <summary>For words of context: the small letter without its accents.</summary>
    private static readonly char[] Folded = new char[0x10000];

    static SymbolTable()
    {
        for (int unit = 0; unit < 0x10000; unit++)
        {
            char letter = (char)unit;
            (Kinds[unit], Values[unit]) = char.IsSurrogate(letter) ? (SymbolKind.Other, '\0') : Classify(letter.ToString(), letter);
            Folded[unit] = Fold(letter);
        }
        for (int i = 0; i < GreekCapitals.Length; i++) (Kinds[GreekCapitals[i]], Values[GreekCapitals[i]]) = (SymbolKind.Letter, GreekAsLatin[i]);
        for (int i = 0; i < CyrillicCapitals.Length; i++) (Kinds[CyrillicCapitals[i]], Values[CyrillicCapitals[i]]) = (SymbolKind.Letter, CyrillicAsLatin[i]);
        Kinds['_'] = SymbolKind.ForeignLetter;
    }

    /// <summary>Characters at which personal data may begin, in texts that have only common characters.</summary>
    public static string PlainStarts => "0123456789@([{＠﹫<";

    /// <summary>All characters at which personal data may begin: digits of all scripts, and the first halves of those beyond the basic plane.</summary>
    public static string AllStarts()
    {
        var starts = new StringBuilder(PlainStarts);
        for (int unit = 0x80; unit < 0x10000; unit++)
            if (Kinds[unit] is SymbolKind.Digit or SymbolKind.RaisedDigit) starts.Append((char)unit);
        starts.Append("\uD801\uD803\uD804\uD805\uD806\uD807\uD81A\uD835\uD838\uD839\uD83A\uD83C\uD83E");
        return starts.ToString();
    }

    /// <summary>The kind of the character at a place, the ASCII form of a digit or letter, and its length in UTF-16 units.</summary>
    public static SymbolKind At(string text, int index, out char value, out int units)
    {
        char unit = text[index];
        units = 1;
        value = Values[unit];
        if (!char.IsHighSurrogate(unit) || index + 1 >= text.Length || !char.IsLowSurrogate(text[index + 1])) return Kinds[unit];
        units = 2;
        var rune = new Rune(unit, text[index + 1]);
        (SymbolKind kind, value) = Classify(rune.ToString().Normalize(NormalizationForm.FormKC), rune);
        return kind;
    }

    /// <summary>The kind of the character before a place, and where it begins.</summary>
    public static SymbolKind Before(string text, int index, out int begin, out char value)
    {
        begin = index - 1;
        if (begin > 0 && char.IsLowSurrogate(text[begin]) && char.IsHighSurrogate(text[begin - 1])) begin--;
        return At(text, begin, out value, out _);
    }

    /// <summary>The small letter without accents that stands for a character in words of context; a space for all white space.</summary>
    public static char FoldedOf(char letter) => Folded[letter];

    private static (SymbolKind Kind, char Value) Classify(string compatible, char letter) => char.IsSurrogate(letter)
        ? (SymbolKind.Other, '\0')
        : Classify(CanNormalize(letter) ? compatible.Normalize(NormalizationForm.FormKC) : compatible, new Rune(letter));

    // Unassigned and non-character code points are refused by the normaliser.
    private static bool CanNormalize(char letter) => CharUnicodeInfo.GetUnicodeCategory(letter) != UnicodeCategory.OtherNotAssigned;

    private static (SymbolKind, char) Classify(string compatible, Rune rune)
    {
        int digit = CharUnicodeInfo.GetDecimalDigitValue(rune.ToString(), 0);
        if (digit >= 0) return (SymbolKind.Digit, (char)('0' + digit));
        if (compatible.Length == 1)
        {
            char normal = compatible[0];
            if (char.IsAsciiDigit(normal)) return (SymbolKind.RaisedDigit, normal);
            if (char.IsAsciiLetter(normal)) return (SymbolKind.Letter, char.ToUpperInvariant(normal));
            switch (normal)
            {
                case ' ' or '\u00A0' or '\u2007' or '\u202F' or '\u2009' or (>= '\u2000' and <= '\u200A') or '\u3000': return (SymbolKind.Space, ' ');
                case '-' or (>= '\u2010' and <= '\u2015') or '\u2212': return (SymbolKind.Hyphen, '-');
                case '.': return (SymbolKind.Dot, '.');
                case '/': return (SymbolKind.Slash, '/');
                case '+': return (SymbolKind.Plus, '+');
                case '(': return (SymbolKind.Open, '(');
                case ')': return (SymbolKind.Close, ')');
            }
        }
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark => (SymbolKind.Invisible, '\0'),
            UnicodeCategory.CurrencySymbol => (SymbolKind.Currency, '\0'),
            _ when Rune.IsLetter(rune) => (SymbolKind.ForeignLetter, '\0'),
            _ => (SymbolKind.Other, '\0'),
        };
    }

    private static char Fold(char letter)
    {
        if (char.IsWhiteSpace(letter)) return ' ';
        if (letter is '’' or 'ʼ' or '‘') return '\'';
        if (letter is >= '\u2010' and <= '\u2015') return '-';
        if (!char.IsLetter(letter)) return letter;
        char plain = letter < 0x600 || letter is >= '\u1E00' and <= '\u1FFF' ? letter.ToString().Normalize(NormalizationForm.FormD)[0] : letter;
        return plain == 'ς' ? 'σ' : char.ToLowerInvariant(plain);
    }
}
