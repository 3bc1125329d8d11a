using System.ComponentModel.DataAnnotations;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps documents whose letters are mostly of a script in which their language is written. A text without letters is
/// dropped too.</summary>
/// <param name="MinScriptShare">Smallest share of the letters, 0 to 1.</param>
public sealed record ScriptFilter([property: Range(0.0, 1.0)] double MinScriptShare = 0.5) : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        long letters = 0, own = 0;
        foreach (Rune rune in document.Text.EnumerateRunes())
        {
            if (!Rune.IsLetter(rune)) continue;
            letters++;
            if (CorpusLanguages.IsOwnScript(document.Lang, rune)) own++;
        }
        if (letters == 0) return Verdict.Drop("no-letters");
        return own < MinScriptShare * letters ? Verdict.Drop("other-script") : Verdict.Keep;
    }
}
