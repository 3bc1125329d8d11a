using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

internal readonly unsafe struct Q8Block : IBlock
{
    private const int Scales = PanelLayout.ByteVectors * PanelLayout.Vector;

    public static int Size => PanelLayout.Q8Block;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

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

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var bytes = block + 4 * lane;
        for (var v = 0; v < PanelLayout.ByteVectors; v++)
            BlockKernels.WidenBytes<TRegisters, TInt, TFloat>(bytes + v * PanelLayout.Vector, pairs + 2 * lane + v * 2 * BlockKernels.PairShorts);
        TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + Scales) + lane), scales + lane);
    }
}

internal readonly unsafe struct Q4Block : IBlock
{
    private const int Scales = PanelLayout.NibbleVectors * PanelLayout.Vector;

    public static int Size => PanelLayout.Q4Block;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        BlockKernels.Nibbles<TRegisters, TInt, TFloat>(block + 4 * lane, block + 4 * next, x.Integers, out var sumA, out var sumB);
        // Σ (v − 8) · x = Σ v · x − 8 · Σ x, exact in integers.
        var offset = TRegisters.Create(-8 * (x.Sums[0] + x.Sums[1]));
        var xScale = TRegisters.CreateSingle(*x.Scales);
        ya = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, lane, xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
        yb = TRegisters.MultiplyAdd(BlockKernels.StreamScale<TRegisters, TInt, TFloat>(block + Scales, next, xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0x00080008);
        var nibbles = block + 4 * lane;
        for (var v = 0; v < PanelLayout.NibbleVectors; v++)
            BlockKernels.WidenNibbles<TRegisters, TInt, TFloat>(nibbles + v * PanelLayout.Vector, pairs + 2 * lane + v * 4 * BlockKernels.PairShorts, offset);
        TRegisters.StoreSingle(TRegisters.LoadHalf((ushort*)(block + Scales) + lane), scales + lane);
    }
}

internal readonly unsafe struct Q4KBlock : IBlock
{
    public static int Size => PanelLayout.Q4KBlock;

    public static int Groups => 8;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = 8 * PanelLayout.Lanes;
        var next = lane + TRegisters.Lanes;
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + minima);
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(block, next, scratch, scratch + minima);
        var a = PanelLayout.Q4KGroup(block, 0) + 4 * lane;
        var b = PanelLayout.Q4KGroup(block, 0) + 4 * next;
        scratch += lane;
        for (var g = 0; g < 8; g++, scratch += PanelLayout.Lanes)
        {
            BlockKernels.Nibbles<TRegisters, TInt, TFloat>(a, b, x.Integers + 32 * g, out var sumA, out var sumB);
            var (xScale, xSum) = (TRegisters.CreateSingle(x.Scales[g]), TRegisters.CreateSingle(x.BlockSums[g]));
            var scratchB = scratch + TRegisters.Lanes;
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sumA), ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB), xScale), TRegisters.ToSingle(sumB), yb);
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + minima), xScale), xSum, ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratchB + minima), xScale), xSum, yb);
            a += PanelLayout.NibbleVectors * PanelLayout.Vector;
            b += PanelLayout.NibbleVectors * PanelLayout.Vector;
        }
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0);
        pairs += 2 * lane;
        for (var g = 0; g < 8; g++)
        {
            var nibbles = PanelLayout.Q4KGroup(block, g) + 4 * lane;
            for (var v = 0; v < PanelLayout.NibbleVectors; v++, pairs += 4 * BlockKernels.PairShorts)
                BlockKernels.WidenNibbles<TRegisters, TInt, TFloat>(nibbles + v * PanelLayout.Vector, pairs, offset);
        }
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scales, minima);
    }
}

internal readonly unsafe struct Q6KBlock : IBlock
{
    public static int Size => PanelLayout.Q6KBlock;

    public static int Groups => 8;

    public static int ScalesPerGroup => 2;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scratch);
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, next, scratch);
        var a = PanelLayout.Q6KGroup(block, 0) + 4 * lane;
        var b = PanelLayout.Q6KGroup(block, 0) + 4 * next;
        scratch += lane;
        for (var g = 0; g < 8; g++)
        {
            var xScale = TRegisters.CreateSingle(x.Scales[g]);
            for (var half = 0; half < 2; half++, scratch += PanelLayout.Lanes, a += 3 * PanelLayout.Vector, b += 3 * PanelLayout.Vector)
            {
                BlockKernels.SixBits<TRegisters, TInt, TFloat>(a, b, x.Integers + 32 * g + 16 * half, out var sumA, out var sumB);
                var offset = TRegisters.Create(-32 * x.Sums[2 * g + half]);
                ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
                yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + TRegisters.Lanes), xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
            }
        }
    }

    public static void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        pairs += 2 * lane;
        var half = PanelLayout.Q6KGroup(block, 0) + 4 * lane;
        for (var h = 0; h < 16; h++, half += 3 * PanelLayout.Vector, pairs += 8 * BlockKernels.PairShorts)
        {
            var upper = TRegisters.Load(half);
            BlockKernels.WidenSixBits<TRegisters, TInt, TFloat>(half + PanelLayout.Vector, upper, pairs);
            BlockKernels.WidenSixBits<TRegisters, TInt, TFloat>(half + 2 * PanelLayout.Vector, TRegisters.ShiftRightShort(upper, 2), pairs + 4 * BlockKernels.PairShorts);
        }
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scales);
    }
}
