using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

internal readonly unsafe struct Q8Block : IBlock
{
    public static int Size => PanelLayout.Q8Block;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* a, byte* b, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        BlockKernels.Bytes<TRegisters, TInt, TFloat>(a, b + 4 * lane, x.Integers, out var sumA, out var sumB);
        var xScale = TRegisters.CreateSingle(*x.Scales);
        const int scales = 8 * PanelLayout.Vector;
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(a + scales, 0, xScale), TRegisters.ToSingle(sumA), ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(b + scales, lane, xScale), TRegisters.ToSingle(sumB), yb);
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        for (var v = 0; v < 8; v++) BlockKernels.WidenBytes<TRegisters, TInt, TFloat>(block + v * PanelLayout.Vector + 4 * lane, pairs + 2 * lane + v * 64);
        TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + 8 * PanelLayout.Vector) + lane), scales + lane);
    }
}

internal readonly unsafe struct Q4Block : IBlock
{
    public static int Size => PanelLayout.Q4Block;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* a, byte* b, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        BlockKernels.Nibbles<TRegisters, TInt, TFloat>(a, b + 4 * lane, x.Integers, out var sumA, out var sumB);
        // Σ (v − 8) · x = Σ v · x − 8 · Σ x, exact in integers.
        var offset = TRegisters.Create(-8 * (x.Sums[0] + x.Sums[1]));
        var xScale = TRegisters.CreateSingle(*x.Scales);
        const int scales = PanelLayout.NibbleGroup;
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(a + scales, 0, xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(b + scales, lane, xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0x00080008);
        for (var v = 0; v < 4; v++) BlockKernels.WidenNibbles<TRegisters, TInt, TFloat>(block + v * PanelLayout.Vector + 4 * lane, pairs + 2 * lane + v * 128, offset);
        TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + PanelLayout.NibbleGroup) + lane), scales + lane);
    }
}

internal readonly unsafe struct Q4KBlock : IBlock
{
    public static int Size => PanelLayout.Q4KBlock;

    public static int Groups => 8;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* a, byte* b, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = 8 * PanelLayout.Lanes;
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(a, 0, scratch, scratch + minima);
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(b, lane, scratch + BlockKernels.BlockScales, scratch + BlockKernels.BlockScales + minima);
        a += PanelLayout.Q4KHeader;
        b += PanelLayout.Q4KHeader + 4 * lane;
        for (var g = 0; g < 8; g++, a += PanelLayout.NibbleGroup, b += PanelLayout.NibbleGroup, scratch += PanelLayout.Lanes)
        {
            BlockKernels.Nibbles<TRegisters, TInt, TFloat>(a, b, x.Integers + 32 * g, out var sumA, out var sumB);
            var (xScale, xSum) = (TRegisters.CreateSingle(x.Scales[g]), TRegisters.CreateSingle(x.BlockSums[g]));
            var scratchB = scratch + BlockKernels.BlockScales;
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sumA), ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB), xScale), TRegisters.ToSingle(sumB), yb);
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + minima), xScale), xSum, ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB + minima), xScale), xSum, yb);
        }
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0);
        for (var v = 0; v < 32; v++)
            BlockKernels.WidenNibbles<TRegisters, TInt, TFloat>(block + PanelLayout.Q4KHeader + v * PanelLayout.Vector + 4 * lane, pairs + 2 * lane + v * 128, offset);
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scales + lane, minima + lane);
    }
}

internal readonly unsafe struct Q6KBlock : IBlock
{
    public static int Size => PanelLayout.Q6KBlock;

    public static int Groups => 8;

    public static int ScalesPerGroup => 2;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* a, byte* b, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(a, 0, scratch);
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(b, lane, scratch + BlockKernels.BlockScales);
        b += 4 * lane;
        for (var g = 0; g < 8; g++, a += PanelLayout.Q6KGroup, b += PanelLayout.Q6KGroup)
        {
            var xScale = TRegisters.CreateSingle(x.Scales[g]);
            for (var half = 0; half < 2; half++, scratch += PanelLayout.Lanes)
            {
                var low = 2 * half * PanelLayout.Vector;
                BlockKernels.SixBits<TRegisters, TInt, TFloat>(a + low, b + low, PanelLayout.NibbleGroup - half * PanelLayout.Vector, x.Integers + 32 * g + 16 * half, out var sumA, out var sumB);
                var offset = TRegisters.Create(-32 * x.Sums[2 * g + half]);
                ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
                yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + BlockKernels.BlockScales), xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
            }
        }
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        pairs += 2 * lane;
        var group = block + 4 * lane;
        for (var g = 0; g < 8; g++, group += PanelLayout.Q6KGroup)
        {
            for (var u = 0; u < 2; u++, pairs += 256)
            {
                var upper = TRegisters.Load(group + PanelLayout.NibbleGroup + u * PanelLayout.Vector);
                BlockKernels.WidenSixBits<TRegisters, TInt, TFloat>(group + 2 * u * PanelLayout.Vector, upper, pairs);
                BlockKernels.WidenSixBits<TRegisters, TInt, TFloat>(group + (2 * u + 1) * PanelLayout.Vector, TRegisters.ShiftRightShort(upper, 2), pairs + 128);
            }
        }
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scales + lane);
    }
}
