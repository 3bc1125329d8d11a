using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Checks;

/// <summary>A sum of digits times weights, from the left, whose remainder is the check digit or a constant.</summary>
internal static class WeightedSum
{
    public static bool Passes(ReadOnlySpan<char> symbols, CheckSetting setting)
    {
        int remainder = Remainder(symbols, setting, setting.Weights!);
        if (remainder == 10 && setting.WeightsAfterTen is { } second) remainder = Remainder(symbols, setting, second);
        if (setting.ZeroIsInvalid && remainder == 0) return false;
        if (setting.Complement is int complement && setting.ZeroIsInvalid) remainder = complement - remainder;
        foreach (int[] pair in setting.Map ?? [])
            if (remainder == pair[0])
            {
                remainder = pair[1];
                break;
            }
        if (setting.Then is int then) remainder %= then;
        return remainder == (setting.Expected ?? CheckDigits.Value(symbols[setting.Position ?? symbols.Length - 1]));
    }

    private static int Remainder(ReadOnlySpan<char> symbols, CheckSetting setting, int[] weights)
    {
        int sum = setting.Start, place = 0;
        foreach (char symbol in symbols[setting.From..])
        {
            if (place == weights.Length) break;
            int value = CheckDigits.Value(symbol);
            if (value > 9 && setting.Letters == "pair")
            {
                int number = value - 9;   // A is 01
                sum += Term(number / 10, weights[place++], setting.DigitSums);
                if (place == weights.Length) break;
                sum += Term(number % 10, weights[place++], setting.DigitSums);
                continue;
            }
            sum += Term(value, weights[place++], setting.DigitSums);
        }
        if (setting.Complement is int complement && !setting.ZeroIsInvalid) sum = complement - sum;
        return (sum % setting.Modulus + setting.Modulus) % setting.Modulus;
    }

    private static int Term(int value, int weight, bool digitSum)
    {
        int product = value * weight;
        return digitSum ? product / 10 + product % 10 : product;
    }
}
