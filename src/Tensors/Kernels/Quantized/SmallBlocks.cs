using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>q8_0.</summary>
internal readonly unsafe struct BytesBlock : IBlock
{
    private const int Scales = PanelLayout.ByteVectors * PanelLayout.Vector;

    public static int Size => Scales + PanelLayout.Scales;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        BlockKernels.Bytes<TRegisters, TInt, TFloat>(block + 4 * lane, block + 4 * next, x.Integers, out var sumA, out var sumB);
        var xScale = TRegisters.CreateSingle(*x.Scales);
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, lane, xScale), TRegisters.ToSingle(sumA), ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, next, xScale), TRegisters.ToSingle(sumB), yb);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var bytes = block + 4 * lane + 2 * quarter * PanelLayout.Vector;
        BlockKernels.BytePairs<TRegisters, TInt, TFloat>(bytes, out p0, out p1);
        BlockKernels.BytePairs<TRegisters, TInt, TFloat>(bytes + PanelLayout.Vector, out p2, out p3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
        => TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + Scales) + lane), scales + lane);

    public static bool Set(byte* block, int lane, byte* stored)
    {
        for (var v = 0; v < PanelLayout.ByteVectors; v++)
        {
            var q = *(uint*)(stored + 2 + 4 * v);
            PanelLayout.Word(block, v, lane) = (q & 0xFF0000FF) | (q >> 8 & 0xFF00) | (q << 8 & 0xFF0000);
        }
        return PanelLayout.SetScale(block + Scales, lane, stored);
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        var scale = PanelLayout.Scale(block + Scales, lane);
        for (var i = 0; i < 32; i++) target[i] = scale * (sbyte)(PanelLayout.Word(block, i / 4, lane) >> (i % 2 * 16 + i % 4 / 2 * 8));
    }
}

/// <summary>q4_0, q4_1, q5_0, q5_1: 32 levels, a scale, and a minimum or a level that stands for zero.</summary>
internal readonly unsafe struct SmallBlock<TLevels, TZero> : IBlock where TLevels : struct, ILevels where TZero : struct, IZero
{
    public static int Size => TLevels.Vectors * PanelLayout.Vector + (TZero.HasMinima ? 2 : 1) * PanelLayout.Scales;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => TZero.HasMinima;

    public static int Offset => TZero.Offset;

    private static int Scales => TLevels.Vectors * PanelLayout.Vector;

    private static int Minima => Scales + PanelLayout.Scales;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        TLevels.Sum<TRegisters, TInt, TFloat>(block + 4 * lane, block + 4 * next, x.Integers, out var sumA, out var sumB);
        if (!TZero.HasMinima)
        {
            // Σ (v − zero) · x = Σ v · x − zero · Σ x, exact in integers.
            var offset = TRegisters.Create(-TZero.Offset * (x.Sums[0] + x.Sums[1]));
            (sumA, sumB) = (TRegisters.Add(sumA, offset), TRegisters.Add(sumB, offset));
        }
        var xScale = TRegisters.CreateSingle(*x.Scales);
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, lane, xScale), TRegisters.ToSingle(sumA), ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, next, xScale), TRegisters.ToSingle(sumB), yb);
        if (!TZero.HasMinima) return;
        var xSum = TRegisters.CreateSingle(*x.BlockSums);
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Minima, lane, xScale), xSum, ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Minima, next, xScale), xSum, yb);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
        => TLevels.Quarter<TRegisters, TInt, TFloat>(block + 4 * lane, quarter, ref bits, out p0, out p1, out p2, out p3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + Scales) + lane), scales + lane);
        if (TZero.HasMinima) TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + Minima) + lane), minima + lane);
    }

    public static bool Set(byte* block, int lane, byte* stored)
    {
        var finite = PanelLayout.SetScale(block + Scales, lane, stored);
        stored += 2;
        if (TZero.HasMinima)
        {
            finite &= PanelLayout.SetScale(block + Minima, lane, stored);
            stored += 2;
        }
        if (TLevels.NibblesAt > 0)
        {
            TLevels.SetFifth(block, lane, *(uint*)stored);
            stored += 4;
        }
        // Byte i holds the numbers i and i + 16.
        for (var v = 0; v < PanelLayout.NibbleVectors; v++) PanelLayout.Word(block + TLevels.NibblesAt, v, lane) = PanelLayout.Nibbles(stored + v % 2 * 8, v / 2 * 4);
        return finite;
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        var scale = PanelLayout.Scale(block + Scales, lane);
        var minimum = TZero.HasMinima ? PanelLayout.Scale(block + Minima, lane) : 0;
        for (var i = 0; i < 32; i++)
        {
            var product = scale * (TLevels.At(block, lane, i) - TZero.Offset);
            target[i] = TZero.HasMinima ? product + minimum : product;
        }
    }
}
