using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Many rows of activations by panels of a quantized weight: prefill and batches.</summary>
/// <remarks>A panel at a time is widened to 16-bit integers, 256 numbers deep, and all rows pass while it lies in the first-level
/// cache. Every output goes over the groups in the order of the law, so rows and tiles cannot change a bit.</remarks>
internal static unsafe class ManyRows
{
    private const int Rows = 6;

    /// <summary>Up to this many rows beyond full strips go in twos.</summary>
    private const int RestInTwos = 4;

    private const int Depth = 256;
    private const int PairBytes = Depth * PanelLayout.Lanes * sizeof(short);
    private const int ScaleBytes = 16 * PanelLayout.Lanes * sizeof(float);

    /// <summary>Bytes of scratch memory for a widened panel.</summary>
    public const int ScratchBytes = PairBytes + 2 * ScaleBytes;

    /// <summary>y = x · Wᵀ for the outputs of some panels.</summary>
    /// <param name="panels">Panels that follow each other.</param>
    /// <param name="x">The rows.</param>
    /// <param name="y">First of the outputs of these panels in the first row; <paramref name="yStride"/> numbers between rows.</param>
    /// <param name="outputs">Outputs that exist: up to 32 a panel.</param>
    /// <param name="scratch"><see cref="ScratchBytes"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, RoundedRows x, int rows, float* y, long yStride, int outputs, byte* scratch, bool wide)
    {
        var work = new Work((nint)panels, columns, x, rows, (nint)y, yStride, outputs, (nint)scratch, wide);
        BlockTypes.Run(type, ref work);
    }

