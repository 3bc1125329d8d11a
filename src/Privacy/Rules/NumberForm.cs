using OpenEuroLLM.Privacy.Checks;

namespace OpenEuroLLM.Privacy.Rules;

/// <summary>A rule as findings name it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Type">What it finds.</param>
/// <param name="Country">Whose numbers they are; null: anybody's.</param>
/// <param name="Countries">Bits of the countries in whose documents it is at home.</param>
/// <param name="Concept">Its words of context.</param>
/// <param name="HasCheck">Whether it has check digits or a date.</param>
internal sealed record RuleName(string Name, int Version, PersonalDataType Type, string? Country, ulong Countries, int Concept, bool HasCheck);

/// <summary>A number of one length and form that a rule accepts.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Tier">How sure it is by itself.</param>
/// <param name="Pattern">The symbols.</param>
/// <param name="BodyFrom">How many symbols name the country and take no part in the checks.</param>
/// <param name="Groups">The lengths of the words it is commonly written in.</param>
/// <param name="Sign">Characters one of which must separate its words; null: any.</param>
/// <param name="Checks">What must pass.</param>
/// <param name="Surrogate">The pattern to draw surrogates from.</param>
internal sealed record NumberForm(
    RuleName Rule, PersonalDataTier Tier, Pattern Pattern, int BodyFrom, IReadOnlyList<byte[]> Groups, string? Sign, IReadOnlyList<CheckSetting> Checks, Pattern? Surrogate)
{
    /// <summary>Whether symbols of the right number are such a number.</summary>
    public bool Accepts(ReadOnlySpan<char> symbols, char sign)
    {
        if (!Pattern.Matches(symbols)) return false;
        if (Sign is not null && !Sign.Contains(sign)) return false;
        foreach (CheckSetting check in Checks)
            if (!Procedure.Passes(check, symbols[BodyFrom..], sign)) return false;
        return true;
    }
}
