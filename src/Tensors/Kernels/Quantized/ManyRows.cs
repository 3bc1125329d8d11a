using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Many rows of activations by panels of a quantized weight: prefill and batches.</summary>
/// <remarks>A panel at a time is widened to 16-bit integers, 256 numbers deep, and all rows pass while it lies in the first-level
/// cache. Every output goes over the groups in the order of the law, so rows and tiles cannot change a bit.</remarks>
internal static unsafe class ManyRows
{
    private const int Rows = 5;

    /// <summary>Up to this many rows beyond full strips go in twos.</summary>
    private const int RestInTwos = 2;

    private const int Depth = 256;
    private const int PairBytes = Depth * PanelLayout.Lanes * sizeof(short);
    private const int ScaleBytes = 16 * PanelLayout.Lanes * sizeof(float);

    /// <summary>Bytes of scratch memory for a widened panel: pairs, scales, minima, and what <see cref="RoundedRows.Crosses"/> is for the rows.</summary>
    public const int ScratchBytes = PairBytes + 3 * ScaleBytes;

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
                var crosses = (int*)(widened + PairBytes + 2 * ScaleBytes) + b * TBlock.Groups * TBlock.ScalesPerGroup * PanelLayout.Lanes + lane;
                for (var g = 0; g < TBlock.Groups; g++)
                {
                    var (bits, cross) = (offset, TRegisters.Create(0));
                    for (var quarter = 0; quarter < 4; quarter++, pairs += 4 * BlockKernels.PairShorts)
                    {
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, lane, g, quarter, ref bits, out var p0, out var p1, out var p2, out var p3);
                        (p0, p1) = (Less<TBlock, TRegisters, TInt, TFloat>(p0, offset), Less<TBlock, TRegisters, TInt, TFloat>(p1, offset));
                        (p2, p3) = (Less<TBlock, TRegisters, TInt, TFloat>(p2, offset), Less<TBlock, TRegisters, TInt, TFloat>(p3, offset));
                        TRegisters.Store(p0, pairs);
                        TRegisters.Store(p1, pairs + BlockKernels.PairShorts);
                        TRegisters.Store(p2, pairs + 2 * BlockKernels.PairShorts);
                        TRegisters.Store(p3, pairs + 3 * BlockKernels.PairShorts);
                        cross = TRegisters.Subtract(cross, TRegisters.Add(TRegisters.MultiplyAddPairs(p0, p1), TRegisters.MultiplyAddPairs(p2, p3)));
                        if (TBlock.ScalesPerGroup == 1 ? quarter < 3 : quarter % 2 == 0) continue;
                        TRegisters.Store(cross, crosses);
                        cross = TRegisters.Create(0);
                        crosses += PanelLayout.Lanes;
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
        var whole = rows / Rows * Rows;
        if (outputs == tile && whole > 0) Five<TBlock, TRegisters, TInt, TFloat>(whole / Rows, Rows, groups, widened, x, 0, k, y, yStride);
        var inStrips = rows - whole > RestInTwos ? rows : whole;
        for (var row = outputs == tile ? whole : 0; row < rows;)
        {
            var count = Math.Min(row < inStrips ? Rows : 2, rows - row);
            var to = outputs < tile ? buffer : y + row * yStride;
            var stride = outputs < tile ? tile : yStride;
            if (outputs < tile)
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(y + (row + r) * yStride, outputs).CopyTo(new Span<float>(buffer + r * tile, outputs));
            if (row < inStrips) Five<TBlock, TRegisters, TInt, TFloat>(1, count, groups, widened, x, row, k, to, stride);
            else Two<TBlock, TRegisters, TInt, TFloat>(count, groups, widened, x, row, k, to, stride);
            if (outputs < tile)
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(buffer + r * tile, outputs).CopyTo(new Span<float>(y + (row + r) * yStride, outputs));
            row += count;
        }
    }

