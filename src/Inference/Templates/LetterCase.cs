using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>Upper, lower and title case as Python has them: with letters that become several, the final sigma, and letters of their own title form.</summary>
internal static class LetterCase
{
    // Letters whose upper case is more than one letter. Source: Unicode, SpecialCasing.txt, the entries without conditions.
    private static readonly Dictionary<int, string> LongUpper = new()
    {
        [0xDF] = "SS", [0x149] = "\u02BCN", [0x1F0] = "J\u030C", [0x390] = "\u0399\u0308\u0301", [0x3B0] = "\u03A5\u0308\u0301", [0x587] = "\u0535\u0552",
        [0x1E96] = "H\u0331", [0x1E97] = "T\u0308", [0x1E98] = "W\u030A", [0x1E99] = "Y\u030A", [0x1E9A] = "A\u02BE",
        [0xFB00] = "FF", [0xFB01] = "FI", [0xFB02] = "FL", [0xFB03] = "FFI", [0xFB04] = "FFL", [0xFB05] = "ST", [0xFB06] = "ST",
    };

    public static TemplateText Upper(TemplateRun run, TemplateText text) => Map(run, text, (_, _, rune) => Upper(rune));

    public static TemplateText Lower(TemplateRun run, TemplateText text) => Map(run, text, Lower);

    /// <summary>The first letter in title case, the rest in lower case.</summary>
    public static TemplateText Capitalize(TemplateRun run, TemplateText text) =>
        Map(run, text, (value, at, rune) => at == 0 ? Title(rune) : Lower(value, at, rune));

    /// <summary>The first letter of each run of letters in title case.</summary>
    public static TemplateText Title(TemplateRun run, TemplateText text)
    {
        bool inside = false;
        return Map(run, text, (value, at, rune) =>
        {
            string mapped = inside ? Lower(value, at, rune) : Title(rune);
            inside = IsCased(rune);
            return mapped;
        });
    }

    /// <summary>The first letter of each word in upper case: words begin behind white space, hyphens and opening brackets.</summary>
    public static TemplateText TitleWords(TemplateRun run, TemplateText text)
    {
        bool inside = false;
        return Map(run, text, (value, at, rune) =>
        {
            bool breaks = rune.IsBmp && (PythonText.IsWhiteSpace((char)rune.Value) || (char)rune.Value is '-' or '(' or '{' or '[' or '<');
            string mapped = breaks ? rune.ToString() : inside ? Lower(value, at, rune) : Upper(rune);
            inside = !breaks;
            return mapped;
        });
    }

    public static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static TemplateText Map(TemplateRun run, TemplateText text, Func<string, int, Rune, string> map)
    {
        run.Characters(text.Value.Length * 3L);
        var mapped = new TemplateText.Builder();
        foreach (var (start, end, trusted) in text.Stretches())
        {
            var part = new StringBuilder();
            for (int at = start; at < end;)
            {
                Rune.DecodeFromUtf16(text.Value.AsSpan(at, end - at), out var rune, out int length);
                part.Append(map(text.Value, at, rune));
                at += length;
            }
            mapped.Append(part.ToString(), trusted);
        }
        return mapped.Build();
    }

    private static string Upper(Rune rune) => LongUpper.TryGetValue(rune.Value, out string? several) ? several : Rune.ToUpperInvariant(rune).ToString();

    private static string Title(Rune rune)
    {
        if (rune.Value is >= 0x1C4 and <= 0x1CC) return ((char)(rune.Value <= 0x1C6 ? 0x1C5 : rune.Value <= 0x1C9 ? 0x1C8 : 0x1CB)).ToString();
        if (rune.Value is >= 0x1F1 and <= 0x1F3) return "\u01F2";
        return LongUpper.TryGetValue(rune.Value, out string? several) ? several[..1] + several[1..].ToLowerInvariant() : Rune.ToUpperInvariant(rune).ToString();
    }

    private static string Lower(string text, int at, Rune rune) => rune.Value switch
    {
        0x130 => "i\u0307",
        0x3A3 => EndsWord(text, at) ? "\u03C2" : "\u03C3",
        _ => Rune.ToLowerInvariant(rune).ToString(),
    };

    // Whether a letter stands before this place in the word and none behind; signs that combine are passed over.
    private static bool EndsWord(string text, int at)
    {
        int before = at - 1, after = at + 1;
        while (before >= 0 && IsPassedOver(text[before])) before--;
        while (after < text.Length && IsPassedOver(text[after])) after++;
        return before >= 0 && IsCased(new Rune(Bmp(text[before]))) && !(after < text.Length && IsCased(new Rune(Bmp(text[after]))));
    }

    private static char Bmp(char unit) => char.IsSurrogate(unit) ? ' ' : unit;

    private static bool IsPassedOver(char unit) => unit is '\'' or '.' or ':' or '\u00AD' or '\u00B7' or '\u2019' ||
        char.GetUnicodeCategory(unit) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
}
