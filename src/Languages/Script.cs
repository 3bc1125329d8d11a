using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Languages;

/// <summary>A writing system.</summary>
/// <param name="Code">ISO 15924, <c>Latn</c>.</param>
/// <param name="Name">In English.</param>
/// <param name="Ranges">Its code points as hexadecimal numbers or ranges, <c>0041-005A</c>, ascending.</param>
public sealed record Script(string Code, string Name, IReadOnlyList<string> Ranges)
{
    private readonly (int First, int Last)[] _ranges = [.. Ranges.Select(Range)];

    /// <summary>Whether a character belongs to this script. Digits and punctuation belong to none.</summary>
    public bool Contains(Rune rune)
    {
        int value = rune.Value, low = 0, high = _ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (value > _ranges[middle].Last) low = middle + 1;
            else if (value < _ranges[middle].First) high = middle - 1;
            else return true;
        }

        return false;
    }

    private static (int, int) Range(string range)
    {
        string[] ends = range.Split('-');
        int Number(string end) => int.Parse(end, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (Number(ends[0]), Number(ends[^1]));
    }
}