    /// <summary>Strips of 5 rows, or one of 1 to 5, × two registers of outputs. Fewer rows than 5 compute the last one several times.</summary>
    /// <remarks>
    /// Half of the multiplications, by Winograd's identity of 1968: (a₀ + w₁)(a₁ + w₀) = a₀w₀ + a₁w₁ + a₀a₁ + w₀w₁. The products within a row and within a weight
    /// are summed once and taken off at the beginning. Sums go round at 2^32, and come back exactly where the law's sum is.
    /// </remarks>
    private static void Five<TBlock, TRegisters, TInt, TFloat>(int strips, int rows, int groups, byte* widened, RoundedRows x, int row, int k, float* y, long yStride)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var last = rows - 1;
        var (r1, r2, r3) = (Math.Min(1, last), Math.Min(2, last), Math.Min(3, last));
        var step = (long)x.Stride * sizeof(short);
        var (a1, a2, a3, a4) = (r1 * step, r2 * step, r3 * step, last * step);
        var second = TRegisters.Lanes * sizeof(int);
        var blocks = (long)x.Blocks;
        var (s1, s2, s3, s4) = (r1 * blocks, r2 * blocks, r3 * blocks, last * blocks);
        var (y1, y2, y3, y4) = (r1 * yStride, r2 * yStride, r3 * yStride, last * yStride);
        for (; strips > 0; strips--, row += Rows, y += Rows * yStride)
        {
            var a = (byte*)x.Integers + row * step + (long)k * sizeof(short);
            var aEnd = a;
            var w = widened;
            var scales = widened + PairBytes;
            var xScales = (float*)x.Scales + row * blocks + k / 32;
            var xSums = (float*)x.BlockSums + row * blocks + k / 32;
            var xHalfSums = (int*)x.Sums + 2 * (row * blocks + k / 32);
            var xCrosses = (int*)x.Crosses + RoundedRows.CrossesOfBlock * (row * blocks + k / 32);
            TFloat y00, y01, y10, y11, y20, y21, y30, y31, y40, y41;
            if (k == 0)
            {
                y00 = y01 = y10 = y11 = y20 = y21 = y30 = y31 = y40 = y41 = TRegisters.CreateSingle(0);
            }
            else
            {
                (y00, y01) = (TRegisters.LoadSingle(y), TRegisters.LoadSingle(y + TRegisters.Lanes));
                (y10, y11) = (TRegisters.LoadSingle(y + y1), TRegisters.LoadSingle(y + y1 + TRegisters.Lanes));
                (y20, y21) = (TRegisters.LoadSingle(y + y2), TRegisters.LoadSingle(y + y2 + TRegisters.Lanes));
                (y30, y31) = (TRegisters.LoadSingle(y + y3), TRegisters.LoadSingle(y + y3 + TRegisters.Lanes));
                (y40, y41) = (TRegisters.LoadSingle(y + y4), TRegisters.LoadSingle(y + y4 + TRegisters.Lanes));
            }
            for (var g = 0; g < groups; g++, xScales++, xSums++, xHalfSums += 2, xCrosses += RoundedRows.CrossesOfBlock)
            {
                for (var part = 0; part < TBlock.ScalesPerGroup; part++, scales += PanelLayout.Vector)
                {
                    aEnd += 64 / TBlock.ScalesPerGroup;
                    var (n0, n1) = (TRegisters.Load(scales + 2 * ScaleBytes), TRegisters.Load(scales + 2 * ScaleBytes + second));
                    var cross = xCrosses + (TBlock.ScalesPerGroup == 1 ? RoundedRows.WholeCross : part);
                    var (c00, c01) = (n0, n1);
                    var (c10, c11) = (n0, n1);
                    var (c20, c21) = (n0, n1);
                    var (c30, c31) = (n0, n1);
                    var (c40, c41) = (n0, n1);
                    for (; a < aEnd; a += 8, w += 2 * PanelLayout.Vector)
                    {
                        var (b0, b1) = (TRegisters.Load(w), TRegisters.Load(w + second));
                        var (d0, d1) = (TRegisters.Load(w + PanelLayout.Vector), TRegisters.Load(w + PanelLayout.Vector + second));
                        Crosswise<TRegisters, TInt, TFloat>(a, b0, b1, d0, d1, ref c00, ref c01);
                        Crosswise<TRegisters, TInt, TFloat>(a + a1, b0, b1, d0, d1, ref c10, ref c11);
                        Crosswise<TRegisters, TInt, TFloat>(a + a2, b0, b1, d0, d1, ref c20, ref c21);
                        Crosswise<TRegisters, TInt, TFloat>(a + a3, b0, b1, d0, d1, ref c30, ref c31);
                        Crosswise<TRegisters, TInt, TFloat>(a + a4, b0, b1, d0, d1, ref c40, ref c41);
                    }
                    var half = xHalfSums + part;
                    var v = TRegisters.Create(*cross);
                    Finish<TBlock, TRegisters, TInt, TFloat>(TRegisters.Add(c00, v), TRegisters.Add(c01, v), scales, xScales, xSums, half, ref y00, ref y01);
                    v = TRegisters.Create(cross[RoundedRows.CrossesOfBlock * s1]);
                    Finish<TBlock, TRegisters, TInt, TFloat>(TRegisters.Add(c10, v), TRegisters.Add(c11, v), scales, xScales + s1, xSums + s1, half + 2 * s1, ref y10, ref y11);
                    v = TRegisters.Create(cross[RoundedRows.CrossesOfBlock * s2]);
                    Finish<TBlock, TRegisters, TInt, TFloat>(TRegisters.Add(c20, v), TRegisters.Add(c21, v), scales, xScales + s2, xSums + s2, half + 2 * s2, ref y20, ref y21);
                    v = TRegisters.Create(cross[RoundedRows.CrossesOfBlock * s3]);
                    Finish<TBlock, TRegisters, TInt, TFloat>(TRegisters.Add(c30, v), TRegisters.Add(c31, v), scales, xScales + s3, xSums + s3, half + 2 * s3, ref y30, ref y31);
                    v = TRegisters.Create(cross[RoundedRows.CrossesOfBlock * s4]);
                    Finish<TBlock, TRegisters, TInt, TFloat>(TRegisters.Add(c40, v), TRegisters.Add(c41, v), scales, xScales + s4, xSums + s4, half + 2 * s4, ref y40, ref y41);
                }
            }
            Store<TRegisters, TInt, TFloat>(y00, y01, y);
            if (rows > 1) Store<TRegisters, TInt, TFloat>(y10, y11, y + y1);
            if (rows > 2) Store<TRegisters, TInt, TFloat>(y20, y21, y + y2);
            if (rows > 3) Store<TRegisters, TInt, TFloat>(y30, y31, y + y3);
            if (rows > 4) Store<TRegisters, TInt, TFloat>(y40, y41, y + y4);
        }
    }

    /// <summary>Two pairs of numbers of one row by two pairs of two registers of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Crosswise<TRegisters, TInt, TFloat>(byte* a, TInt b0, TInt b1, TInt d0, TInt d1, ref TInt c0, ref TInt c1)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var (u, v) = (TRegisters.Create(((int*)a)[0]), TRegisters.Create(((int*)a)[1]));
        c0 = TRegisters.Add(c0, TRegisters.MultiplyAddPairs(TRegisters.AddShort(u, d0), TRegisters.AddShort(v, b0)));
        c1 = TRegisters.Add(c1, TRegisters.MultiplyAddPairs(TRegisters.AddShort(u, d1), TRegisters.AddShort(v, b1)));
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
        var scales = widened + PairBytes;
        var blocks = (long)x.Blocks;
        var xScales = (float*)x.Scales + row * blocks + k / 32;
        var xSums = (float*)x.BlockSums + row * blocks + k / 32;
        var s1 = last * blocks;
        var xHalfSums = (int*)x.Sums + 2 * (row * blocks + k / 32);
        TFloat y00, y01, y10, y11;
        if (k == 0)
        {
            y00 = y01 = y10 = y11 = TRegisters.CreateSingle(0);
        }
        else
        {
            (y00, y01) = (TRegisters.LoadSingle(y), TRegisters.LoadSingle(y + TRegisters.Lanes));
            (y10, y11) = (TRegisters.LoadSingle(y + last * yStride), TRegisters.LoadSingle(y + last * yStride + TRegisters.Lanes));
        }
        for (var g = 0; g < groups; g++, xScales++, xSums++, xHalfSums += 2)
        {
            for (var part = 0; part < TBlock.ScalesPerGroup; part++, scales += PanelLayout.Vector)
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
                var half = xHalfSums + part;
                Finish<TBlock, TRegisters, TInt, TFloat>(c00, c01, scales, xScales, xSums, half, ref y00, ref y01);
                Finish<TBlock, TRegisters, TInt, TFloat>(c10, c11, scales, xScales + s1, xSums + s1, half + 2 * s1, ref y10, ref y11);
            }
        }
        Store<TRegisters, TInt, TFloat>(y00, y01, y);
        if (rows > 1) Store<TRegisters, TInt, TFloat>(y10, y11, y + yStride);
    }

    /// <summary>The steps of the law for one group and one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TBlock, TRegisters, TInt, TFloat>(TInt sum0, TInt sum1, byte* scales, float* xScales, float* xSums, int* xHalfSums, ref TFloat y0, ref TFloat y1)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var second = TRegisters.Lanes * sizeof(float);
        var xScale = TRegisters.CreateSingle(*xScales);
        y0 = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle((float*)scales), xScale), TRegisters.ToSingle(sum0), y0);
        y1 = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle((float*)(scales + second)), xScale), TRegisters.ToSingle(sum1), y1);
        if (!TBlock.HasMinima) return;
        var xSum = TRegisters.CreateSingle(TBlock.ScalesPerGroup == 1 ? *xSums : *xHalfSums);
        y0 = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle((float*)(scales + ScaleBytes)), xScale), xSum, y0);
        y1 = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle((float*)(scales + ScaleBytes + second)), xScale), xSum, y1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRegisters, TInt, TFloat>(TFloat y0, TFloat y1, float* y) where TRegisters : IRegisters<TInt, TFloat>
    {
        TRegisters.StoreSingle(y0, y);
        TRegisters.StoreSingle(y1, y + TRegisters.Lanes);
    }

    private readonly struct Work(nint panels, int columns, RoundedRows x, int rows, nint y, long yStride, int outputs, nint scratch, bool wide) : IBlockWork
    {
        public void Run<TBlock>() where TBlock : struct, IBlock =>
            Multiply<TBlock>((byte*)panels, columns, x, rows, (float*)y, yStride, outputs, (byte*)scratch, wide);
    }
}
