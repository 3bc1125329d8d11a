using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Checks;

/// <summary>The procedures that the data files name. Each gets the symbols of the body, which have the form of the rule's pattern, and the character that stands
/// in its first gap ('\0' where there is none).</summary>
internal static class Procedure
{
    public static bool Passes(CheckSetting setting, ReadOnlySpan<char> symbols, char sign) => setting.Is switch
    {
        "sum" => WeightedSum.Passes(symbols, setting),
        "remainder" => Remainder(symbols, setting),
        "date" => DateCheck.Passes(symbols, setting),
        "luhn" => CheckDigits.Luhn(symbols.Slice(setting.From, setting.Length ?? symbols.Length)),
        "luhn-36" => CheckDigits.Luhn(symbols, radix: 36),
        "mod-11-10" => CheckDigits.Mod11And10(symbols),
        "not-zero" => symbols.ContainsAnyExcept('0'),
        "among" => Among(symbols.Slice(setting.From, setting.Length!.Value), setting.Values!),
        "not-begin" => !StartsWithAny(symbols, setting.Values!),
        "one-digit-repeats" => NationalChecks.OneDigitRepeats(symbols[..setting.Length!.Value]),
        "be-niss" => NationalChecks.BelgianNumber(symbols),
        "cy-tax" => NationalChecks.CypriotTax(symbols),
        "dk-date" => NationalChecks.DanishDate(symbols),
        "es-letter" => NationalChecks.SpanishLetter(symbols),
        "es-nuss" => NationalChecks.SpanishInsurance(symbols),
        "fi-hetu" => NationalChecks.FinnishCode(symbols, sign),
        "fr-nir" => NationalChecks.FrenchInsurance(symbols),
        "ie-ppsn" => NationalChecks.IrishService(symbols),
        "it-codice-fiscale" => NationalChecks.ItalianCode(symbols),
        "verhoeff-around" => CheckDigits.Verhoeff([.. symbols[..11], symbols[12]]),
        "bg-vat-person" => VatChecks.BulgarianPerson(symbols),
        "cz-vat-special" => VatChecks.CzechSpecial(symbols),
        "es-cif" => VatChecks.SpanishCompany(symbols),
        "fr-vat" => VatChecks.French(symbols),
        "ie-vat-old" => VatChecks.IrishOld(symbols),
        "nl-vat" => VatChecks.Dutch(symbols),
        "ro-vat" => VatChecks.Romanian(symbols),
        _ => throw new InvalidDataException($"There is no check '{setting.Is}'."),
    };

    /// <summary>The remainder of a part read as a number, which the check digits or a constant must be.</summary>
    private static bool Remainder(ReadOnlySpan<char> symbols, CheckSetting setting)
    {
        long remainder = CheckDigits.Number(symbols.Slice(setting.From, setting.Length!.Value)) % setting.Modulus;
        if (setting.Complement is int complement) remainder = complement - remainder;
        if (setting.Then is int then) remainder %= then;
        return remainder == (setting.Expected ?? CheckDigits.Number(symbols.Slice(setting.Position!.Value, setting.PositionLength)));
    }

    private static bool Among(ReadOnlySpan<char> digits, string[] values)
    {
        long number = CheckDigits.Number(digits);
        foreach (string value in values)
        {
            int dash = value.IndexOf('-', StringComparison.Ordinal);
            if (dash < 0 ? number == CheckDigits.Number(value) : number >= CheckDigits.Number(value.AsSpan(0, dash)) && number <= CheckDigits.Number(value.AsSpan(dash + 1))) return true;
        }
        return false;
    }

    private static bool StartsWithAny(ReadOnlySpan<char> symbols, string[] beginnings)
    {
        foreach (string beginning in beginnings)
            if (symbols.StartsWith(beginning, StringComparison.Ordinal)) return true;
        return false;
    }
}
