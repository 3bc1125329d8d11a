using System.ComponentModel.DataAnnotations;

namespace OpenEuroLLM.Corpus;

/// <summary>How much text the built-in sample gives.</summary>
/// <param name="SentencesPerLanguage">Training text of each language: sentences, and pairs of question and answer, each counting
/// one. All languages tell the same facts, so that the same number is the same content in each. The facts come first: with the other
/// settings at their defaults, 328 tell every fact in every trained wording, with its question; what is above that adds
/// dialogues and other sentences, and beyond one full pass (about 430) everything returns in new mixes.</param>
/// <param name="Wordings">How many wordings of each relation are used, from the top of the list.</param>
/// <param name="HeldOutFactShare">Share of the facts that lose one of their wordings to the examination.</param>
/// <param name="HeldOutDocuments">Documents of each language kept from training to measure bits per byte: new mixes of trained
/// sentences.</param>
public sealed record SampleConfig(
    [property: Range(200, 100_000_000)] int SentencesPerLanguage = 360,
    [property: Range(3, 100)] int Wordings = 4,
    [property: Range(0.25, 1.0)] double HeldOutFactShare = 1.0,
    [property: Range(0, 10_000)] int HeldOutDocuments = 8);
