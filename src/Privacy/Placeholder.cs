namespace OpenEuroLLM.Privacy;

/// <summary>What stands in the place of masked data: the name of the type between the brackets U+27E6 and U+27E7, "⟦IBAN⟧". The same in all languages, so that a
/// tokenizer can have one token for each and a training loss can leave them out; the brackets are those of mathematics that texts hardly have.</summary>
public static class Placeholder
{
    /// <summary>The placeholder of a type.</summary>
    public static string Of(PersonalDataType type) => type switch
    {
        PersonalDataType.Email => "⟦EMAIL⟧",
        PersonalDataType.Phone => "⟦PHONE⟧",
        PersonalDataType.IpAddress => "⟦IP-ADDRESS⟧",
        PersonalDataType.Card => "⟦CARD⟧",
        PersonalDataType.Iban => "⟦IBAN⟧",
        PersonalDataType.Vat => "⟦VAT⟧",
        PersonalDataType.NationalId => "⟦NATIONAL-ID⟧",
        PersonalDataType.TaxId => "⟦TAX-ID⟧",
        PersonalDataType.SocialSecurity => "⟦SOCIAL-SECURITY⟧",
        PersonalDataType.HealthId => "⟦HEALTH-ID⟧",
        _ => "⟦DOCUMENT⟧",
    };
}
