namespace OpenEuroLLM.Privacy;

/// <summary>Personal data found in a text.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Country">The country whose number it is, as the European Union abbreviates it (EL is Greece); null where it has none.</param>
/// <param name="Tier">How sure the rule is by itself.</param>
/// <param name="Start">Where it begins in the text as given, in UTF-16 units.</param>
/// <param name="Length">Its length in the text as given, in UTF-16 units, separators and invisible characters included.</param>
/// <param name="Rule">The rule that found it, a name of the data files.</param>
/// <param name="RuleVersion">The version of that rule.</param>
/// <param name="ContextWord">The word nearby that decided, as the text has it; null where none was needed.</param>
public sealed record PersonalDataFinding(
    PersonalDataType Type, string? Country, PersonalDataTier Tier, int Start, int Length, string Rule, int RuleVersion, string? ContextWord = null);
