using System.Numerics;

namespace OpenEuroLLM.Core;

/// <summary>Elementary functions with the same bits on every machine: only exact IEEE operations (+, -, ·, /, √, fused multiply-add).
/// Errors stay near one unit in the last place over the whole range.</summary>
/// <remarks>The platform's own functions differ between C libraries, and so would every schedule, optimizer step and rotary table.</remarks>
public static class Numerics
{
    private const double LogOf2High = 0.693147180369123816490;    // the upper 32 bits: k times this is exact for |k| < 2^20
    private const double LogOf2Low = 1.90821492927058770002e-10;
    private const double InverseLogOf2 = 1.44269504088896338700;

    // π/2 in three parts of 53 bits each.
    private const double HalfPi1 = 1.5707963267948966;
    private const double HalfPi2 = 6.123233995736766e-17;
    private const double HalfPi3 = -1.4973849048591698e-33;

    /// <summary>Square root; exact rounding is part of the IEEE standard.</summary>
    public static double Sqrt(double x) => Math.Sqrt(x);

    /// <summary>e to the power x.</summary>
    public static double Exp(double x) => Exp(x, 0);

    /// <summary>Natural logarithm; NaN below zero, -∞ at zero.</summary>
    public static double Log(double x)
    {
        if (!(x > 0)) return x == 0 ? double.NegativeInfinity : double.NaN;
        if (x == double.PositiveInfinity) return x;
        var (exponent, mantissa) = Split(x);
        double f = mantissa - 1;
        if (f == 0) return exponent * LogOf2High + exponent * LogOf2Low;

        // log(1 + f) = f - f²/2 + s·(f²/2 + R), s = f/(2+f), R = 2s²/3 + 2s⁴/5 + ...  (|s| ≤ 0.172)
        double s = f / (2 + f), z = s * s, halfSquare = 0.5 * f * f;
        double r = 0;
        for (int n = 25; n >= 3; n -= 2) r = Math.FusedMultiplyAdd(r, z, 2.0 / n);
        r *= z;
        return exponent * LogOf2High - (halfSquare - (s * (halfSquare + r) + exponent * LogOf2Low) - f);
    }

    /// <summary>x to the power y, with the special cases of IEEE 754 <c>pow</c>.</summary>
    public static double Pow(double x, double y)
    {
        if (y == 0 || x == 1) return 1;
        if (double.IsNaN(x) || double.IsNaN(y)) return double.NaN;
        bool whole = Math.Floor(y) == y;                                      // true for ±∞ and for everything beyond 2^53
        bool odd = whole && Math.Abs(y) < 9007199254740992.0 && Math.Floor(y / 2) * 2 != y;
        double magnitude = Math.Abs(x);
        if (double.IsInfinity(y))
            return magnitude == 1 ? 1 : (magnitude > 1) == (y > 0) ? double.PositiveInfinity : 0;
        if (magnitude == 0 || double.IsInfinity(magnitude))
        {
            double limit = (magnitude == 0) == (y > 0) ? 0 : double.PositiveInfinity;
            return odd && double.IsNegative(x) ? -limit : limit;
        }

        if (x < 0 && !whole) return double.NaN;
        double sign = x < 0 && odd ? -1 : 1;
        if (Math.Abs(y) > 1e21) return magnitude == 1 ? sign : sign * ((magnitude > 1) == (y > 0) ? double.PositiveInfinity : 0);
        var logarithm = PreciseLog(magnitude);
        var power = DoubleDouble.Product(logarithm.High, y);
        return sign * Exp(power.High, power.Low + logarithm.Low * y);
    }

    /// <summary>Sine of an angle in radians, of any size.</summary>
    public static double Sin(double x)
    {
        if (!double.IsFinite(x)) return double.NaN;
        if (Math.Abs(x) < 7.450580596923828e-9) return x;  // 2^-27: keeps -0 and subnormals
        var (quarter, r, low) = ReduceToQuarter(x);
        return (quarter & 3) switch { 0 => SinNearZero(r, low), 1 => CosNearZero(r, low), 2 => -SinNearZero(r, low), _ => -CosNearZero(r, low) };
    }

    /// <summary>Cosine of an angle in radians, of any size.</summary>
    public static double Cos(double x)
    {
        if (!double.IsFinite(x)) return double.NaN;
        var (quarter, r, low) = ReduceToQuarter(x);
        return (quarter & 3) switch { 0 => CosNearZero(r, low), 1 => -SinNearZero(r, low), 2 => -CosNearZero(r, low), _ => SinNearZero(r, low) };
    }

