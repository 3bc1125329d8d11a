using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Corpus;

/// <summary>Tells the language of each document with the built-in model. A document that says none, such as a web page, gets the language found; one that says its own
/// keeps it unless another is found with great confidence. Which languages are wanted is asked after this step.</summary>
/// <param name="Confidence">The least confidence, 0 to 1, with which a document that says no language gets one.</param>
/// <param name="OverruleConfidence">The least confidence with which the language that a document says is taken for wrong.</param>
/// <param name="Bytes">The most text that is looked at, in bytes: pieces from the beginning, the middle and the end.</param>
public sealed record LanguageIdentification(
    [property: Range(0.0, 1.0)] double Confidence = 0.5,
    [property: Range(0.0, 1.0)] double OverruleConfidence = 0.95,
    [property: Range(64, LanguageIdentifier.MostBytes)] int Bytes = 2048) : Filter
{
    private static readonly Lazy<LanguageIdentifier> Identifier = new(LanguageIdentifier.BuiltIn);

    /// <summary>The built-in model, opened once.</summary>
    internal static LanguageIdentifier Model => Identifier.Value;

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        bool declared = CorpusLanguages.Canonical(document.Lang) is not null;
        IdentifiedLanguage found = Identifier.Value.Identify(TextSample.Of(document.Text, Bytes), declared ? OverruleConfidence : Confidence);
        return found.Label switch
        {
            _ when declared && found.Label == document.Lang => Verdict.Keep,
            LanguageIdentifier.NoLanguage => Verdict.Drop("no-language"),
            LanguageIdentifier.Unknown => declared ? Verdict.Keep : Verdict.Drop("unknown-language"),
            _ => Verdict.Replace(document with { Lang = found.Label }),
        };
    }
}
