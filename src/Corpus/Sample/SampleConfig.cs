using System.ComponentModel.DataAnnotations;

namespace OpenEuroLLM.Corpus;

/// <summary>How much text the built-in sample gives.</summary>
/// <param name="CharactersPerLanguage">Training text of each language, in characters: a letter counts the same in every script, so
/// the languages stay balanced. Up to one full pass (about 18,000) sentences beside the facts are left out first; beyond it the
/// same sentences return in new mixes.</param>
/// <param name="Wordings">How many wordings of each relation are used, from the top of the list.</param>
/// <param name="HeldOutDocuments">Documents of each language kept from training to measure bits per byte: new mixes of trained
/// sentences.</param>
public sealed record SampleConfig(
    [property: Range(1_000, 1_000_000_000)] int CharactersPerLanguage = 14_000,
    [property: Range(3, 100)] int Wordings = 4,
    [property: Range(0, 10_000)] int HeldOutDocuments = 8);
