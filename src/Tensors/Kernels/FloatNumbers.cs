using System.Runtime.CompilerServices;
using OpenEuroLLM.Tensors.Kernels.Quantized;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>A type of floating-point numbers in panels, so that a kernel is written once for all: widened exactly as they are read.</summary>
internal unsafe interface IFloatNumbers
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Size { get; }

    static abstract TFloat Load<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat>;
}

internal readonly unsafe struct F32Numbers : IFloatNumbers
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat> => TRegisters.LoadSingle((float*)source);
}

internal readonly unsafe struct BF16Numbers : IFloatNumbers
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat> => TRegisters.LoadBrain((ushort*)source);
}

internal readonly unsafe struct F16Numbers : IFloatNumbers
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat> => TRegisters.LoadHalf((ushort*)source);
}

/// <summary>f16 numbers times 2^−112, to be multiplied by rows that are larger by as much.</summary>
internal readonly unsafe struct UnscaledF16Numbers : IFloatNumbers
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Load<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat> => TRegisters.LoadUnscaledHalf((ushort*)source);
}
