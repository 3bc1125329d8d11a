using System.Text;

namespace OpenEuroLLM.Evaluation;

/// <summary>Whether a generated answer is the expected one, to the letter: surrounding white space, one full stop at the end and the
/// Unicode form of composed letters do not count; case does.</summary>
internal static class ShortAnswer
{
    public static bool Matches(string found, string expected) => string.Equals(Bare(found), Bare(expected), StringComparison.Ordinal);

    private static string Bare(string text)
    {
        text = text.Trim();
        if (text.EndsWith('.')) text = text[..^1].TrimEnd();
        return text.Normalize(NormalizationForm.FormC);
    }
}
