using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>bf16: the upper 16 bits of single precision.</summary>
internal static unsafe class BrainFloat
{
    /// <summary>Exact widening of <paramref name="count"/> numbers.</summary>
    public static void Widen(ushort* source, float* target, long count)
    {
        var i = 0L;
        for (; i + 8 <= count; i += 8) Load(source + i).Store(target + i);
        for (; i < count; i++) target[i] = BitConverter.Int32BitsToSingle(source[i] << 16);
    }

    /// <summary>Eight numbers as single precision.</summary>
    public static Vector256<float> Load(ushort* source)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(source));
        return Vector256.ShiftLeft(Vector256.Create(low, high), 16).AsSingle();
    }

    /// <summary>Nearest bf16, half to even; not-a-number stays one.</summary>
    public static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
