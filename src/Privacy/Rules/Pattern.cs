using System.Globalization;
using System.Numerics;
using OpenEuroLLM.Privacy.Checks;

namespace OpenEuroLLM.Privacy.Rules;

/// <summary>The symbols that a number of one length may have at each place. Written as <c>9</c> (a digit), <c>A</c> (a capital) or <c>[A-F0-9]</c>, each with
/// <c>{n}</c> or <c>{m,n}</c> behind where it repeats.</summary>
internal sealed class Pattern
{
    private const ulong Digits = (1UL << 10) - 1, Letters = ((1UL << 36) - 1) & ~Digits;

    private readonly ulong[] _allowed;

    private Pattern(ulong[] allowed) => _allowed = allowed;

    /// <summary>How many symbols it has.</summary>
    public int Length => _allowed.Length;

    /// <summary>Whether the symbols, as many as the pattern has, are such as it allows.</summary>
    public bool Matches(ReadOnlySpan<char> symbols)
    {
        for (int i = 0; i < _allowed.Length; i++)
            if ((_allowed[i] & (1UL << CheckDigits.Value(symbols[i]))) == 0) return false;
        return true;
    }

    /// <summary>The pattern with plain symbols in front.</summary>
    public Pattern After(string prefix) => new([.. prefix.Select(symbol => 1UL << CheckDigits.Value(symbol)), .. _allowed]);

    /// <summary>A symbol that is allowed at a place: the one that a random value chooses.</summary>
    public char Choose(int place, uint random)
    {
        ulong allowed = _allowed[place];
        for (int skip = (int)(random % (uint)BitOperations.PopCount(allowed)); skip > 0; skip--) allowed &= allowed - 1;
        int value = BitOperations.TrailingZeroCount(allowed);
        return (char)(value < 10 ? '0' + value : 'A' + value - 10);
    }

    /// <summary>The patterns that a text means: one for each length.</summary>
    /// <exception cref="InvalidDataException">The text is no pattern.</exception>
    public static IReadOnlyList<Pattern> Parse(string text)
    {
        var patterns = new List<List<ulong>> { new() };
        for (int at = 0; at < text.Length;)
        {
            ulong allowed = ReadPlace(text, ref at);
            (int least, int most) = ReadRepeat(text, ref at);
            patterns = [.. patterns.SelectMany(pattern => Enumerable.Range(least, most - least + 1).Select(times => (List<ulong>)[.. pattern, .. Enumerable.Repeat(allowed, times)]))];
        }
        return [.. patterns.Select(pattern => new Pattern([.. pattern]))];
    }

    private static ulong ReadPlace(string text, ref int at)
    {
        char symbol = text[at++];
        if (symbol == '9') return Digits;
        if (symbol == 'A') return Letters;
        int end = text.IndexOf(']', at);
        if (symbol != '[' || end < 0) throw new InvalidDataException($"'{text}' is no pattern.");
        ulong allowed = 0;
        for (; at < end; at++)
        {
            int first = CheckDigits.Value(text[at]);
            int last = first;
            if (at + 2 < end && text[at + 1] == '-') last = CheckDigits.Value(text[at += 2]);
            for (int value = first; value <= last; value++) allowed |= 1UL << value;
        }
        at++;
        return allowed;
    }

    private static (int Least, int Most) ReadRepeat(string text, ref int at)
    {
        if (at == text.Length || text[at] != '{') return (1, 1);
        int end = text.IndexOf('}', at);
        string[] numbers = text[(at + 1)..end].Split(',');
        at = end + 1;
        int least = int.Parse(numbers[0], CultureInfo.InvariantCulture);
        return (least, numbers.Length == 1 ? least : int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }
}
