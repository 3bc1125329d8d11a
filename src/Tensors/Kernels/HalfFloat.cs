using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>f16: IEEE half precision, widened exactly by integer operations and one multiplication.</summary>
/// <remarks>Sign, exponent and mantissa are moved to their places in single precision, which is short of the difference of the exponents'
/// biases, 112: a multiplication by 2^112 is exact, subnormal numbers included. It is part of a fused multiply-add, whose other part adds nothing:
/// AMD's Zen 4 stops some 30 cycles for a subnormal factor of a plain multiplication, and not for one of a fused (docs/decisions/packed-products.md).
/// Infinity and not-a-number come out wrong; weights that hold them are refused at load.</remarks>
internal static unsafe class HalfFloat
{
    private const int Kept = unchecked((int)0x8FFFE000);
    private const float Bias = 5.192296858534828e33f; // 2^112

    /// <summary>One number.</summary>
    public static float Widen(ushort bits) => BitConverter.Int32BitsToSingle(((short)bits << 13) & Kept) * Bias;

    /// <summary>Eight numbers, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector256<int> bits) => Vector256.FusedMultiplyAdd(Place(bits), Vector256.Create(Bias), Vector256.Create(-0f));

    /// <summary>Sixteen numbers, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<int> bits) => Vector512.FusedMultiplyAdd(Place(bits), Vector512.Create(Bias), Vector512.Create(-0f));

    /// <summary>Eight numbers times 2^−112, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Place(Vector256<int> bits) => (Vector256.ShiftLeft(bits, 13) & Vector256.Create(Kept)).AsSingle();

    /// <summary>Sixteen numbers times 2^−112, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Place(Vector512<int> bits) => (Vector512.ShiftLeft(bits, 13) & Vector512.Create(Kept)).AsSingle();

    /// <summary>Numbers times 2^112, exactly, so that their products with numbers that are only placed are those with widened ones, bit for bit.</summary>
    /// <returns>False where a number is too large for that, infinite or none.</returns>
    public static bool Scale(float* x, float* target, int count)
    {
        var finite = true;
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var scaled = Vector256.Load(x + i) * Vector256.Create(Bias);
            finite &= Vector256.LessThanAll(Vector256.Abs(scaled), Vector256.Create(float.PositiveInfinity));
            scaled.Store(target + i);
        }
        for (; i < count; i++)
        {
            target[i] = x[i] * Bias;
            finite &= float.IsFinite(target[i]);
        }
        return finite;
    }

    /// <summary>Exact widening of <paramref name="count"/> numbers.</summary>
    public static void Widen(ushort* source, float* target, long count)
    {
        var i = 0L;
        for (; i + 8 <= count; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load((short*)source + i));
            Widen(Vector256.Create(low, high)).Store(target + i);
        }
        for (; i < count; i++) target[i] = Widen(source[i]);
    }

    /// <summary>Nearest f16, half to even.</summary>
    public static ushort Round(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    /// <summary>Whether the number is neither infinite nor not-a-number.</summary>
    public static bool IsFinite(ushort bits) => (bits & 0x7C00) != 0x7C00;
}
