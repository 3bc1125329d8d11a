using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What was read off a web page.</summary>
/// <param name="Text">The main text, a paragraph a line; empty where the page has none.</param>
/// <param name="Title">The page's title.</param>
/// <param name="Date">Day of publication, yyyy-MM-dd.</param>
/// <param name="CanonicalUrl">The address that the page calls its own.</param>
/// <param name="DeclaredLanguage">The language that the page declares, as written there.</param>
/// <param name="LicenseLinks">Addresses of licences that the page names.</param>
/// <param name="Truncated">Whether the page was beyond the limits and only its beginning was read.</param>
public sealed record ExtractedPage(string Text, string? Title, string? Date, string? CanonicalUrl, string? DeclaredLanguage, IReadOnlyList<string> LicenseLinks, bool Truncated)
{
    /// <summary>What the page says about its use.</summary>
    public IReadOnlyList<RightsStatement> Rights { get; init; } = [];

    /// <summary>The declared language's code alone, in small letters: <c>de</c> of <c>de-AT</c> or <c>de_DE</c>; null where it is no code.</summary>
    public string? Language
    {
        get
        {
            string? code = DeclaredLanguage?.Split('-', '_', ',', ' ')[0].ToLowerInvariant();
            return code is { Length: 2 or 3 } && code.All(char.IsAsciiLetterLower) ? code : null;
        }
    }
}
