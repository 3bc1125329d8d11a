using System.Text;

namespace OpenEuroLLM.Core;

/// <summary>Texts of others as they may stand in a message: short, and without control characters.</summary>
public static class ShownText
{
    private const int Longest = 64;

    /// <summary>The text, cut after 64 characters, with U+FFFD for each control character.</summary>
    public static string Of(string text)
    {
        var shown = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= Longest) return shown.Append('…').ToString();
            shown.Append(Rune.IsControl(rune) ? "\uFFFD" : rune.ToString());
        }
        return shown.ToString();
    }
}
