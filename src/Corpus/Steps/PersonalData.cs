using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy;

namespace OpenEuroLLM.Corpus;

/// <summary>Masks the personal data of each document, puts made-up data in their place, or drops the document.</summary>
/// <param name="Mode">What is done.</param>
/// <param name="TierB">Whether rules take part that are sure only in documents in a language of their country.</param>
/// <param name="TierC">Whether rules take part that want a word of context.</param>
/// <param name="Key">The secret of surrogates, of at least 16 characters.</param>
public sealed record PersonalData(PersonalDataMode Mode = PersonalDataMode.Mask, bool TierB = true, bool TierC = true, string? Key = null) : Filter
{
    private PersonalDataMasker? _masker;

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        MaskedText masked = Apply(document);
        if (masked.Text is null) return Verdict.Drop("personal-data");
        return ReferenceEquals(masked.Text, document.Text) ? Verdict.Keep : Verdict.Replace(document with { Text = masked.Text });
    }

    /// <summary>What is found in a document and becomes of its text: what a ledger of findings records.</summary>
    internal MaskedText Apply(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        return (_masker ??= new PersonalDataMasker(new PersonalDataPolicy(Mode, null, TierB, TierC, Key))).Apply(document.Text, document.Lang);
    }
}
