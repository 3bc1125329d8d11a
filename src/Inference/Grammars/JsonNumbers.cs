using System.Globalization;
using System.Text.Json;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The bounds of a number; null for none.</summary>
internal readonly record struct NumberRange(decimal? Low, bool LowIsOut, decimal? High, bool HighIsOut)
{
    /// <summary>Whether all numbers here are smaller than all there.</summary>
    public bool IsBelow(NumberRange other) => High is decimal high && other.Low is decimal low && (high < low || (high == low && (HighIsOut || other.LowIsOut)));

    public NumberRange From(decimal low, bool isOut) =>
        Low is not decimal known || low > known ? this with { Low = low, LowIsOut = isOut } : low == known ? this with { LowIsOut = LowIsOut || isOut } : this;

    public NumberRange To(decimal high, bool isOut) =>
        High is not decimal known || high < known ? this with { High = high, HighIsOut = isOut } : high == known ? this with { HighIsOut = HighIsOut || isOut } : this;
}

/// <summary>Writes numbers into the automaton: at most 15 digits before the point and 10 behind it, and an exponent of at most two digits where
/// there are no bounds. Zero has no sign. Bounds are kept exactly, digit by digit.</summary>
internal sealed class JsonNumbers(Automaton automaton)
{
    private const int WholeDigits = 15, FractionDigits = 10, ExponentDigits = 2;
    private const decimal Largest = 999_999_999_999_999;

    /// <summary>A lower bound as it is kept: rounded up to the digits that are written, and null where no number that is written lies below it.</summary>
    /// <exception cref="SchemaException">No number that is written lies above it.</exception>
    public static decimal? LowBound(JsonElement bound, string pointer)
    {
        decimal low = Read(bound);
        if (low < -Largest) return null;
        return low <= Largest ? Rounded(low, MidpointRounding.ToPositiveInfinity) : throw TooFar(pointer);
    }

    /// <summary>An upper bound, likewise.</summary>
    /// <exception cref="SchemaException">No number that is written lies below it.</exception>
    public static decimal? HighBound(JsonElement bound, string pointer)
    {
        decimal high = Read(bound);
        if (high > Largest) return null;
        return high >= -Largest ? Rounded(high, MidpointRounding.ToNegativeInfinity) : throw TooFar(pointer);
    }

    // A number nearer to zero than a decimal can say is the smallest beside it, one that is too large the largest.
    private static decimal Read(JsonElement bound)
    {
        double number = bound.GetDouble();
        if (bound.TryGetDecimal(out decimal exact) && (exact != 0 || number == 0)) return exact;
        return (number, Math.Abs(number) < 1) switch
        {
            ( < 0, true) => -1e-28m,
            (_, true) => 1e-28m,
            ( < 0, _) => decimal.MinValue,
            _ => decimal.MaxValue,
        };
    }

    private static decimal Rounded(decimal bound, MidpointRounding direction) => Math.Round(bound, FractionDigits, direction);

    private static SchemaException TooFar(string pointer) => new(pointer, $"no number that can be written satisfies the bound; expected one between -{Largest} and {Largest}.");

    public void Add(int from, int to, bool whole, NumberRange range, string pointer)
    {
        int end = to;
        if (!whole && range is { Low: null, High: null })
        {
            end = automaton.AddState(pointer);
            automaton.Skip(end, to);
            int exponent = automaton.AddState(pointer), digits = automaton.AddState(pointer);
            automaton.Read(end, exponent, (byte)'e', (byte)'e');
            automaton.Read(end, exponent, (byte)'E', (byte)'E');
            automaton.Skip(exponent, digits);
            automaton.Read(exponent, digits, (byte)'+', (byte)'+');
            automaton.Read(exponent, digits, (byte)'-', (byte)'-');
            for (int i = 0; i < ExponentDigits; i++)
            {
                int next = automaton.AddState(pointer);
                automaton.Read(digits, next, (byte)'0', (byte)'9');
                automaton.Skip(next, to);
                digits = next;
            }
        }

        decimal low = range.Low ?? -Largest - 1, high = range.High ?? Largest + 1;
        bool lowIsOut = range.Low is null || range.LowIsOut, highIsOut = range.High is null || range.HighIsOut;
        if (high > 0 || (high == 0 && !highIsOut))
            AddMagnitude(from, end, Math.Max(low, 0), low >= 0 && lowIsOut, high, highIsOut, whole, pointer);
        if (low >= 0) return;
        int minus = automaton.AddState(pointer);
        automaton.Read(from, minus, (byte)'-', (byte)'-');
        AddMagnitude(minus, end, Math.Max(-high, 0), high >= 0 || highIsOut, -low, lowIsOut, whole, pointer);
    }