    /// <summary>Hyperbolic tangent.</summary>
    public static double Tanh(double x)
    {
        double magnitude = Math.Abs(x);
        if (double.IsNaN(x) || magnitude < 7.450580596923828e-9) return x;
        if (magnitude > 22) return double.CopySign(1, x);
        double e = ExpMinusOne(2 * magnitude);
        return double.CopySign(magnitude < 0.5 ? e / (e + 2) : 1 - 2 / (e + 2), x);
    }

    // e^(x + low) for a correction |low| far below x.
    private static double Exp(double x, double low)
    {
        if (double.IsNaN(x)) return x;
        if (x > 709.79) return double.PositiveInfinity;
        if (x < -745.14) return 0;
        double k = Math.Round(x * InverseLogOf2);
        double high = Math.FusedMultiplyAdd(-k, LogOf2High, x);
        double r = Math.FusedMultiplyAdd(-k, LogOf2Low, high);
        double rest = Math.FusedMultiplyAdd(-k, LogOf2Low, high - r) + low;
        double curve = r * r * ExpTail(r);
        double sum = 1 + r;
        double tail = 1 - sum + r + (curve + rest * (1 + (r + curve))); // what 1 + r rounded away is added back
        return ScaleByPowerOf2(sum + tail, (int)k);
    }

    private static double ExpMinusOne(double x)
    {
        double k = Math.Round(x * InverseLogOf2);
        double high = Math.FusedMultiplyAdd(-k, LogOf2High, x);
        double r = Math.FusedMultiplyAdd(-k, LogOf2Low, high);
        double rest = Math.FusedMultiplyAdd(-k, LogOf2Low, high - r);
        double small = r + (r * r * ExpTail(r) + rest + rest * r);
        double power = ScaleByPowerOf2(1, (int)k);
        return k == 0 ? small : Math.FusedMultiplyAdd(small, power, power - 1);
    }

