using System.Numerics;

namespace OpenEuroLLM.Core.Tests;

/// <summary>A number as mantissa · 2^exponent with 320 bits, and functions by their plain series: the reference that <see cref="Numerics"/> is held against.</summary>
internal readonly struct Precise
{
    private const int Bits = 320;
    private readonly BigInteger _mantissa;
    private readonly int _exponent;

    private Precise(BigInteger mantissa, int exponent)
    {
        int surplus = (int)BigInteger.Abs(mantissa).GetBitLength() - Bits;
        (_mantissa, _exponent) = surplus > 0 ? (mantissa >> surplus, exponent + surplus) : (mantissa, exponent);
    }

    public static Precise From(double value)
    {
        if (value == 0) return new(0, 0);
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        return new(bits < 0 ? -mantissa : mantissa, Math.Max(exponent, 1) - 1075);
    }

    public static Precise operator +(Precise a, Precise b)
    {
        if (a._mantissa.IsZero) return b;
        if (b._mantissa.IsZero) return a;
        if (a._exponent < b._exponent) (a, b) = (b, a);
        int shift = a._exponent - b._exponent;
        return shift > 4000 ? a : new((a._mantissa << shift) + b._mantissa, b._exponent);
    }

    public static Precise operator -(Precise a, Precise b) => a + new Precise(-b._mantissa, b._exponent);

    public static Precise operator *(Precise a, Precise b) => new(a._mantissa * b._mantissa, a._exponent + b._exponent);

    public static Precise operator /(Precise a, Precise b) => new((a._mantissa << (2 * Bits)) / b._mantissa, a._exponent - 2 * Bits - b._exponent);

    public double ToDouble()
    {
        if (_mantissa.IsZero) return 0;
        var magnitude = BigInteger.Abs(_mantissa);
        int length = (int)magnitude.GetBitLength();
        int keep = Math.Min(53, length + _exponent + 1074); // fewer in the subnormal range
        if (keep < 0) return 0;
        int drop = length - keep;
        var rounded = drop > 0 ? (magnitude + (BigInteger.One << (drop - 1))) >> drop : magnitude << -drop;
        return _mantissa.Sign * Math.ScaleB((double)rounded, _exponent + drop);
    }

    public Precise Exp()
    {
        // e^x = (e^(x/2^k))^(2^k), the small power by its series
        int halvings = Math.Max(0, (int)BigInteger.Abs(_mantissa).GetBitLength() + _exponent + 8);
        var x = new Precise(_mantissa, _exponent - halvings);
        Precise sum = From(1), term = From(1);
        for (int n = 1; n < 60; n++)
        {
            term = term * x / From(n);
            sum += term;
        }

        for (int i = 0; i < halvings; i++) sum *= sum;
        return sum;
    }

    public Precise Log()
    {
        // Newton on e^y = x; each step doubles the digits
        var y = From(Numerics.Log(ToDouble()));
        for (int i = 0; i < 3; i++) y += this / y.Exp() - From(1);
        return y;
    }

    public Precise Sin() => AtQuarter(0);

    public Precise Cos() => AtQuarter(1);

    // The angle less the nearest multiple of π/2, with as many bits of π as its size needs.
    private Precise AtQuarter(int shift)
    {
        if (_mantissa.IsZero) return From(shift);
        int places = (Bits + 64 + Math.Max(0, _exponent + 64) + 127) / 128 * 128;
        var halfPi = HalfPi(places);
        var x = places + _exponent >= 0 ? _mantissa << (places + _exponent) : _mantissa >> -(places + _exponent);
        var quarter = BigInteger.Divide(2 * x + (x.Sign * halfPi), 2 * halfPi);
        var rest = quarter.IsZero ? this : new Precise(x - quarter * halfPi, -places);
        int which = (int)(((quarter + shift) % 4 + 4) % 4);
        var value = which % 2 == 0 ? rest.Series(rest, 1) : rest.Series(From(1), 0);
        return which >= 2 ? From(0) - value : value;
    }

    private Precise Series(Precise term, int n)
    {
        Precise sum = term, square = this * this;
        for (int i = n; i < n + 90; i += 2)
        {
            term = From(0) - term * square / From((i + 1.0) * (i + 2.0));
            sum += term;
        }

        return sum;
    }

    private static readonly Dictionary<int, BigInteger> _halfPi = [];

    private static BigInteger HalfPi(int places)
    {
        if (_halfPi.TryGetValue(places, out var known)) return known;
        // Euler: π/4 = atan(1/2) + atan(1/3); another formula than the one under test
        var one = BigInteger.One << (places + 32);
        return _halfPi[places] = (2 * (ArcTangent(2, one) + ArcTangent(3, one))) >> 32;
    }

    private static BigInteger ArcTangent(int n, BigInteger one)
    {
        BigInteger power = one / n, sum = power;
        for (int k = 1; !power.IsZero; k++)
        {
            power = -power / (n * n);
            sum += power / (2 * k + 1);
        }

        return sum;
    }
}