    private void AddMagnitude(int from, int to, decimal low, bool lowIsOut, decimal high, bool highIsOut, bool whole, string pointer)
    {
        if (low > high) return;
        decimal first = Math.Floor(low), last = Math.Floor(high);
        if (whole)
        {
            if (low > first || lowIsOut) first++;
            if (last == high && highIsOut) last--;
            AddWhole(from, to, first, last, pointer);
            return;
        }

        string lowFraction = Fraction(low - first), highFraction = Fraction(high - last);
        if (first == last)
        {
            AddFraction(Whole(first, first), to, (lowFraction, lowIsOut), (highFraction, highIsOut), pointer);
            return;
        }

        AddFraction(Whole(first, first), to, (lowFraction, lowIsOut), null, pointer);
        if (first + 1 <= last - 1) AddFraction(Whole(first + 1, last - 1), to, null, null, pointer);
        if (last <= Largest) AddFraction(Whole(last, last), to, null, (highFraction, highIsOut), pointer);

        int Whole(decimal least, decimal most)
        {
            int end = automaton.AddState(pointer);
            AddWhole(from, end, least, most, pointer);
            return end;
        }
    }

    // Whole numbers without leading zeros, by their number of digits.
    private void AddWhole(int from, int to, decimal first, decimal last, string pointer)
    {
        decimal least = 0, next = 10;
        for (int digits = 1; digits <= WholeDigits && first <= last; digits++, least = next, next *= 10)
        {
            decimal start = Math.Max(first, least), end = Math.Min(last, next - 1);
            if (start <= end) AddDigits(from, to, Text(start), Text(end), pointer);
        }
    }

    // All digit strings between two of the same length.
    private void AddDigits(int from, int to, string low, string high, string pointer)
    {
        if (low.Length == 1)
        {
            automaton.Read(from, to, (byte)low[0], (byte)high[0]);
            return;
        }

        if (low[0] == high[0])
        {
            AddDigits(Behind(low[0], low[0]), to, low[1..], high[1..], pointer);
            return;
        }

        string zeros = new('0', low.Length - 1), nines = new('9', low.Length - 1);
        char first = low[0], last = high[0];
        if (low[1..] != zeros) AddDigits(Behind(first, first++), to, low[1..], nines, pointer);
        if (high[1..] != nines) AddDigits(Behind(last, last--), to, zeros, high[1..], pointer);
        if (first <= last) AddDigits(Behind(first, last), to, zeros, nines, pointer);

        int Behind(char least, char most)
        {
            int state = automaton.AddState(pointer);
            automaton.Read(from, state, (byte)least, (byte)most);
            return state;
        }
    }

    // An end, or a point and digits; what is missing behind the last digit counts as zeros.
    private void AddFraction(int from, int to, (string Digits, bool IsOut)? low, (string Digits, bool IsOut)? high, string pointer)
    {
        var states = new Dictionary<(int, bool, bool), int>();
        bool atLow = low is not null, atHigh = high is not null;
        if (MayEnd(0, atLow, atHigh)) automaton.Skip(from, to);
        int point = automaton.AddState(pointer);
        automaton.Read(from, point, (byte)'.', (byte)'.');
        Continue(point, 0, atLow, atHigh);

        void Continue(int state, int place, bool tightLow, bool tightHigh)
        {
            if (place == FractionDigits) return;
            char least = tightLow ? DigitAt(low!.Value.Digits, place) : '0', most = tightHigh ? DigitAt(high!.Value.Digits, place) : '9';
            for (char digit = least; digit <= most; digit++)
                automaton.Read(state, StateOf(place + 1, tightLow && digit == least, tightHigh && digit == most), (byte)digit, (byte)digit);
        }

        int StateOf(int place, bool tightLow, bool tightHigh)
        {
            if (states.TryGetValue((place, tightLow, tightHigh), out int state)) return state;
            state = automaton.AddState(pointer);
            states.Add((place, tightLow, tightHigh), state);
            if (MayEnd(place, tightLow, tightHigh)) automaton.Skip(state, to);
            Continue(state, place, tightLow, tightHigh);
            return state;
        }

        bool MayEnd(int place, bool tightLow, bool tightHigh) =>
            (!tightLow || (IsZero(low!.Value.Digits, place) && !low.Value.IsOut)) && (!tightHigh || !IsZero(high!.Value.Digits, place) || !high.Value.IsOut);
    }

    private static char DigitAt(string digits, int place) => place < digits.Length ? digits[place] : '0';

    private static bool IsZero(string digits, int place) => place >= digits.Length || digits.AsSpan(place).IndexOfAnyExcept('0') < 0;

    private static string Fraction(decimal share)
    {
        string text = share.ToString(CultureInfo.InvariantCulture);
        int point = text.IndexOf('.', StringComparison.Ordinal);
        return point < 0 ? "" : text[(point + 1)..];
    }

    private static string Text(decimal whole) => whole.ToString("0", CultureInfo.InvariantCulture);
}
