using System.Text;

namespace OpenEuroLLM.Corpus;

/// <summary>What the corpus asks of the language catalogue.</summary>
internal static class CorpusLanguages
{
    /// <summary>The official languages of the European Union, in ordinal order.</summary>
    public static IReadOnlyList<string> Official { get; } =
        ["bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"];

    /// <summary>The canonical code of a language, or null when the catalogue does not know it.</summary>
    public static string? Canonical(string code) => Official.Contains(code) ? code : null;

    /// <summary>All codes, for suggestions.</summary>
    public static IEnumerable<string> Known => Official;

    /// <summary>Whether a letter is of a script in which the language is written; true for a language the catalogue does not know.</summary>
    public static bool IsOwnScript(string language, Rune letter) => language switch
    {
        "bg" => letter.Value is >= 0x400 and <= 0x52F,
        "el" => letter.Value is (>= 0x370 and <= 0x3FF) or (>= 0x1F00 and <= 0x1FFF),
        _ => letter.Value is < 0x250 or (>= 0x1E00 and < 0x1F00),
    };
}
