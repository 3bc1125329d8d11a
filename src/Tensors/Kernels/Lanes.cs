using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Vector forms of the functions that kernels need, with the same bits on every instruction set.</summary>
/// <remarks>Everything here is built from operations that IEEE 754 defines exactly (add, multiply, divide, square root, fused
/// multiply-add) and from integer operations; where the machine has no such register the runtime carries them out in software.</remarks>
internal static unsafe class Lanes
{
    public const int Width = 16;

    private const float RoundingMagic = 12582912f; // 1.5 · 2^23: adding and subtracting it rounds to the nearest integer, half to even
    private const float SmallestExponent = -87.33654f; // below it the result would be subnormal: it is taken as +0

    /// <summary>e^x; +0 below −87.34, infinity above 88.72; not-a-number stays. Error below 1.1 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        var n = Vector256.FusedMultiplyAdd(x, Vector256.Create(1.44269504f), Vector256.Create(RoundingMagic)) - Vector256.Create(RoundingMagic);
        var p = Reduced(x, n) + Vector256<float>.One;
        // 2^n in two factors, so that n = 128 does not overflow before the product does.
        var bits = Vector256.ConvertToInt32(n);
        var half = Vector256.ShiftRightArithmetic(bits, 1);
        var rest = bits - half;
        var result = p * Power(half) * Power(rest);
        result = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(SmallestExponent)), Vector256<float>.Zero, result);
        result = Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(88.722839f)), Vector256.Create(float.PositiveInfinity), result);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), result, x);
    }

    /// <summary>e^x of one number, the same bits as in a vector.</summary>
    public static float Exp(float x) => Exp(Vector256.Create(x)).ToScalar();

    /// <summary>e^x − 1 for x up to 0, without losing digits beside 0; not-a-number stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ExpMinusOne(Vector256<float> x)
    {
        x = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(SmallestExponent)), Vector256.Create(SmallestExponent), x);
        var n = Vector256.FusedMultiplyAdd(x, Vector256.Create(1.44269504f), Vector256.Create(RoundingMagic)) - Vector256.Create(RoundingMagic);
        var power = Power(Vector256.ConvertToInt32(n));
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), Vector256.FusedMultiplyAdd(Reduced(x, n), power, power - Vector256<float>.One), x);
    }

    /// <summary>Hyperbolic tangent: −e / (2 + e) with e = e^(−2|x|) − 1, and the sign of x; not-a-number stays. Error below 4 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        var e = ExpMinusOne(Vector256.Abs(x) * Vector256.Create(-2f));
        return Vector256.CopySign(e / (Vector256.Create(2f) + e), x);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>e^r − 1 of the remainder r = x − n · ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Reduced(Vector256<float> x, Vector256<float> n)
    {
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        var p = Vector256.Create(1.9875691500e-4f);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        return Vector256.FusedMultiplyAdd(p, r * r, r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Power(Vector256<int> exponent) =>
        Vector256.ShiftLeft(Vector256.Min(Vector256.Max(exponent, Vector256.Create(-126)), Vector256.Create(127)) + Vector256.Create(127), 23).AsSingle();

    /// <summary>Sum of 16 lanes, given as lanes 0–7 and 8–15, in the one fixed tree of the project.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> low, Vector256<float> high)
    {
        var eight = low + high;
        var four = eight.GetLower() + eight.GetUpper();
        var a = four.GetElement(0) + four.GetElement(2);
        var b = four.GetElement(1) + four.GetElement(3);
        return a + b;
    }

    /// <summary>Largest of the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> v)
    {
        var four = Vector128.Max(v.GetLower(), v.GetUpper());
        return Math.Max(Math.Max(four.GetElement(0), four.GetElement(1)), Math.Max(four.GetElement(2), four.GetElement(3)));
    }

    /// <summary>Sum of products of two rows: element i goes to lane i mod 16, then the fixed tree.</summary>
    public static float Dot(float* a, float* b, int count)
    {
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        var i = 0;
        for (; i + Width <= count; i += Width)
        {
            low = Vector256.FusedMultiplyAdd(Vector256.Load(a + i), Vector256.Load(b + i), low);
            high = Vector256.FusedMultiplyAdd(Vector256.Load(a + i + 8), Vector256.Load(b + i + 8), high);
        }
        if (i < count)
        {
            var left = stackalloc float[2 * Width];
            var right = left + Width;
            Tail(a + i, count - i, left);
            Tail(b + i, count - i, right);
            low = Vector256.FusedMultiplyAdd(Vector256.Load(left), Vector256.Load(right), low);
            high = Vector256.FusedMultiplyAdd(Vector256.Load(left + 8), Vector256.Load(right + 8), high);
        }
        return Sum(low, high);
    }

    /// <summary>Sum of a row: element i goes to lane i mod 16, then the fixed tree.</summary>
    public static float Total(float* x, int count)
    {
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        var i = 0;
        for (; i + Width <= count; i += Width)
        {
            low += Vector256.Load(x + i);
            high += Vector256.Load(x + i + 8);
        }
        if (i < count)
        {
            var rest = stackalloc float[Width];
            Tail(x + i, count - i, rest);
            low += Vector256.Load(rest);
            high += Vector256.Load(rest + 8);
        }
        return Sum(low, high);
    }

    /// <summary>Copies fewer than 16 numbers and fills the rest of the 16 with <paramref name="fill"/>.</summary>
    public static void Tail(float* source, int count, float* sixteen, float fill = 0)
    {
        for (var i = 0; i < count; i++) sixteen[i] = source[i];
        for (var i = count; i < Width; i++) sixteen[i] = fill;
    }
}
