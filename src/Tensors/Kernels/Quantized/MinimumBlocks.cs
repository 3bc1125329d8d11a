using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>q4_K, q5_K: eight groups of 32 levels with scale and minimum.</summary>
internal readonly unsafe struct MinimumBlock<TLevels> : IBlock where TLevels : struct, ILevels
{
    private const int FirstGroup = PanelLayout.MinimumMultiples + 3 * PanelLayout.Vector;

    public static int Size => FirstGroup + 8 * GroupBytes;

    public static int Groups => 8;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => true;

    public static int Offset => 0;

    private static int GroupBytes => TLevels.Vectors * PanelLayout.Vector;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = 8 * PanelLayout.Lanes;
        var next = lane + TRegisters.Lanes;
        GroupScaleKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + minima);
        GroupScaleKernels.GroupScales<TRegisters, TInt, TFloat>(block, next, scratch, scratch + minima);
        var a = block + FirstGroup + 4 * lane;
        var b = block + FirstGroup + 4 * next;
        scratch += lane;
        for (var g = 0; g < 8; g++, scratch += PanelLayout.Lanes, a += GroupBytes, b += GroupBytes)
        {
            TLevels.Sum<TRegisters, TInt, TFloat>(a, b, x.Integers + 32 * g, out var sumA, out var sumB);
            var (xScale, xSum) = (TRegisters.CreateSingle(x.Scales[g]), TRegisters.CreateSingle(x.BlockSums[g]));
            var scratchB = scratch + TRegisters.Lanes;
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sumA), ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB), xScale), TRegisters.ToSingle(sumB), yb);
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + minima), xScale), xSum, ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB + minima), xScale), xSum, yb);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
        => TLevels.Quarter<TRegisters, TInt, TFloat>(block + FirstGroup + group * GroupBytes + 4 * lane, quarter, ref bits, out p0, out p1, out p2, out p3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
        => GroupScaleKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scales, minima);

    public static bool Set(byte* block, int lane, byte* stored)
    {
        var finite = PanelLayout.SetScale(block, lane, stored) & PanelLayout.SetScale(block + PanelLayout.Scales, lane, stored + 2);
        for (var v = 0; v < 3; v++) PanelLayout.Word(block + PanelLayout.MinimumMultiples, v, lane) = ((uint*)(stored + 4))[v];
        var upper = stored + 16;
        var q = TLevels.NibblesAt > 0 ? upper + 32 : upper;
        for (var g = 0; g < 8; g++)
        {
            var group = block + FirstGroup + g * GroupBytes;
            // Byte i holds the number i of one group and of the next; bit g of an upper byte belongs to group g.
            for (var v = 0; v < 4; v++) PanelLayout.Word(group + TLevels.NibblesAt, v, lane) = PanelLayout.Nibbles(q + g / 2 * 32 + 8 * v, g % 2 * 4);
            if (TLevels.NibblesAt == 0) continue;
            var fifth = 0u;
            for (var i = 0; i < 32; i++) fifth |= (uint)((upper[i] >> g) & 1) << i;
            TLevels.SetFifth(group, lane, fifth);
        }
        return finite;
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        var words = block + PanelLayout.MinimumMultiples;
        uint first = PanelLayout.Word(words, 0, lane), second = PanelLayout.Word(words, 1, lane), third = PanelLayout.Word(words, 2, lane);
        var shift = group % 4 * 8;
        var (multiple, minimum) = group < 4
            ? ((first >> shift) & 63, (second >> shift) & 63)
            : (((third >> shift) & 15) | (((first >> (shift + 6)) & 3) << 4), ((third >> (shift + 4)) & 15) | (((second >> (shift + 6)) & 3) << 4));
        var (scale, offset) = (PanelLayout.Scale(block, lane) * multiple, PanelLayout.Scale(block + PanelLayout.Scales, lane) * minimum);
        for (var i = 0; i < 32; i++) target[i] = scale * TLevels.At(block + FirstGroup + group * GroupBytes, lane, i) - offset;
    }
}

/// <summary>q2_K: sixteen groups of 16 levels with scale and minimum.</summary>
internal readonly unsafe struct TwoBitsBlock : IBlock
{
    private const int FirstGroup = PanelLayout.MinimumMultiples + 4 * PanelLayout.Vector;

    public static int Size => FirstGroup + 16 * PanelLayout.Vector;

    public static int Groups => 8;

    public static int ScalesPerGroup => 2;

    public static bool HasMinima => true;

    public static int Offset => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = 16 * PanelLayout.Lanes;
        var next = lane + TRegisters.Lanes;
        GroupScaleKernels.NibbleScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + minima);
        GroupScaleKernels.NibbleScales<TRegisters, TInt, TFloat>(block, next, scratch, scratch + minima);
        var a = block + FirstGroup + 4 * lane;
        var b = block + FirstGroup + 4 * next;
        scratch += lane;
        for (var g = 0; g < 16; g++, scratch += PanelLayout.Lanes, a += PanelLayout.Vector, b += PanelLayout.Vector)
        {
            FewBitsKernels.TwoBits<TRegisters, TInt, TFloat>(a, b, x.Integers + 16 * g, out var sumA, out var sumB);
            var (xScale, xSum) = (TRegisters.CreateSingle(x.Scales[g / 2]), TRegisters.CreateSingle(x.Sums[g]));
            var scratchB = scratch + TRegisters.Lanes;
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sumA), ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB), xScale), TRegisters.ToSingle(sumB), yb);
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + minima), xScale), xSum, ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB + minima), xScale), xSum, yb);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        bits = quarter % 2 == 0
            ? BlockKernels.Stream<TRegisters, TInt, TFloat>(block + FirstGroup + (2 * group + quarter / 2) * PanelLayout.Vector + 4 * lane)
            : TRegisters.ShiftRightShort(bits, 8);
        FewBitsKernels.TwoBitPairs<TRegisters, TInt, TFloat>(bits, out p0, out p1, out p2, out p3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
        => GroupScaleKernels.NibbleScales<TRegisters, TInt, TFloat>(block, lane, scales, minima);

    public static bool Set(byte* block, int lane, byte* stored)
    {
        for (var v = 0; v < 4; v++) PanelLayout.Word(block + PanelLayout.MinimumMultiples, v, lane) = ((uint*)stored)[v];
        for (var g = 0; g < 16; g++)
        {
            // Of each half of 128 numbers, byte l of 32 holds l, l + 32, l + 64, l + 96.
            var q = stored + 16 + g / 8 * 32 + g % 2 * 16;
            var (shift, word) = (g % 8 / 2 * 2, 0u);
            for (var i = 0; i < 16; i++) word |= (uint)((q[i] >> shift) & 3) << PanelLayout.TwoBitsPlace(i);
            PanelLayout.Word(block + FirstGroup, g, lane) = word;
        }
        return PanelLayout.SetScale(block, lane, stored + 80) & PanelLayout.SetScale(block + PanelLayout.Scales, lane, stored + 82);
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        for (var i = 0; i < 32; i++)
        {
            var g = 2 * group + i / 16;
            var multiples = PanelLayout.Word(block + PanelLayout.MinimumMultiples, g / 4, lane) >> (g % 4 * 8);
            var (scale, offset) = (PanelLayout.Scale(block, lane) * (multiples & 15), PanelLayout.Scale(block + PanelLayout.Scales, lane) * ((multiples >> 4) & 15));
            target[i] = scale * ((PanelLayout.Word(block + FirstGroup, g, lane) >> PanelLayout.TwoBitsPlace(i)) & 3) - offset;
        }
    }
}
