using System.Collections.Concurrent;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>What the corpus asks of the language catalogue, remembered: it is asked for every document.</summary>
internal static class CorpusLanguages
{
    private const int MostRemembered = 10_000;

    private static readonly ConcurrentDictionary<string, Language?> Asked = new(StringComparer.Ordinal);

    /// <summary>The official languages of the European Union, in ordinal order.</summary>
    public static IReadOnlyList<string> Official { get; } =
        [.. LanguageCatalog.Official.Select(language => language.Code).Order(StringComparer.Ordinal)];

    /// <summary>The language of a code, or null when the catalogue does not know it.</summary>
    public static Language? Find(string code)
    {
        if (Asked.TryGetValue(code, out Language? known)) return known;
        Language? found = LanguageCatalog.TryFind(code);
        if (Asked.Count < MostRemembered) Asked[code] = found;   // codes come from the input and may be anything
        return found;
    }

    /// <summary>The canonical code of a language, or null when the catalogue does not know it.</summary>
    public static string? Canonical(string code) => Find(code)?.Code;
}
