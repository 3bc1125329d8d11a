using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Checks;

/// <summary>The date of birth within a number.</summary>
internal static class DateCheck
{
    public static bool Passes(ReadOnlySpan<char> symbols, CheckSetting setting)
    {
        ReadOnlySpan<char> date = symbols[setting.From..];
        (int year, int yearDigits, int month, int day) = setting.Order switch
        {
            "YYMMDD" => (Part(date, 0, 2), 2, Part(date, 2, 2), Part(date, 4, 2)),
            "DDMMYY" => (Part(date, 4, 2), 2, Part(date, 2, 2), Part(date, 0, 2)),
            "YYYYMMDD" => (Part(date, 0, 4), 4, Part(date, 4, 2), Part(date, 6, 2)),
            "DDMMYYY" => (Part(date, 4, 3), 3, Part(date, 2, 2), Part(date, 0, 2)),
            _ => throw new InvalidDataException($"A date cannot be in the order '{setting.Order}'."),
        };
        if (setting.AnyMonth) return day is >= 1 and <= 31 && month >= 1;
        if (year > setting.Latest) return false;
        int century = setting.CenturyAt is int at ? setting.Centuries![symbols[at] - '0'] : 0;
        if (setting.Cutoff is int cutoff) century = year >= cutoff ? 1900 : 2000;
        foreach (int plusDay in setting.Days ?? [0])
            foreach (int[] plusMonth in setting.Months ?? [[0, 0]])
            {
                int ofMonth = plusMonth[1] != 0 ? plusMonth[1] : century;
                if (Exists(year, yearDigits, ofMonth, month - plusMonth[0], day - plusDay, setting.Unknown)) return true;
            }
        return false;
    }

    /// <summary>Whether a day is in the calendar; where the century is not known, whether it is in that of 1900 or 2000.</summary>
    private static bool Exists(int year, int yearDigits, int century, int month, int day, bool unknown)
    {
        if (unknown && month is >= 0 and <= 12 && day is >= 0 and <= 31 && (month == 0 || day == 0)) return true;
        if (yearDigits == 4) return year is >= 1800 and <= 2100 && IsDay(year, month, day);
        if (yearDigits == 3) return IsDay(year < 800 ? 2000 + year : 1000 + year, month, day);
        return century != 0 ? IsDay(century + year, month, day) : IsDay(2000 + year, month, day);   // 2000 is a leap year: what 1900 has, it has too
    }

    /// <summary>Whether a day is in the Gregorian calendar.</summary>
    public static bool IsDay(int year, int month, int day) => month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month);

    private static int Part(ReadOnlySpan<char> digits, int from, int length)
    {
        int value = 0;
        foreach (char digit in digits.Slice(from, length)) value = value * 10 + CheckDigits.Value(digit);
        return value;
    }
}
