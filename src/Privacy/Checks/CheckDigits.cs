namespace OpenEuroLLM.Privacy.Checks;

/// <summary>The check digits that many identifiers share. Symbols are ASCII digits and capitals.</summary>
internal static class CheckDigits
{
    private static readonly byte[,] Permutations = VerhoeffPermutations();

    /// <summary>A digit's value, or that of a letter: A is 10.</summary>
    public static int Value(char symbol) => symbol <= '9' ? symbol - '0' : symbol - 'A' + 10;

    /// <summary>A number of at most 18 digits.</summary>
    public static long Number(ReadOnlySpan<char> digits)
    {
        long number = 0;
        foreach (char digit in digits) number = number * 10 + (digit - '0');
        return number;
    }

    /// <summary>Luhn's sum over digits, or over letters too with base 36: from the right every second value is doubled. Source: ISO/IEC 7812-1.</summary>
    public static bool Luhn(ReadOnlySpan<char> symbols, int radix = 10)
    {
        int sum = 0;
        for (int i = 0; i < symbols.Length; i++)
        {
            int value = Value(symbols[^(i + 1)]);
            if (i % 2 == 1) value *= 2;
            sum += radix == 10 ? value / 10 + value % 10 : i % 2 == 1 && value > 9 ? value - 9 : value;
        }
        return sum % 10 == 0;
    }

    /// <summary>ISO/IEC 7064, MOD 11,10: the last digit checks the others.</summary>
    public static bool Mod11And10(ReadOnlySpan<char> digits)
    {
        int product = 10;
        foreach (char digit in digits[..^1])
        {
            int sum = (product + digit - '0') % 10;
            if (sum == 0) sum = 10;
            product = 2 * sum % 11;
        }
        return (11 - product) % 10 == digits[^1] - '0';
    }

    /// <summary>ISO/IEC 7064, MOD 97-10: the remainder by 97, letters being 10 to 35.</summary>
    public static int Remainder97(ReadOnlySpan<char> symbols)
    {
        int remainder = 0;
        foreach (char symbol in symbols)
        {
            int value = Value(symbol);
            remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
        }
        return remainder;
    }

    /// <summary>Verhoeff's check over the dihedral group of ten elements.</summary>
    public static bool Verhoeff(ReadOnlySpan<char> digits)
    {
        int check = 0;
        for (int i = 0; i < digits.Length; i++) check = Multiply(check, Permutations[i % 8, digits[^(i + 1)] - '0']);
        return check == 0;
    }

    private static int Multiply(int j, int k) => (j < 5, k < 5) switch
    {
        (true, true) => (j + k) % 5,
        (true, false) => 5 + (j + k - 5) % 5,
        (false, true) => 5 + (j + 5 - 5 - k) % 5,
        _ => (j + 5 - k) % 5,
    };

    private static byte[,] VerhoeffPermutations()
    {
        ReadOnlySpan<byte> first = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        var all = new byte[8, 10];
        for (byte n = 0; n < 10; n++) all[0, n] = n;
        for (int i = 1; i < 8; i++)
            for (int n = 0; n < 10; n++) all[i, n] = all[i - 1, first[n]];
        return all;
    }
}
