using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps documents whose letters are mostly of a script in which their language is written. A text without letters is
/// dropped too, and so is a text in a language that the catalogue does not know.</summary>
/// <param name="MinScriptShare">Smallest share of the letters, 0 to 1.</param>
public sealed record ScriptFilter([property: Range(0.0, 1.0)] double MinScriptShare = 0.5) : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        if (CorpusLanguages.Find(document.Lang) is not Language language) return Verdict.Drop("unknown-language");
        (int letters, int own) = language.CountLetters(document.Text);
        if (letters == 0) return Verdict.Drop("no-letters");
        return own < MinScriptShare * letters ? Verdict.Drop("other-script") : Verdict.Keep;
    }
}
