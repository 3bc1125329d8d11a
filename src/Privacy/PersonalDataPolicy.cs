namespace OpenEuroLLM.Privacy;

/// <summary>What becomes of personal data.</summary>
public enum PersonalDataMode
{
    /// <summary>It is counted and stays.</summary>
    Count,

    /// <summary>A placeholder that names its type stands in its place: see <see cref="Placeholder"/>.</summary>
    Mask,

    /// <summary>Made-up data of the same type and format stand in its place, the same for the same wherever the key is the same.</summary>
    Surrogate,

    /// <summary>The whole text is dropped.</summary>
    Drop,
}

/// <summary>What to do with each type of personal data.</summary>
/// <param name="Mode">For all types that have no mode of their own.</param>
/// <param name="Modes">Types with a mode of their own.</param>
/// <param name="TierB">Whether rules of tier B take part: see <see cref="PersonalDataTier"/>.</param>
/// <param name="TierC">Whether rules of tier C take part.</param>
/// <param name="Key">The secret that surrogates are made with, of at least 16 characters; whoever has it can test guesses. Needed where a mode is
/// <see cref="PersonalDataMode.Surrogate"/>.</param>
/// <param name="Scope">Where the same data get the same surrogate: texts of another scope get others under the same key.</param>
public sealed record PersonalDataPolicy(
    PersonalDataMode Mode = PersonalDataMode.Mask, IReadOnlyDictionary<PersonalDataType, PersonalDataMode>? Modes = null, bool TierB = true, bool TierC = true,
    string? Key = null, string Scope = "")
{
    /// <summary>The mode of a type.</summary>
    public PersonalDataMode ModeOf(PersonalDataType type) => Modes is not null && Modes.TryGetValue(type, out PersonalDataMode own) ? own : Mode;

    /// <summary>Whether findings of a tier count.</summary>
    public bool Includes(PersonalDataTier tier) => tier switch { PersonalDataTier.B => TierB, PersonalDataTier.C => TierC, _ => true };

    /// <summary>Whether any type gets surrogates, so that a key is needed.</summary>
    public bool MakesSurrogates => Mode == PersonalDataMode.Surrogate || Modes?.Values.Contains(PersonalDataMode.Surrogate) == true;
}
