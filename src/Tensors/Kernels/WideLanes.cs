using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>512-bit forms of what <see cref="Lanes"/> does, with the same bits.</summary>
internal static class WideLanes
{
    private const float RoundingMagic = 12582912f;
    private const float SmallestExponent = -87.33654f;

    /// <summary>e^x for x below 88.7, as <see cref="Lanes.Exp(Vector256{float})"/> computes it; not-a-number stays one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var n = Vector512.FusedMultiplyAdd(x, Vector512.Create(1.44269504f), Vector512.Create(RoundingMagic)) - Vector512.Create(RoundingMagic);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;
        // One exact scaling by 2^n: results are never subnormal, so it rounds nothing, like the two factors of the narrow form.
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(SmallestExponent)), Vector512<float>.Zero, Scale(p, n));
    }

    /// <summary>Sum of 16 lanes in the one fixed tree of the project.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> lanes) => Lanes.Sum(lanes.GetLower(), lanes.GetUpper());

    /// <summary>The larger of each two numbers; <paramref name="y"/> where one is not a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> x, Vector512<float> y) =>
        Avx512F.IsSupported ? Avx512F.Max(x, y) : Vector512.ConditionalSelect(Vector512.GreaterThan(x, y), x, y);

    /// <summary>Largest of the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> lanes)
    {
        var (low, high) = (lanes.GetLower(), lanes.GetUpper());
        var eight = Avx.IsSupported ? Avx.Max(low, high) : Vector256.ConditionalSelect(Vector256.GreaterThan(low, high), low, high);
        var (a, b) = (eight.GetLower(), eight.GetUpper());
        if (!Sse.IsSupported) return Lanes.Max(eight);
        a = Sse.Max(a, b);
        a = Sse.Max(a, Sse.MoveHighToLow(a, a));
        return Sse.MaxScalar(a, Sse.Shuffle(a, a, 1)).ToScalar();
    }

    /// <summary>x · 2^n for whole n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scale(Vector512<float> x, Vector512<float> n)
    {
        if (Avx512F.IsSupported) return Avx512F.Scale(x, n);
        var exponent = Vector512.ConvertToInt32(n);
        var half = Vector512.ShiftRightArithmetic(exponent, 1);
        return x * Power(half) * Power(exponent - half);
    }

    private static Vector512<float> Power(Vector512<int> exponent) =>
        Vector512.ShiftLeft(Vector512.Min(Vector512.Max(exponent, Vector512.Create(-126)), Vector512.Create(127)) + Vector512.Create(127), 23).AsSingle();
}
