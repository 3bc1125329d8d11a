using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Checks;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Masking;

/// <summary>Makes up numbers that pass the checks of a rule. Symbols are drawn until they do: the rarest pass once in a few thousand draws.</summary>
internal static class NumberMaker
{
    /// <summary>Draws after which it is taken that no number exists. The rarest pattern (a date of eight digits with two check digits) passes once in 8,000.</summary>
    private const int MostDraws = 400_000;

    /// <summary>Numbers that national regulators keep for films and books, where there are such; Germany, France, Ireland, Sweden.</summary>
    private static readonly (string Code, string National, int Free)[] Fiction =
        [("49", "17139200", 2), ("33", "639980", 3), ("353", "20915", 4), ("46", "7017406", 2)];

    /// <summary>A number of a rule in the form of the one given, or one of the years that nobody living was born in where the rule has such; null when none can be made.</summary>
    public static string? Identifier(string rule, string symbols, char sign, CounterRandom random)
    {
        foreach (NumberForm form in RuleBook.BuiltIn.OfLength(symbols.Length))
            if (form.Rule.Name == rule && form.Accepts(symbols, sign)) return Draw(form, form.Surrogate ?? form.Pattern, symbols, sign, random);
        return null;
    }

    /// <summary>Any number of a form.</summary>
    internal static string? Draw(NumberForm form, Pattern pattern, string original, char sign, CounterRandom random)
    {
        Span<char> made = stackalloc char[pattern.Length];
        ulong drawn = 0;
        for (int draw = 0; draw < MostDraws; draw++)
        {
            for (int i = 0; i < made.Length; i++) made[i] = pattern.Choose(i, random.Below(drawn++, int.MaxValue));
            if (form.Accepts(made, sign) && !made.SequenceEqual(original)) return made.ToString();
        }
        return null;
    }

    /// <summary>An account of the same country at a bank numbered zero, which no country has.</summary>
    public static string Iban(string symbols, CounterRandom random)
    {
        char[] made = symbols.ToCharArray();
        int bank = Math.Min(4 + 4, made.Length - 6);
        for (int i = 4; i < made.Length; i++) made[i] = char.IsAsciiLetter(made[i]) ? 'X' : i < bank ? '0' : (char)('0' + random.Below((ulong)i, 10));
        (made[2], made[3]) = ('0', '0');
        int check = 98 - CheckDigits.Remainder97([.. made[4..], .. made[..4]]);
        (made[2], made[3]) = ((char)('0' + check / 10), (char)('0' + check % 10));
        return new string(made);
    }

    /// <summary>A card of the same network and length.</summary>
    public static string Card(string symbols, CounterRandom random)
    {
        char[] made = symbols.ToCharArray();
        for (int i = 6; i < made.Length; i++) made[i] = (char)('0' + random.Below((ulong)i, 10));
        for (int i = 4; i < 6 && made[0] is '4' or '5'; i++) made[i] = made[0] == '4' ? '1' : '5';
        for (made[^1] = '0'; !CheckDigits.Luhn(made); made[^1]++) ;
        return new string(made);
    }

    /// <summary>A number of the same country and length: one kept for fiction where there are such, or else one that differs in its last digits.</summary>
    public static string Phone(string symbols, bool plus, CounterRandom random)
    {
        char[] made = symbols.ToCharArray();
        int same = Math.Max(symbols.Length - 6, plus ? 3 : 2);
        foreach ((string code, string national, int free) in Fiction)
        {
            if (!plus || !symbols.StartsWith(code, StringComparison.Ordinal) || symbols.Length != code.Length + national.Length + free) continue;
            national.CopyTo(0, made, code.Length, national.Length);
            same = symbols.Length - free;
        }
        for (int i = same; i < made.Length; i++) made[i] = (char)('0' + random.Below((ulong)i, 10));
        return new string(made);
    }
}
