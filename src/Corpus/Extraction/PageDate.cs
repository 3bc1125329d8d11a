using System.Globalization;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Reads days as pages write them: ISO 8601, numbers with points or slashes, and the dates of mail headers. What could mean two days is not read.</summary>
internal static class PageDate
{
    private const int EarliestYear = 1990; // the web's own age: clocks that were not set say 1970
    private const int LatestYear = 2100;

    private static readonly string[] _months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    /// <summary>The day as yyyy-MM-dd, or null.</summary>
    public static string? Parse(string? text)
    {
        if (text is null) return null;
        Span<int> numbers = stackalloc int[3];
        Span<int> digits = stackalloc int[3];
        int count = 0, month = 0;
        char separator = ' ';
        for (int at = 0; at < text.Length && count < 3;)
        {
            if (char.IsAsciiDigit(text[at]))
            {
                int start = at;
                while (at < text.Length && at - start < 8 && char.IsAsciiDigit(text[at])) at++;
                numbers[count] = int.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture);
                digits[count++] = at - start;
                if (count == 1)
                {
                    if (digits[0] == 8) return Day(numbers[0] / 10_000, numbers[0] / 100 % 100, numbers[0] % 100);
                    if (at < text.Length) separator = text[at];
                }
                else if (count == 2 && month > 0 && digits[0] != 4) return Day(numbers[1], month, numbers[0]);
            }
            else if (char.IsAsciiLetter(text[at]))
            {
                int start = at;
                while (at < text.Length && char.IsLetter(text[at])) at++;
                int named = at - start >= 3 ? Array.IndexOf(_months, text.Substring(start, 3).ToLowerInvariant()) + 1 : 0;
                if (named > 0 && month == 0) month = named;
            }
            else at++;
        }
        if (count < 3) return null;
        if (digits[0] == 4) return Day(numbers[0], numbers[1], numbers[2]);
        if (digits[2] != 4) return null;
        bool monthFirst = numbers[1] > 12;
        // 3/4/2020 is two days of the year, depending on the country; with points the day comes first everywhere.
        if (separator == '/' && !monthFirst && numbers[0] <= 12) return null;
        return monthFirst ? Day(numbers[2], numbers[0], numbers[1]) : Day(numbers[2], numbers[1], numbers[0]);
    }

    /// <summary>The day in an address such as /2020/03/04/title, or null.</summary>
    public static string? InAddress(string? address)
    {
        if (address is null) return null;
        for (int at = 0; at + 11 <= address.Length; at++)
        {
            ReadOnlySpan<char> part = address.AsSpan(at, 11);
            if (part[0] != '/' || part[5] is not ('/' or '-') || part[8] != part[5] || !int.TryParse(part[1..5], NumberStyles.None, CultureInfo.InvariantCulture, out int year)) continue;
            if (int.TryParse(part[6..8], NumberStyles.None, CultureInfo.InvariantCulture, out int month) && int.TryParse(part[9..11], NumberStyles.None, CultureInfo.InvariantCulture, out int day)
                && Day(year, month, day) is string found)
                return found;
        }
        return null;
    }

    private static string? Day(int year, int month, int day) =>
        year is >= EarliestYear and <= LatestYear && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month)
            ? string.Create(CultureInfo.InvariantCulture, $"{year:0000}-{month:00}-{day:00}") : null;
}