    // (e^r - 1 - r) / r² for |r| ≤ ln2/2: the Taylor series to r^14, whose remainder is below 2^-58.
    private static double ExpTail(double r)
    {
        double sum = 1.0 / 87178291200.0;
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 6227020800.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 479001600.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 39916800.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 3628800.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 362880.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 40320.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 5040.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 720.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 120.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 24.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 6.0);
        return Math.FusedMultiplyAdd(sum, r, 0.5);
    }

    private static double SinNearZero(double x, double low)
    {
        double z = x * x, sum = 1.0 / 355687428096000.0;   // 1/17!
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 1307674368000.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 6227020800.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 39916800.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 362880.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 5040.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 120.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 6.0);
        return x + (z * x * sum + low * (1 - 0.5 * z));
    }

    private static double CosNearZero(double x, double low)
    {
        double z = x * x, sum = -1.0 / 6402373705728000.0; // 1/18!
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 20922789888000.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 87178291200.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 479001600.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 3628800.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 40320.0);
        sum = Math.FusedMultiplyAdd(sum, z, -1.0 / 720.0);
        sum = Math.FusedMultiplyAdd(sum, z, 1.0 / 24.0);
        double half = 0.5 * z, first = 1 - half;           // what 1 - z/2 rounds away is added back
        return first + ((1 - first - half) + (z * z * sum - x * low));
    }

    // x = quarter · π/2 + r + low, |r| ≤ π/4.
    private static (int Quarter, double R, double Low) ReduceToQuarter(double x)
    {
        if (Math.Abs(x) <= Math.PI / 4) return (0, x, 0);
        if (Math.Abs(x) > 1 << 20) return ReduceExactly(x);
        double n = Math.Round(x * (2 / Math.PI));
        double first = Math.FusedMultiplyAdd(-n, HalfPi1, x);      // exact: both are multiples of 2^-53 and cancel
        var second = DoubleDouble.Product(n, HalfPi2);
        double r = first - second.High;
        double low = first - r - second.High - second.Low - n * HalfPi3;
        double sum = r + low;
        return ((int)n, sum, r - sum + low);
    }

    // For huge angles: x·2/π in whole-number arithmetic, with enough bits of 2/π for the largest double.
    private static (int Quarter, double R, double Low) ReduceExactly(double x)
    {
        var (exponent, mantissa) = Decompose(Math.Abs(x));
        var quarters = (mantissa * TwoOverPi.Value) << exponent;   // exponent ≥ -32 here; scaled by 2^TwoOverPiBits
        if (exponent < 0) quarters = (mantissa * TwoOverPi.Value) >> -exponent;
        var whole = (quarters + (BigInteger.One << (TwoOverPiBits - 1))) >> TwoOverPiBits;
        var fraction = quarters - (whole << TwoOverPiBits);        // in [-1/2, 1/2)
        double high = (double)(fraction >> (TwoOverPiBits - 160)) * PowerOf2(-160);
        double low = (double)((fraction >> (TwoOverPiBits - 160)) - new BigInteger(high * PowerOf2(160))) * PowerOf2(-160);
        var angle = DoubleDouble.Product(high, HalfPi1);
        double rest = angle.Low + high * HalfPi2 + low * HalfPi1;
        int quarter = (int)(whole & 3);
        double r = angle.High + rest;
        rest = angle.High - r + rest;
        return x > 0 ? (quarter, r, rest) : (4 - quarter, -r, -rest);
    }

    private const int TwoOverPiBits = 1280;

    private static readonly Lazy<BigInteger> TwoOverPi = new(() =>
    {
        const int guard = 64;
        // Machin: π/4 = 4·atan(1/5) - atan(1/239)
        var one = BigInteger.One << (TwoOverPiBits + guard);
        var pi = 4 * (4 * ArcTangentOfInverse(5, one) - ArcTangentOfInverse(239, one));
        return (BigInteger.One << (2 * TwoOverPiBits + guard + 1)) / pi;
    });

    private static BigInteger ArcTangentOfInverse(int n, BigInteger one)
    {
        BigInteger power = one / n, sum = power;
        for (int k = 1; !power.IsZero; k++)
        {
            power /= n * n;
            sum += (k % 2 == 0 ? power : -power) / (2 * k + 1);
        }

        return sum;
    }

    // log x to about 100 bits: the same series as Log, its leading terms in double-double.
    private static DoubleDouble PreciseLog(double x)
    {
        var (exponent, mantissa) = Split(x);
        double f = mantissa - 1;                                    // exact
        var s = DoubleDouble.Quotient(f, DoubleDouble.Sum(2, f));
        var z = s * s;
        double tail = 0;
        for (int n = 39; n >= 15; n -= 2) tail = Math.FusedMultiplyAdd(tail, z.High, 2.0 / n);
        var sum = new DoubleDouble(tail, 0);
        for (int n = 13; n >= 1; n -= 2) sum = sum * z + DoubleDouble.Quotient(2, new DoubleDouble(n, 0));
        return sum * s + new DoubleDouble(exponent * LogOf2High, 0) + DoubleDouble.Product(exponent, LogOf2Low) + new DoubleDouble(exponent * LogOf2Rest, 0);
    }

    private const double LogOf2Rest = 1.1612227229362532e-26; // ln 2 - LogOf2High - LogOf2Low

    // x = mantissa · 2^exponent with the mantissa in [√½, √2).
    private static (int Exponent, double Mantissa) Split(double x)
    {
        int exponent = 0;
        if (x < 2.2250738585072014e-308) (x, exponent) = (x * 18014398509481984.0, -54); // subnormal
        ulong bits = BitConverter.DoubleToUInt64Bits(x);
        exponent += (int)(bits >> 52) - 1023;
        double mantissa = BitConverter.UInt64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        return mantissa > 1.4142135623730951 ? (exponent + 1, mantissa * 0.5) : (exponent, mantissa);
    }

    private static (int Exponent, BigInteger Mantissa) Decompose(double x)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(x);
        return ((int)(bits >> 52) - 1075, (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000);
    }

    private static double PowerOf2(int exponent) => BitConverter.UInt64BitsToDouble((ulong)(exponent + 1023) << 52);

    private static double ScaleByPowerOf2(double x, int exponent) => exponent switch
    {
        > 1023 => x * 2 * PowerOf2(exponent - 1),
        < -1022 => x * PowerOf2(exponent + 200) * PowerOf2(-200),
        _ => x * PowerOf2(exponent),
    };

    // A value as the unevaluated sum of two doubles.
    private readonly record struct DoubleDouble(double High, double Low)
    {
        public static DoubleDouble Product(double a, double b)
        {
            double high = a * b;
            return new(high, Math.FusedMultiplyAdd(a, b, -high));
        }

        public static DoubleDouble Sum(double a, double b)
        {
            double high = a + b, part = high - a;
            return new(high, (a - (high - part)) + (b - part));
        }

        public static DoubleDouble Quotient(double a, DoubleDouble b)
        {
            double high = a / b.High;
            double rest = Math.FusedMultiplyAdd(-high, b.High, a) - high * b.Low;
            double low = rest / b.High;
            return Normalize(high, low);
        }

        public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
        {
            var product = Product(a.High, b.High);
            return Normalize(product.High, product.Low + (a.High * b.Low + a.Low * b.High));
        }

        public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
        {
            var high = Sum(a.High, b.High);
            var low = Sum(a.Low, b.Low);
            var first = Normalize(high.High, high.Low + low.High);
            return Normalize(first.High, first.Low + low.Low);
        }

        private static DoubleDouble Normalize(double high, double low)
        {
            double sum = high + low;
            return new(sum, high - sum + low);
        }
    }
}
