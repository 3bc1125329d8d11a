using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>The error for a name that no model has.</summary>
internal static class UnknownModel
{
    private const int LongestShown = 64;

    public static RequestException Error(string name, IEnumerable<string> known) => new("model",
        $"The model '{Shown(name)}' does not exist here; this server has {string.Join(", ", known.Select(each => $"'{each}'"))}.", RequestErrorCode.ModelNotFound);

    // Short, and without control characters.
    private static string Shown(string name)
    {
        var shown = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            if (shown.Length >= LongestShown) return shown.Append('…').ToString();
            shown.Append(Rune.IsControl(rune) ? "\uFFFD" : rune.ToString());
        }

        return shown.ToString();
    }
}
