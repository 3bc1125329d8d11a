using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

internal readonly unsafe struct Q8Block : IBlock
{
    public static int Size => PanelLayout.Q8Block;

    public static int Groups => 1;

    public static int ScalesPerGroup => 1;

    public static bool HasMinima => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Step<TRegisters, TInt, TFloat>(byte* block, int lane, short* x, float* xScales, int* xSums, float* xBlockSums, TFloat y, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var sum = BlockKernels.Bytes<TRegisters, TInt, TFloat>(block + 4 * lane, x);
        var scale = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)(block + 8 * PanelLayout.Vector) + lane), TRegisters.CreateSingle(*xScales));
        return TRegisters.MultiplyAdd(scale, TRegisters.ToSingle(sum), y);
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
    public static TFloat Step<TRegisters, TInt, TFloat>(byte* block, int lane, short* x, float* xScales, int* xSums, float* xBlockSums, TFloat y, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        // Σ (v − 8) · x = Σ v · x − 8 · Σ x, exact in integers.
        var sum = BlockKernels.Nibbles<TRegisters, TInt, TFloat>(block + 4 * lane, x, TRegisters.Create(-8 * (xSums[0] + xSums[1])));
        var scale = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)(block + PanelLayout.NibbleGroup) + lane), TRegisters.CreateSingle(*xScales));
        return TRegisters.MultiplyAdd(scale, TRegisters.ToSingle(sum), y);
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
    public static TFloat Step<TRegisters, TInt, TFloat>(byte* block, int lane, short* x, float* xScales, int* xSums, float* xBlockSums, TFloat y, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        BlockKernels.GroupScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + 8 * PanelLayout.Lanes);
        var nibbles = block + PanelLayout.Q4KHeader + 4 * lane;
        for (var g = 0; g < 8; g++, nibbles += PanelLayout.NibbleGroup, x += 32, scratch += PanelLayout.Lanes)
        {
            var sum = BlockKernels.Nibbles<TRegisters, TInt, TFloat>(nibbles, x, TRegisters.Create(0));
            var xScale = TRegisters.CreateSingle(xScales[g]);
            y = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sum), y);
            y = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + 8 * PanelLayout.Lanes), xScale), TRegisters.CreateSingle(xBlockSums[g]), y);
        }
        return y;
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
    public static TFloat Step<TRegisters, TInt, TFloat>(byte* block, int lane, short* x, float* xScales, int* xSums, float* xBlockSums, TFloat y, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scratch);
        var group = block + 4 * lane;
        for (var g = 0; g < 8; g++, group += PanelLayout.Q6KGroup, x += 32, xSums += 2, scratch += 2 * PanelLayout.Lanes)
        {
            var xScale = TRegisters.CreateSingle(xScales[g]);
            var upper = group + PanelLayout.NibbleGroup;
            var sum = BlockKernels.SixBits<TRegisters, TInt, TFloat>(group, upper, x, TRegisters.Create(-32 * xSums[0]));
            y = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(sum), y);
            sum = BlockKernels.SixBits<TRegisters, TInt, TFloat>(group + 2 * PanelLayout.Vector, upper + PanelLayout.Vector, x + 16, TRegisters.Create(-32 * xSums[1]));
            y = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + PanelLayout.Lanes), xScale), TRegisters.ToSingle(sum), y);
        }
        return y;
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
                BlockKernels.WidenSixBits<TRegisters, TInt, TFloat>(group + (2 * u + 1) * PanelLayout.Vector, TRegisters.ShiftRightShort(upper, 8), pairs + 128);
            }
        }
        BlockKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scales + lane);
    }
}
