namespace OpenEuroLLM.Privacy;

/// <summary>What kind of personal data a text holds.</summary>
public enum PersonalDataType
{
    /// <summary>An e-mail address, also one written in words ("name (at) firm.eu").</summary>
    Email,

    /// <summary>A telephone number.</summary>
    Phone,

    /// <summary>A public IPv4 or IPv6 address.</summary>
    IpAddress,

    /// <summary>The number of a payment card.</summary>
    Card,

    /// <summary>An International Bank Account Number.</summary>
    Iban,

    /// <summary>A value-added-tax number, which is that of a person where they trade in their own name.</summary>
    Vat,

    /// <summary>The number by which a state knows a person: personal code, PESEL, personnummer and the like.</summary>
    NationalId,

    /// <summary>A person's number with the tax office.</summary>
    TaxId,

    /// <summary>A number of social or pension insurance.</summary>
    SocialSecurity,

    /// <summary>A number of health insurance.</summary>
    HealthId,

    /// <summary>The number of an identity card or passport.</summary>
    Document,
}

/// <summary>How sure a rule is of a number by itself.</summary>
public enum PersonalDataTier
{
    /// <summary>Less than 1 % of numbers of this length pass: reported wherever it stands.</summary>
    A,

    /// <summary>1 to 5 % pass: reported in documents in a language of the country, elsewhere with a word that names it.</summary>
    B,

    /// <summary>More pass, or there is no check digit: reported only with a word that names it nearby.</summary>
    C,
}