    private static void Multiply<TBlock>(byte* panels, int columns, RoundedRows x, int rows, float* y, long yStride, int outputs, byte* scratch, bool wide) where TBlock : IBlock
    {
        if (wide) Multiply<TBlock, Registers512, Vector512<int>, Vector512<float>>(panels, columns, x, rows, y, yStride, outputs, scratch);
        else Multiply<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, columns, x, rows, y, yStride, outputs, scratch);
    }

    private static void Multiply<TBlock, TRegisters, TInt, TFloat>(byte* panels, int columns, RoundedRows x, int rows, float* y, long yStride, int outputs, byte* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var blocks = Depth / (32 * TBlock.Groups);
        for (; outputs > 0; outputs -= PanelLayout.Lanes, y += PanelLayout.Lanes)
        {
            for (var k = 0; k < columns; k += Depth)
            {
                var count = Math.Min(blocks, (columns - k) / (32 * TBlock.Groups));
                Widen<TBlock, TRegisters, TInt, TFloat>(panels, count, scratch);
                panels += (long)count * TBlock.Size;
                // A tile is two registers wide: the panel, or a half of it.
                for (var lane = 0; lane < Math.Min(outputs, PanelLayout.Lanes); lane += 2 * TRegisters.Lanes)
                    AllRows<TBlock, TRegisters, TInt, TFloat>(count * TBlock.Groups, scratch + lane * sizeof(int), x, k, rows, y + lane, yStride, Math.Min(outputs - lane, 2 * TRegisters.Lanes));
            }
        }
    }

    private static void Widen<TBlock, TRegisters, TInt, TFloat>(byte* block, int count, byte* widened)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(TBlock.Offset * 0x00010001);
        for (var b = 0; b < count; b++, block += TBlock.Size)
        {
            var scales = (float*)(widened + PairBytes) + b * TBlock.Groups * TBlock.ScalesPerGroup * PanelLayout.Lanes;
            var minima = (float*)(widened + PairBytes + ScaleBytes) + b * TBlock.Groups * TBlock.ScalesPerGroup * PanelLayout.Lanes;
            for (var lane = 0; lane < PanelLayout.Lanes; lane += TRegisters.Lanes)
            {
                var pairs = (short*)widened + b * TBlock.Groups * 32 * PanelLayout.Lanes + 2 * lane;
                for (var g = 0; g < TBlock.Groups; g++)
                {
                    var bits = offset;
                    for (var quarter = 0; quarter < 4; quarter++, pairs += 4 * BlockKernels.PairShorts)
                    {
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, lane, g, quarter, ref bits, out var p0, out var p1, out var p2, out var p3);
                        TRegisters.Store(Less<TBlock, TRegisters, TInt, TFloat>(p0, offset), pairs);
                        TRegisters.Store(Less<TBlock, TRegisters, TInt, TFloat>(p1, offset), pairs + BlockKernels.PairShorts);
                        TRegisters.Store(Less<TBlock, TRegisters, TInt, TFloat>(p2, offset), pairs + 2 * BlockKernels.PairShorts);
                        TRegisters.Store(Less<TBlock, TRegisters, TInt, TFloat>(p3, offset), pairs + 3 * BlockKernels.PairShorts);
                    }
                }
                TBlock.ReadScales<TRegisters, TInt, TFloat>(block, lane, scales, minima);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Less<TBlock, TRegisters, TInt, TFloat>(TInt levels, TInt offset) where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat> =>
        TBlock.Offset == 0 ? levels : TRegisters.SubtractShort(levels, offset);

    private static void AllRows<TBlock, TRegisters, TInt, TFloat>(int groups, byte* widened, RoundedRows x, int k, int rows, float* y, long yStride, int outputs)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var buffer = stackalloc float[Rows * PanelLayout.Lanes];
        var tile = 2 * TRegisters.Lanes;
        var inStrips = rows % Rows > RestInTwos ? rows : rows / Rows * Rows;
        for (var row = 0; row < rows;)
        {
            var count = Math.Min(row < inStrips ? Rows : 2, rows - row);
            var to = y + row * yStride;
            var stride = yStride;
            if (outputs < tile)
            {
                to = buffer;
                stride = tile;
                if (k > 0)
                    for (var r = 0; r < count; r++) new ReadOnlySpan<float>(y + (row + r) * yStride, outputs).CopyTo(new Span<float>(buffer + r * tile, outputs));
            }
            if (k == 0)
                for (var r = 0; r < count; r++) new Span<float>(to + r * stride, tile).Clear();
            if (row < inStrips) Six<TBlock, TRegisters, TInt, TFloat>(count, groups, widened, x, row, k, to, stride);
            else Two<TBlock, TRegisters, TInt, TFloat>(count, groups, widened, x, row, k, to, stride);
            if (outputs < tile)
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(buffer + r * tile, outputs).CopyTo(new Span<float>(y + (row + r) * yStride, outputs));
            row += count;
        }
    }

    /// <summary>1 to 6 rows × two registers of outputs. Fewer rows than 6 compute the last one several times.</summary>
    private static void Six<TBlock, TRegisters, TInt, TFloat>(int rows, int groups, byte* widened, RoundedRows x, int row, int k, float* y, long yStride)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var last = rows - 1;
        var (r1, r2, r3, r4) = (Math.Min(1, last), Math.Min(2, last), Math.Min(3, last), Math.Min(4, last));
        var step = (long)x.Stride * sizeof(short);
        var (a1, a2, a3, a4, a5) = (r1 * step, r2 * step, r3 * step, r4 * step, last * step);
        var a = (byte*)x.Integers + row * step + (long)k * sizeof(short);
        var aEnd = a;
        var second = TRegisters.Lanes * sizeof(int);
        var w = widened;
        var scales = (float*)(widened + PairBytes);
        var minima = (float*)(widened + PairBytes + ScaleBytes);
        var blocks = (long)x.Blocks;
        var xScales = (float*)x.Scales + row * blocks + k / 32;
        var xSums = (float*)x.BlockSums + row * blocks + k / 32;
        var xHalfSums = (int*)x.Sums + 2 * (row * blocks + k / 32);
        for (var g = 0; g < groups; g++, xScales++, xSums++, xHalfSums += 2)
        {
            for (var part = 0; part < TBlock.ScalesPerGroup; part++)
            {
                TInt c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
                aEnd += 64 / TBlock.ScalesPerGroup;
                // The first pair of numbers needs no addition.
                var b0 = TRegisters.Load(w);
                var b1 = TRegisters.Load(w + second);
                var v = TRegisters.Create(*(int*)a);
                c00 = TRegisters.MultiplyAddPairs(v, b0);
                c01 = TRegisters.MultiplyAddPairs(v, b1);
                v = TRegisters.Create(*(int*)(a + a1));
                c10 = TRegisters.MultiplyAddPairs(v, b0);
                c11 = TRegisters.MultiplyAddPairs(v, b1);
                v = TRegisters.Create(*(int*)(a + a2));
                c20 = TRegisters.MultiplyAddPairs(v, b0);
                c21 = TRegisters.MultiplyAddPairs(v, b1);
                v = TRegisters.Create(*(int*)(a + a3));
                c30 = TRegisters.MultiplyAddPairs(v, b0);
                c31 = TRegisters.MultiplyAddPairs(v, b1);
                v = TRegisters.Create(*(int*)(a + a4));
                c40 = TRegisters.MultiplyAddPairs(v, b0);
                c41 = TRegisters.MultiplyAddPairs(v, b1);
                v = TRegisters.Create(*(int*)(a + a5));
                c50 = TRegisters.MultiplyAddPairs(v, b0);
                c51 = TRegisters.MultiplyAddPairs(v, b1);
                a += 4;
                w += PanelLayout.Vector;
                for (; a < aEnd; a += 4, w += PanelLayout.Vector)
                {
                    b0 = TRegisters.Load(w);
                    b1 = TRegisters.Load(w + second);
                    v = TRegisters.Create(*(int*)a);
                    c00 = TRegisters.Add(c00, TRegisters.MultiplyAddPairs(v, b0));
                    c01 = TRegisters.Add(c01, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a1));
                    c10 = TRegisters.Add(c10, TRegisters.MultiplyAddPairs(v, b0));
                    c11 = TRegisters.Add(c11, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a2));
                    c20 = TRegisters.Add(c20, TRegisters.MultiplyAddPairs(v, b0));
                    c21 = TRegisters.Add(c21, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a3));
                    c30 = TRegisters.Add(c30, TRegisters.MultiplyAddPairs(v, b0));
                    c31 = TRegisters.Add(c31, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a4));
                    c40 = TRegisters.Add(c40, TRegisters.MultiplyAddPairs(v, b0));
                    c41 = TRegisters.Add(c41, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a5));
                    c50 = TRegisters.Add(c50, TRegisters.MultiplyAddPairs(v, b0));
                    c51 = TRegisters.Add(c51, TRegisters.MultiplyAddPairs(v, b1));
                }
                var (s0, s1) = (TRegisters.LoadSingle(scales), TRegisters.LoadSingle((float*)((byte*)scales + second)));
                var (m0, m1) = TBlock.HasMinima ? (TRegisters.LoadSingle(minima), TRegisters.LoadSingle((float*)((byte*)minima + second))) : default;
                scales += PanelLayout.Lanes;
                minima += PanelLayout.Lanes;
                var sums = new RowSums(xScales, xSums, xHalfSums + part);
                Finish<TBlock, TRegisters, TInt, TFloat>(c00, c01, s0, s1, m0, m1, sums, y);
                if (rows > 1) Finish<TBlock, TRegisters, TInt, TFloat>(c10, c11, s0, s1, m0, m1, sums.At(r1 * blocks), y + r1 * yStride);
                if (rows > 2) Finish<TBlock, TRegisters, TInt, TFloat>(c20, c21, s0, s1, m0, m1, sums.At(r2 * blocks), y + r2 * yStride);
                if (rows > 3) Finish<TBlock, TRegisters, TInt, TFloat>(c30, c31, s0, s1, m0, m1, sums.At(r3 * blocks), y + r3 * yStride);
                if (rows > 4) Finish<TBlock, TRegisters, TInt, TFloat>(c40, c41, s0, s1, m0, m1, sums.At(r4 * blocks), y + r4 * yStride);
                if (rows > 5) Finish<TBlock, TRegisters, TInt, TFloat>(c50, c51, s0, s1, m0, m1, sums.At(last * blocks), y + last * yStride);
            }
        }
    }

    /// <summary>1 or 2 rows × two registers of outputs.</summary>
    private static void Two<TBlock, TRegisters, TInt, TFloat>(int rows, int groups, byte* widened, RoundedRows x, int row, int k, float* y, long yStride)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var last = rows - 1;
        var step = (long)x.Stride * sizeof(short);
        var a1 = last * step;
        var a = (byte*)x.Integers + row * step + (long)k * sizeof(short);
        var aEnd = a;
        var second = TRegisters.Lanes * sizeof(int);
        var w = widened;
        var scales = (float*)(widened + PairBytes);
        var minima = (float*)(widened + PairBytes + ScaleBytes);
        var blocks = (long)x.Blocks;
        var xScales = (float*)x.Scales + row * blocks + k / 32;
        var xSums = (float*)x.BlockSums + row * blocks + k / 32;
        var xHalfSums = (int*)x.Sums + 2 * (row * blocks + k / 32);
        for (var g = 0; g < groups; g++, xScales++, xSums++, xHalfSums += 2)
        {
            for (var part = 0; part < TBlock.ScalesPerGroup; part++)
            {
                TInt c00, c01, c10, c11;
                c00 = c01 = c10 = c11 = TRegisters.Create(0);
                aEnd += 64 / TBlock.ScalesPerGroup;
                for (; a < aEnd; a += 4, w += PanelLayout.Vector)
                {
                    var b0 = TRegisters.Load(w);
                    var b1 = TRegisters.Load(w + second);
                    var v = TRegisters.Create(*(int*)a);
                    c00 = TRegisters.Add(c00, TRegisters.MultiplyAddPairs(v, b0));
                    c01 = TRegisters.Add(c01, TRegisters.MultiplyAddPairs(v, b1));
                    v = TRegisters.Create(*(int*)(a + a1));
                    c10 = TRegisters.Add(c10, TRegisters.MultiplyAddPairs(v, b0));
                    c11 = TRegisters.Add(c11, TRegisters.MultiplyAddPairs(v, b1));
                }
                var (s0, s1) = (TRegisters.LoadSingle(scales), TRegisters.LoadSingle((float*)((byte*)scales + second)));
                var (m0, m1) = TBlock.HasMinima ? (TRegisters.LoadSingle(minima), TRegisters.LoadSingle((float*)((byte*)minima + second))) : default;
                scales += PanelLayout.Lanes;
                minima += PanelLayout.Lanes;
                var sums = new RowSums(xScales, xSums, xHalfSums + part);
                Finish<TBlock, TRegisters, TInt, TFloat>(c00, c01, s0, s1, m0, m1, sums, y);
                if (rows > 1) Finish<TBlock, TRegisters, TInt, TFloat>(c10, c11, s0, s1, m0, m1, sums.At(last * blocks), y + last * yStride);
            }
        }
    }

    /// <summary>The steps of the law for one group and one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TBlock, TRegisters, TInt, TFloat>(TInt sum0, TInt sum1, TFloat scale0, TFloat scale1, TFloat minimum0, TFloat minimum1,
        RowSums x, float* y) where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var xScale = TRegisters.CreateSingle(*x.Scale);
        var y0 = TRegisters.MultiplyAdd(TRegisters.Multiply(scale0, xScale), TRegisters.ToSingle(sum0), TRegisters.LoadSingle(y));
        var y1 = TRegisters.MultiplyAdd(TRegisters.Multiply(scale1, xScale), TRegisters.ToSingle(sum1), TRegisters.LoadSingle(y + TRegisters.Lanes));
        if (TBlock.HasMinima)
        {
            var xSum = TRegisters.CreateSingle(TBlock.ScalesPerGroup == 1 ? *x.Sum : *x.HalfSum);
            y0 = TRegisters.MultiplyAdd(TRegisters.Multiply(minimum0, xScale), xSum, y0);
            y1 = TRegisters.MultiplyAdd(TRegisters.Multiply(minimum1, xScale), xSum, y1);
        }
        TRegisters.StoreSingle(y0, y);
        TRegisters.StoreSingle(y1, y + TRegisters.Lanes);
    }

    /// <summary>What a group needs to know of a row's activations besides their integers.</summary>
    private readonly struct RowSums(float* scale, float* sum, int* halfSum)
    {
        public readonly float* Scale = scale;
        public readonly float* Sum = sum;
        public readonly int* HalfSum = halfSum;

        public RowSums At(long block) => new(Scale + block, Sum + block, HalfSum + 2 * block);
    }

    private readonly struct Work(nint panels, int columns, RoundedRows x, int rows, nint y, long yStride, int outputs, nint scratch, bool wide) : IBlockWork
    {
        public void Run<TBlock>() where TBlock : struct, IBlock =>
            Multiply<TBlock>((byte*)panels, columns, x, rows, (float*)y, yStride, outputs, (byte*)scratch, wide);
    }
}
