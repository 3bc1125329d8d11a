using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>f16: IEEE half precision, widened exactly by integer operations and one multiplication.</summary>
/// <remarks>Sign, exponent and mantissa are moved to their places in single precision, which is short of the difference of the exponents'
/// biases, 112: a multiplication by 2^112 is exact, subnormal numbers included. Infinity and not-a-number come out wrong; weights that hold
/// them are refused at load.</remarks>
internal static unsafe class HalfFloat
{
    private const int Kept = unchecked((int)0x8FFFE000);
    private const float Bias = 5.192296858534828e33f; // 2^112

    /// <summary>One number.</summary>
    public static float Widen(ushort bits) => BitConverter.Int32BitsToSingle(((short)bits << 13) & Kept) * Bias;

    /// <summary>Eight numbers, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector256<int> bits) => (Vector256.ShiftLeft(bits, 13) & Vector256.Create(Kept)).AsSingle() * Vector256.Create(Bias);

    /// <summary>Sixteen numbers, given as sign-extended integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<int> bits) => (Vector512.ShiftLeft(bits, 13) & Vector512.Create(Kept)).AsSingle() * Vector512.Create(Bias);

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
