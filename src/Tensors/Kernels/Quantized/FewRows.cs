using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Two to eight rows of activations by panels of a quantized weight: small batches, and guesses that are checked. Levels are decoded into
/// registers once for two or four rows; to write them down first, as <see cref="ManyRows"/> does, would cost more than it saves.</summary>
internal static unsafe class FewRows
{
    /// <summary>Up to this many rows it is the faster way (docs/results/engine.md).</summary>
    public const int Most = 8;

    /// <summary>y = x · Wᵀ for the outputs of some panels; parameters as in <see cref="ManyRows.Multiply"/>.</summary>
    public static void Multiply(ElementType type, byte* panels, int columns, RoundedRows x, int rows, float* y, long yStride, int outputs, bool wide)
    {
        var work = new Work((nint)panels, columns, x, rows, (nint)y, yStride, outputs, wide);
        BlockTypes.Run(type, ref work);
    }

    private static void Multiply<TBlock>(byte* panels, int blocks, RoundedRows x, int rows, float* y, long yStride, int outputs, bool wide) where TBlock : IBlock
    {
        var scratch = stackalloc float[BlockKernels.ScratchNumbers];
        var part = stackalloc float[4 * PanelLayout.Lanes];
        for (; outputs > 0; outputs -= PanelLayout.Lanes, y += PanelLayout.Lanes, panels += (long)blocks * TBlock.Size)
        {
            for (var row = 0; row < rows; row += 4)
            {
                var count = Math.Min(4, rows - row);
                var to = outputs < PanelLayout.Lanes ? part : y + row * yStride;
                var stride = to == part ? PanelLayout.Lanes : yStride;
                if (wide)
                {
                    Chains<TBlock, Registers512, Vector512<int>, Vector512<float>>(panels, 0, blocks, x.From(row), count, to, stride, scratch);
                }
                else
                {
                    Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 0, blocks, x.From(row), count, to, stride, scratch);
                    Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 16, blocks, x.From(row), count, to + 16, stride, scratch);
                }
                if (to != part) continue;
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(part + r * PanelLayout.Lanes, outputs).CopyTo(new Span<float>(y + (row + r) * yStride, outputs));
            }
        }
    }

    private static void Chains<TBlock, TRegisters, TInt, TFloat>(byte* block, int lane, int blocks, RoundedRows x, int rows, float* y, long yStride, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        if (rows == 1) OneRow.Chains<TBlock, TRegisters, TInt, TFloat>(block, lane, blocks, x, y, scratch);
        else if (rows > 2) Four<TBlock, TRegisters, TInt, TFloat>(block, lane, blocks, x, rows, y, yStride, scratch);
        else Two<TBlock, TRegisters, TInt, TFloat>(block, lane, blocks, x, y, yStride, scratch);
    }

    /// <summary>3 or 4 rows × two registers of outputs over all of a panel; of 3 rows the last is computed twice.</summary>
    private static void Four<TBlock, TRegisters, TInt, TFloat>(byte* block, int lane, int blocks, RoundedRows x, int rows, float* y, long yStride, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = BlockKernels.ScratchNumbers / 2;
        var last = rows - 1;
        var next = lane + TRegisters.Lanes;
        var step = (long)x.Stride * sizeof(short);
        var (a1, a2, a3) = (step, 2 * step, last * step);
        var (s1, s2, s3) = ((long)x.Blocks, 2L * x.Blocks, (long)last * x.Blocks);
        var a = (byte*)x.Integers;
        var xScales = (float*)x.Scales;
        var xSums = (float*)x.BlockSums;
        var xHalfSums = (int*)x.Sums;
        TFloat y0A, y0B, y1A, y1B, y2A, y2B, y3A, y3B;
        y0A = y0B = y1A = y1B = y2A = y2B = y3A = y3B = TRegisters.CreateSingle(0);
        for (; blocks > 0; blocks--, block += TBlock.Size)
        {
            TBlock.ReadScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + minima);
            TBlock.ReadScales<TRegisters, TInt, TFloat>(block, next, scratch, scratch + minima);
            var scales = scratch + lane;
            for (var g = 0; g < TBlock.Groups; g++, xScales++, xSums++, xHalfSums += 2)
            {
                TInt bitsA, bitsB;
                bitsA = bitsB = TRegisters.Create(0);
                var quarter = 0;
                for (var part = 1; part <= TBlock.ScalesPerGroup; part++, scales += PanelLayout.Lanes)
                {
                    TInt c0A, c0B, c1A, c1B, c2A, c2B, c3A, c3B;
                    c0A = c0B = c1A = c1B = c2A = c2B = c3A = c3B = TRegisters.Create(0);
                    for (; quarter < 4 / TBlock.ScalesPerGroup * part; quarter++, a += 16)
                    {
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, lane, g, quarter, ref bitsA, out var w0A, out var w1A, out var w2A, out var w3A);
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, next, g, quarter, ref bitsB, out var w0B, out var w1B, out var w2B, out var w3B);
                        Row<TRegisters, TInt, TFloat>(a, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c0A, ref c0B);
                        Row<TRegisters, TInt, TFloat>(a + a1, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c1A, ref c1B);
                        Row<TRegisters, TInt, TFloat>(a + a2, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c2A, ref c2B);
                        Row<TRegisters, TInt, TFloat>(a + a3, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c3A, ref c3B);
                    }
                    Finish<TBlock, TRegisters, TInt, TFloat>(c0A, c0B, scales, xScales, xSums, xHalfSums + part - 1, ref y0A, ref y0B);
                    Finish<TBlock, TRegisters, TInt, TFloat>(c1A, c1B, scales, xScales + s1, xSums + s1, xHalfSums + part - 1 + 2 * s1, ref y1A, ref y1B);
                    Finish<TBlock, TRegisters, TInt, TFloat>(c2A, c2B, scales, xScales + s2, xSums + s2, xHalfSums + part - 1 + 2 * s2, ref y2A, ref y2B);
                    Finish<TBlock, TRegisters, TInt, TFloat>(c3A, c3B, scales, xScales + s3, xSums + s3, xHalfSums + part - 1 + 2 * s3, ref y3A, ref y3B);
                }
            }
        }
        Store<TRegisters, TInt, TFloat>(y0A, y0B, y);
        Store<TRegisters, TInt, TFloat>(y1A, y1B, y + yStride);
        Store<TRegisters, TInt, TFloat>(y2A, y2B, y + 2 * yStride);
        if (rows > 3) Store<TRegisters, TInt, TFloat>(y3A, y3B, y + 3 * yStride);
    }

    /// <summary>2 rows × two registers of outputs over all of a panel.</summary>
    private static void Two<TBlock, TRegisters, TInt, TFloat>(byte* block, int lane, int blocks, RoundedRows x, float* y, long yStride, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = BlockKernels.ScratchNumbers / 2;
        var next = lane + TRegisters.Lanes;
        var a1 = (long)x.Stride * sizeof(short);
        var s1 = (long)x.Blocks;
        var a = (byte*)x.Integers;
        var xScales = (float*)x.Scales;
        var xSums = (float*)x.BlockSums;
        var xHalfSums = (int*)x.Sums;
        TFloat y0A, y0B, y1A, y1B;
        y0A = y0B = y1A = y1B = TRegisters.CreateSingle(0);
        for (; blocks > 0; blocks--, block += TBlock.Size)
        {
            TBlock.ReadScales<TRegisters, TInt, TFloat>(block, lane, scratch, scratch + minima);
            TBlock.ReadScales<TRegisters, TInt, TFloat>(block, next, scratch, scratch + minima);
            var scales = scratch + lane;
            for (var g = 0; g < TBlock.Groups; g++, xScales++, xSums++, xHalfSums += 2)
            {
                TInt bitsA, bitsB;
                bitsA = bitsB = TRegisters.Create(0);
                var quarter = 0;
                for (var part = 1; part <= TBlock.ScalesPerGroup; part++, scales += PanelLayout.Lanes)
                {
                    TInt c0A, c0B, c1A, c1B;
                    c0A = c0B = c1A = c1B = TRegisters.Create(0);
                    for (; quarter < 4 / TBlock.ScalesPerGroup * part; quarter++, a += 16)
                    {
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, lane, g, quarter, ref bitsA, out var w0A, out var w1A, out var w2A, out var w3A);
                        TBlock.Quarter<TRegisters, TInt, TFloat>(block, next, g, quarter, ref bitsB, out var w0B, out var w1B, out var w2B, out var w3B);
                        Row<TRegisters, TInt, TFloat>(a, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c0A, ref c0B);
                        Row<TRegisters, TInt, TFloat>(a + a1, w0A, w1A, w2A, w3A, w0B, w1B, w2B, w3B, ref c1A, ref c1B);
                    }
                    Finish<TBlock, TRegisters, TInt, TFloat>(c0A, c0B, scales, xScales, xSums, xHalfSums + part - 1, ref y0A, ref y0B);
                    Finish<TBlock, TRegisters, TInt, TFloat>(c1A, c1B, scales, xScales + s1, xSums + s1, xHalfSums + part - 1 + 2 * s1, ref y1A, ref y1B);
                }
            }
        }
        Store<TRegisters, TInt, TFloat>(y0A, y0B, y);
        Store<TRegisters, TInt, TFloat>(y1A, y1B, y + yStride);
    }

    /// <summary>Four pairs of one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TRegisters, TInt, TFloat>(byte* a, TInt w0A, TInt w1A, TInt w2A, TInt w3A, TInt w0B, TInt w1B, TInt w2B, TInt w3B, ref TInt cA, ref TInt cB)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var v = TRegisters.Create(((int*)a)[0]);
        cA = TRegisters.Add(cA, TRegisters.MultiplyAddPairs(w0A, v));
        cB = TRegisters.Add(cB, TRegisters.MultiplyAddPairs(w0B, v));
        v = TRegisters.Create(((int*)a)[1]);
        cA = TRegisters.Add(cA, TRegisters.MultiplyAddPairs(w1A, v));
        cB = TRegisters.Add(cB, TRegisters.MultiplyAddPairs(w1B, v));
        v = TRegisters.Create(((int*)a)[2]);
        cA = TRegisters.Add(cA, TRegisters.MultiplyAddPairs(w2A, v));
        cB = TRegisters.Add(cB, TRegisters.MultiplyAddPairs(w2B, v));
        v = TRegisters.Create(((int*)a)[3]);
        cA = TRegisters.Add(cA, TRegisters.MultiplyAddPairs(w3A, v));
        cB = TRegisters.Add(cB, TRegisters.MultiplyAddPairs(w3B, v));
    }

    /// <summary>The steps of the law for one scale and one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TBlock, TRegisters, TInt, TFloat>(TInt sumA, TInt sumB, float* scales, float* xScales, float* xSums, int* xHalfSums, ref TFloat yA, ref TFloat yB)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        const int minima = BlockKernels.ScratchNumbers / 2;
        if (TBlock.Offset != 0)
        {
            // Σ (v − zero) · x = Σ v · x − zero · Σ x, exact in integers.
            var offset = TRegisters.Create(-TBlock.Offset * (TBlock.ScalesPerGroup == 1 ? xHalfSums[0] + xHalfSums[1] : xHalfSums[0]));
            (sumA, sumB) = (TRegisters.Add(sumA, offset), TRegisters.Add(sumB, offset));
        }
        var xScale = TRegisters.CreateSingle(*xScales);
        yA = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales), xScale), TRegisters.ToSingle(sumA), yA);
        yB = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales + TRegisters.Lanes), xScale), TRegisters.ToSingle(sumB), yB);
        if (!TBlock.HasMinima) return;
        var xSum = TRegisters.CreateSingle(TBlock.ScalesPerGroup == 1 ? *xSums : *xHalfSums);
        yA = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales + minima), xScale), xSum, yA);
        yB = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales + minima + TRegisters.Lanes), xScale), xSum, yB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRegisters, TInt, TFloat>(TFloat yA, TFloat yB, float* y) where TRegisters : IRegisters<TInt, TFloat>
    {
        TRegisters.StoreSingle(yA, y);
        TRegisters.StoreSingle(yB, y + TRegisters.Lanes);
    }

    private readonly struct Work(nint panels, int columns, RoundedRows x, int rows, nint y, long yStride, int outputs, bool wide) : IBlockWork
    {
        public void Run<TBlock>() where TBlock : struct, IBlock =>
            Multiply<TBlock>((byte*)panels, columns / (32 * TBlock.Groups), x, rows, (float*)y, yStride, outputs, wide);
    }
}
