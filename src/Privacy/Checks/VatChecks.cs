namespace OpenEuroLLM.Privacy.Checks;

/// <summary>Checks of value-added-tax numbers that no table of weights can say.</summary>
internal static class VatChecks
{
    private const string FrenchKeys = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";   // no I and no O

    /// <summary>Bulgaria, ten digits: a citizen's number, a foreigner's, or one of the tax office.</summary>
    public static bool BulgarianPerson(ReadOnlySpan<char> digits)
    {
        int check = digits[9] - '0';
        return (Sum(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == check && IsBulgarianDate(digits))
            || Sum(digits, [21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == check
            || (11 - Sum(digits, [4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 == check;
    }

    /// <summary>Czechia, nine digits from 6 on: persons without a number of birth.</summary>
    public static bool CzechSpecial(ReadOnlySpan<char> digits)
    {
        int sum = Sum(digits[1..], [8, 7, 6, 5, 4, 3, 2]) % 11;
        return Mod(8 - Mod(10 - sum, 11), 10) == digits[8] - '0';
    }

    /// <summary>Spain, companies: Luhn's sum over seven digits, written as a digit or a letter.</summary>
    public static bool SpanishCompany(ReadOnlySpan<char> symbols)
    {
        int sum = 0;
        for (int i = 1; i < 8; i++)
        {
            int value = symbols[i] - '0';
            if (i % 2 == 1) value *= 2;
            sum += value / 10 + value % 10;
        }
        int check = (10 - sum % 10) % 10;
        return symbols[8] == '0' + check || symbols[8] == "JABCDEFGHI"[check];
    }

    /// <summary>France: a SIREN that passes Luhn's check (those of three zeros are not checked), and its key of digits or with a letter.</summary>
    public static bool French(ReadOnlySpan<char> symbols)
    {
        ReadOnlySpan<char> siren = symbols[2..];
        if (!siren.StartsWith("000", StringComparison.Ordinal) && !CheckDigits.Luhn(siren)) return false;
        long number = CheckDigits.Number(siren);
        if (char.IsAsciiDigit(symbols[0]) && char.IsAsciiDigit(symbols[1])) return CheckDigits.Number(symbols[..2]) == (number * 100 + 12) % 97;
        int first = FrenchKeys.IndexOf(symbols[0], StringComparison.Ordinal), second = FrenchKeys.IndexOf(symbols[1], StringComparison.Ordinal);
        int key = first < 10 ? 24 * first + second - 10 : 34 * first + second - 100;
        return (number + 1 + key / 11) % 11 == Mod(key, 11);
    }

    /// <summary>Ireland, the older form: a letter at the second place, the first digit counts last.</summary>
    public static bool IrishOld(ReadOnlySpan<char> symbols) =>
        NationalChecks.IrishService(['0', symbols[2], symbols[3], symbols[4], symbols[5], symbols[6], symbols[0], symbols[7]]);

    /// <summary>The Netherlands: a citizen's number within, or MOD 97-10 over all with the country.</summary>
    public static bool Dutch(ReadOnlySpan<char> symbols) =>
        (Mod(Sum(symbols, [9, 8, 7, 6, 5, 4, 3, 2, -1]), 11) == 0 && symbols[..9].ContainsAnyExcept('0')) || CheckDigits.Remainder97(['N', 'L', .. symbols]) == 1;

    /// <summary>Romania: two to ten digits, the weights set against the right end.</summary>
    public static bool Romanian(ReadOnlySpan<char> digits)
    {
        ReadOnlySpan<int> weights = [7, 5, 3, 2, 1, 7, 5, 3, 2];
        return 10 * Sum(digits[..^1], weights[^(digits.Length - 1)..]) % 11 % 10 == digits[^1] - '0';
    }

    private static bool IsBulgarianDate(ReadOnlySpan<char> digits)
    {
        int year = (int)CheckDigits.Number(digits[..2]), month = (int)CheckDigits.Number(digits.Slice(2, 2)), day = (int)CheckDigits.Number(digits.Slice(4, 2));
        return month switch { > 40 => DateCheck.IsDay(2000 + year, month - 40, day), > 20 => DateCheck.IsDay(1800 + year, month - 20, day), _ => DateCheck.IsDay(1900 + year, month, day) };
    }

    private static int Sum(ReadOnlySpan<char> digits, ReadOnlySpan<int> weights)
    {
        int sum = 0;
        for (int i = 0; i < weights.Length; i++) sum += (digits[i] - '0') * weights[i];
        return sum;
    }

    private static int Mod(int value, int modulus) => (value % modulus + modulus) % modulus;
}
