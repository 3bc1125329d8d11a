namespace OpenEuroLLM.Privacy.Rules;

/// <summary>One check of an identifier as the data files write it: the name of a procedure and its settings. Places count from 0 within the body.</summary>
/// <param name="Is">The procedure: see <see cref="Checks.Procedure"/>.</param>
/// <param name="From">The first symbol that takes part.</param>
/// <param name="Length">How many symbols take part; absent: all.</param>
/// <param name="Weights">The weights of a sum, from the left.</param>
/// <param name="WeightsAfterTen">The weights of a second sum, taken when the first leaves 10.</param>
/// <param name="Modulus">What the sum or number is divided by.</param>
/// <param name="Complement">The remainder is taken of this less the sum.</param>
/// <param name="Then">A second modulus.</param>
/// <param name="Start">Added to the sum.</param>
/// <param name="DigitSums">Whether products count by the sum of their digits.</param>
/// <param name="Letters">"ten": A counts 10; "pair": A counts as the two digits 01.</param>
/// <param name="Map">Remainders that are written otherwise.</param>
/// <param name="ZeroIsInvalid">Whether no number has a remainder of 0.</param>
/// <param name="Expected">The value that the remainder must have; absent: that of the check digit.</param>
/// <param name="Position">Where the check digit is; absent: at the end.</param>
/// <param name="PositionLength">How many digits it has.</param>
/// <param name="Order">The order of the parts of a date.</param>
/// <param name="Months">What is added to the month, and the century that it means (0: unknown).</param>
/// <param name="Days">What may be added to the day.</param>
/// <param name="CenturyAt">Where the digit of the century is.</param>
/// <param name="Centuries">The century of each such digit (0: unknown).</param>
/// <param name="Cutoff">Years of two digits from here on are of the 1900s, earlier ones of the 2000s.</param>
/// <param name="Latest">The latest year of two digits.</param>
/// <param name="Unknown">Whether month and day may be 0 because they are not known.</param>
/// <param name="AnyMonth">Whether the month is not limited to 12.</param>
/// <param name="Values">Values or ranges that a part may have, or beginnings that it may not have.</param>
internal sealed record CheckSetting(
    string Is, int From = 0, int? Length = null, int[]? Weights = null, int[]? WeightsAfterTen = null, int Modulus = 0, int? Complement = null, int? Then = null,
    int Start = 0, bool DigitSums = false, string? Letters = null, int[][]? Map = null, bool ZeroIsInvalid = false, int? Expected = null, int? Position = null,
    int PositionLength = 1, string? Order = null, int[][]? Months = null, int[]? Days = null, int? CenturyAt = null, int[]? Centuries = null, int? Cutoff = null,
    int? Latest = null, bool Unknown = false, bool AnyMonth = false, string[]? Values = null);
