using System.ComponentModel.DataAnnotations;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>How much of each language the training text gets: the section <c>corpus.mixing</c> of a recipe. Left out, every language is taken once, as it is.</summary>
/// <param name="Tokens">Tokens of all languages together; absent: as many as there are.</param>
/// <param name="Temperature">Shares are in proportion to (tokens there are)^(1/temperature): 1 leaves them as they are, larger makes them more equal. Absent: 1.</param>
/// <param name="Weights">Shares in proportion to these numbers instead; a language that is not named gets nothing.</param>
/// <param name="Budgets">Tokens of single languages. The others divide what is left of <paramref name="Tokens"/>; without it they are taken once, as they are.</param>
/// <param name="MostPasses">How often a text may come at most: a language never gets more than so many times what it has. What it cannot take is divided among
/// the others by their shares.</param>
/// <remarks>Temperature sampling: Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale", arXiv:1911.02116, section 3.1 (their α is
/// 1/temperature). Up to four passes are nearly as good as new text: Muennighoff et al., arXiv:2305.16264.</remarks>
public sealed record Mixing(
    [property: Range(1, long.MaxValue)] long? Tokens = null,
    [property: Range(0.1, 1000.0)] double? Temperature = null,
    IReadOnlyDictionary<string, double>? Weights = null,
    IReadOnlyDictionary<string, long>? Budgets = null,
    [property: Range(1.0, 100.0)] double MostPasses = 1)
{
    /// <summary>Refuses settings that contradict each other, and languages that are not kept.</summary>
    /// <param name="languages">Codes of the languages that the corpus keeps.</param>
    /// <exception cref="UserErrorException">With what was found and what to change.</exception>
    internal void Check(IReadOnlyCollection<string> languages)
    {
        if (Weights is not null && Temperature is not null)
            throw Refuse("has both 'weights' and 'temperature'; shares follow from one of them, remove the other.");
        if (Weights is { Count: 0 }) throw Refuse("has no language in 'weights'; name those that are wanted, or remove it.");
        foreach ((string language, double weight) in Weights ?? new Dictionary<string, double>())
        {
            CheckLanguage("weights", language, languages);
            if (!(weight > 0 && double.IsFinite(weight)))
                throw Refuse(string.Create(CultureInfo.InvariantCulture, $"has 'weights.{language}' {weight}; expected a number above 0. A language that is not named gets nothing."));
            if (Budgets?.ContainsKey(language) == true) throw Refuse($"names '{language}' in 'weights' and in 'budgets'; a language has one of them.");
        }
        foreach ((string language, long budget) in Budgets ?? new Dictionary<string, long>())
        {
            CheckLanguage("budgets", language, languages);
            if (budget < 0) throw Refuse(string.Create(CultureInfo.InvariantCulture, $"has 'budgets.{language}' {budget}; expected a number of tokens from 0."));
        }
        Int128 fixedTokens = 0;
        foreach (long budget in Budgets?.Values ?? []) fixedTokens += budget;
        if (Tokens < fixedTokens)
            throw Refuse(string.Create(CultureInfo.InvariantCulture, $"has 'budgets' of {fixedTokens} tokens together, above 'tokens' {Tokens}; raise 'tokens' or lower a budget."));
        // Every language would be taken as it is, and whoever wrote shares would not be told that they mean nothing.
        if (Tokens is null && MostPasses == 1 && (Weights is not null || Temperature is not (null or 1.0)))
            throw Refuse($"has '{(Weights is null ? "temperature" : "weights")}' but neither 'tokens' nor 'mostPasses' above 1, so that all text is taken once whatever the shares; give one of these.");
    }

    private static void CheckLanguage(string setting, string language, IReadOnlyCollection<string> languages)
    {
        if (languages.Contains(language)) return;
        string? canonical = LanguageCatalog.TryFind(language)?.Code;
        throw Refuse($"has '{setting}.{language}'; " + (canonical is not null && languages.Contains(canonical)
            ? $"the code of that language is '{canonical}'."
            : $"expected one of the languages kept: {string.Join(", ", languages.Order(StringComparer.Ordinal))}."));
    }

    private static UserErrorException Refuse(string what) => new($"corpus.mixing {what}");
}
