using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>A group of 32 levels, numbers from 0 up, in vectors.</summary>
internal unsafe interface ILevels
{
    static abstract int Vectors { get; }

    /// <summary>Σ level · x over 32 activations, for two registers of outputs.</summary>
    static abstract void Sum<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>;

    /// <summary>A quarter of the 16 pairs; see <see cref="IBlock.Quarter"/>.</summary>
    static abstract void Quarter<TRegisters, TInt, TFloat>(byte* vectors, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>;

    static abstract int At(byte* vectors, int lane, int i);

    /// <summary>Where the vectors of nibbles begin.</summary>
    static abstract int NibblesAt { get; }

    /// <summary>Sets the fifth bits, where there are any: bit i of <paramref name="fifth"/> for number i.</summary>
    static abstract void SetFifth(byte* vectors, int lane, uint fifth);
}

internal readonly unsafe struct FourBits : ILevels
{
    public static int Vectors => PanelLayout.NibbleVectors;

    public static int NibblesAt => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sum<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat> =>
        BlockKernels.Nibbles<TRegisters, TInt, TFloat>(a, b, x, out sumA, out sumB);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* vectors, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat> =>
        BlockKernels.NibblePairs<TRegisters, TInt, TFloat>(vectors + quarter * PanelLayout.Vector, out p0, out p1, out p2, out p3);

    public static int At(byte* vectors, int lane, int i) => PanelLayout.Nibble(vectors, lane, i);

    public static void SetFifth(byte* vectors, int lane, uint fifth)
    {
    }
}

internal readonly unsafe struct FiveBits : ILevels
{
    public static int Vectors => 1 + PanelLayout.NibbleVectors;

    public static int NibblesAt => PanelLayout.Vector;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sum<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat> =>
        BlockKernels.FiveBits<TRegisters, TInt, TFloat>(a, b, x, out sumA, out sumB);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* vectors, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        bits = quarter == 0 ? BlockKernels.Stream<TRegisters, TInt, TFloat>(vectors) : TRegisters.ShiftRightShort(bits, 1);
        BlockKernels.ExtendedPairs<UpperOne, TRegisters, TInt, TFloat>(vectors + (1 + quarter) * PanelLayout.Vector, bits, out p0, out p1, out p2, out p3);
    }

    public static int At(byte* vectors, int lane, int i) =>
        PanelLayout.Nibble(vectors + NibblesAt, lane, i) | (int)((PanelLayout.Word(vectors, 0, lane) >> PanelLayout.UpperPlace(i, 1)) & 1) << 4;

    public static void SetFifth(byte* vectors, int lane, uint fifth)
    {
        var word = 0u;
        for (var i = 0; i < 32; i++) word |= ((fifth >> i) & 1) << PanelLayout.UpperPlace(i, 1);
        PanelLayout.Word(vectors, 0, lane) = word;
    }
}

/// <summary>Where zero lies among the levels of a small block.</summary>
internal interface IZero
{
    /// <summary>The level that stands for zero; 0 where there is a minimum instead.</summary>
    static abstract int Offset { get; }

    static abstract bool HasMinima { get; }
}

internal readonly struct Below8 : IZero
{
    public static int Offset => 8;

    public static bool HasMinima => false;
}

internal readonly struct Below16 : IZero
{
    public static int Offset => 16;

    public static bool HasMinima => false;
}

internal readonly struct WithMinimum : IZero
{
    public static int Offset => 0;

    public static bool HasMinima => true;
}
