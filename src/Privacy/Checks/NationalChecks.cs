namespace OpenEuroLLM.Privacy.Checks;

/// <summary>Checks of single countries that no table of weights can say.</summary>
internal static class NationalChecks
{
    private const string SpanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
    private const string FinnishSigns = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    private const string IrishLetters = "WABCDEFGHIJKLMNOPQRSTUV";
    private const string ItalianMonths = "ABCDEHLMPRST";
    private const string ItalianDigits = "LMNPQRSTUV";   // stand for 0 to 9 where two persons would have the same code

    private static ReadOnlySpan<byte> ItalianOdd =>
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

    /// <summary>Of ten digits exactly one appears more than once, and that twice or three times.</summary>
    public static bool OneDigitRepeats(ReadOnlySpan<char> digits)
    {
        Span<int> counts = stackalloc int[10];
        foreach (char digit in digits) counts[digit - '0']++;
        int repeated = 0;
        foreach (int count in counts)
        {
            if (count > 3) return false;
            if (count > 1) repeated++;
        }
        return repeated == 1;
    }

    /// <summary>Belgium: 97 less the remainder of the first nine digits, with a 2 before them for those born from 2000 on.</summary>
    public static bool BelgianNumber(ReadOnlySpan<char> digits)
    {
        long number = CheckDigits.Number(digits[..9]), check = CheckDigits.Number(digits[9..]);
        return check == 97 - number % 97 || check == 97 - (2_000_000_000 + number) % 97;
    }

    /// <summary>Cyprus: digits at odd places count by a table, the letter is the sum's remainder by 26.</summary>
    public static bool CypriotTax(ReadOnlySpan<char> symbols)
    {
        int sum = 0;
        for (int i = 0; i < 8; i++) sum += i % 2 == 0 ? ItalianOdd[symbols[i] - '0'] : symbols[i] - '0';
        return symbols[8] == 'A' + sum % 26;
    }

    /// <summary>Denmark: the seventh digit with the year tells the century; there is no check digit since 2007.</summary>
    public static bool DanishDate(ReadOnlySpan<char> digits)
    {
        int year = (int)CheckDigits.Number(digits.Slice(4, 2));
        int century = digits[6] switch { <= '3' => 1900, '4' or '9' => year >= 37 ? 1900 : 2000, _ => year < 58 ? 2000 : 1800 };
        return DateCheck.IsDay(century + year, (int)CheckDigits.Number(digits.Slice(2, 2)), (int)CheckDigits.Number(digits[..2]));
    }

    /// <summary>Spain: the letter of the number modulo 23; X, Y and Z of foreigners count as 0, 1 and 2, and K, L and M not at all.</summary>
    public static bool SpanishLetter(ReadOnlySpan<char> symbols)
    {
        ReadOnlySpan<char> digits = symbols[..^1];
        long number = char.IsAsciiDigit(digits[0]) ? CheckDigits.Number(digits)
            : CheckDigits.Number(digits[1..]) + (digits[0] >= 'X' ? (digits[0] - 'X') * 10_000_000L : 0);
        return symbols[^1] == SpanishLetters[(int)(number % 23)];
    }

    /// <summary>Spain, social security: province and number modulo 97.</summary>
    public static bool SpanishInsurance(ReadOnlySpan<char> digits)
    {
        long province = CheckDigits.Number(digits[..2]), number = CheckDigits.Number(digits.Slice(2, 8));
        return (province * (number < 10_000_000 ? 10_000_000 : 100_000_000) + number) % 97 == CheckDigits.Number(digits[10..]);
    }

    /// <summary>Finland: the sign, or the letter in its place, tells the century; the last character is the number modulo 31.</summary>
    public static bool FinnishCode(ReadOnlySpan<char> symbols, char sign)
    {
        char century = symbols.Length == 11 ? symbols[6] : sign;
        ReadOnlySpan<char> individual = symbols[^4..^1];
        int begin = century switch { '+' => 1800, '-' or (>= 'U' and <= 'Y') => 1900, >= 'A' and <= 'F' => 2000, _ => 0 };
        long serial = CheckDigits.Number(individual);
        return begin != 0 && serial >= 2
            && DateCheck.IsDay(begin + (int)CheckDigits.Number(symbols.Slice(4, 2)), (int)CheckDigits.Number(symbols.Slice(2, 2)), (int)CheckDigits.Number(symbols[..2]))
            && symbols[^1] == FinnishSigns[(int)((CheckDigits.Number(symbols[..6]) * 1000 + serial) % 31)];
    }

    /// <summary>France: the key is 97 less the number's remainder; the departments of Corsica, 2A and 2B, count as 19 and 18.</summary>
    public static bool FrenchInsurance(ReadOnlySpan<char> symbols)
    {
        long month = CheckDigits.Number(symbols.Slice(3, 2));
        if (month is 0 or (> 12 and < 20)) return false;
        Span<char> number = stackalloc char[13];
        symbols[..13].CopyTo(number);
        if (char.IsAsciiLetter(number[6]))
        {
            if (number[5] != '2') return false;
            (number[5], number[6]) = number[6] == 'A' ? ('1', '9') : ('1', '8');
        }
        return CheckDigits.Number(symbols[13..]) == 97 - CheckDigits.Number(number) % 97;
    }

    /// <summary>Ireland: the letter after the digits is their weighted sum modulo 23, to which a second letter adds unless it is W, T or X.</summary>
    public static bool IrishService(ReadOnlySpan<char> symbols)
    {
        int sum = 0;
        for (int i = 0; i < 7; i++) sum += (8 - i) * (symbols[i] - '0');
        if (symbols.Length == 9 && symbols[8] is >= 'A' and <= 'I') sum += 9 * (symbols[8] - 'A' + 1);
        return symbols[7] == IrishLetters[sum % 23];
    }

    /// <summary>Italy: a day that exists, and a last letter from the tables of odd and even places.</summary>
    public static bool ItalianCode(ReadOnlySpan<char> symbols)
    {
        int year = ItalianNumber(symbols, 6), day = ItalianNumber(symbols, 9), month = ItalianMonths.IndexOf(symbols[8], StringComparison.Ordinal) + 1;
        if (!DateCheck.IsDay(2000 + year, month, day > 40 ? day - 40 : day)) return false;
        int sum = 0;
        for (int i = 0; i < 15; i++)
        {
            int value = CheckDigits.Value(symbols[i]);
            if (value > 9) value -= 10;   // A counts as 0 in both tables
            sum += i % 2 == 0 ? ItalianOdd[value] : value;
        }
        return symbols[15] == 'A' + sum % 26;
    }

    private static int ItalianNumber(ReadOnlySpan<char> symbols, int at) => ItalianDigit(symbols[at]) * 10 + ItalianDigit(symbols[at + 1]);

    private static int ItalianDigit(char symbol) => char.IsAsciiDigit(symbol) ? symbol - '0' : ItalianDigits.IndexOf(symbol, StringComparison.Ordinal);
}
