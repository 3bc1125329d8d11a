using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenEuroLLM.Tensors.Kernels.Quantized;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Two to a dozen rows of activations by panels of 16 outputs in f32, bf16 or f16: small batches, and guesses that are checked. A number is
/// read and widened once for two or four rows; to write widened panels down first, as <see cref="Product"/> does, would cost more than it saves.</summary>
internal static unsafe class FewFloatRows
{
    /// <summary>Up to this many rows it is the faster way (docs/results/engine.md).</summary>
    public const int Most = 12;

    /// <summary>y = x · Wᵀ by the law of products: one chain over k for each output.</summary>
    /// <param name="panels">Panels that follow each other; the last may stand for fewer than 16 outputs.</param>
    /// <param name="columns">Inputs: numbers of a row of <paramref name="x"/>.</param>
    /// <param name="scaled">For f16: the rows as <see cref="HalfFloat.Scale"/> made them, or null where it could not.</param>
    /// <param name="yStride">Numbers between rows of <paramref name="y"/>.</param>
    /// <param name="outputs">Numbers in each row of <paramref name="y"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, float* x, float* scaled, int rows, float* y, long yStride, int outputs, bool wide)
    {
        switch (type)
        {
            case ElementType.F32: Multiply<F32Numbers>(panels, columns, x, rows, y, yStride, outputs, wide); break;
            case ElementType.BF16: Multiply<BF16Numbers>(panels, columns, x, rows, y, yStride, outputs, wide); break;
            case ElementType.F16 when scaled != null: Multiply<UnscaledF16Numbers>(panels, columns, scaled, rows, y, yStride, outputs, wide); break;
            default: Multiply<F16Numbers>(panels, columns, x, rows, y, yStride, outputs, wide); break;
        }
    }

    private static void Multiply<TNumbers>(byte* panels, int columns, float* x, int rows, float* y, long yStride, int outputs, bool wide) where TNumbers : IFloatNumbers
    {
        const int lanes = 2 * Tile.Columns;
        var panel = (long)TNumbers.Size * Tile.Columns * columns;
        var part = stackalloc float[4 * lanes];
        for (; outputs > 0; outputs -= lanes, y += lanes, panels += 2 * panel)
        {
            // A last panel without a neighbour is its own: equal chains, of which one is kept.
            var second = outputs > Tile.Columns ? panel : 0;
            for (var row = 0; row < rows; row += 4)
            {
                var count = Math.Min(4, rows - row);
                var from = x + (long)row * columns;
                var to = outputs < lanes ? part : y + row * yStride;
                var stride = to == part ? lanes : yStride;
                if (wide)
                {
                    Chains<TNumbers, Registers512, Vector512<int>, Vector512<float>>(panels, panels + second, columns, from, count, to, to + Tile.Columns, stride);
                }
                else
                {
                    for (var half = 0; half < 2; half++)
                        Chains<TNumbers, Registers256, Vector256<int>, Vector256<float>>(panels + half * second, panels + half * second + 8 * TNumbers.Size, columns, from, count,
                            to + half * Tile.Columns, to + half * Tile.Columns + 8, stride);
                }
                if (to != part) continue;
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(part + r * lanes, outputs).CopyTo(new Span<float>(y + (row + r) * yStride, outputs));
            }
        }
    }

    private static void Chains<TNumbers, TRegisters, TInt, TFloat>(byte* a, byte* b, int columns, float* x, int rows, float* ya, float* yb, long yStride)
        where TNumbers : IFloatNumbers where TRegisters : IRegisters<TInt, TFloat>
    {
        if (rows > 2) Four<TNumbers, TRegisters, TInt, TFloat>(a, b, columns, x, rows, ya, yb, yStride);
        else Two<TNumbers, TRegisters, TInt, TFloat>(a, b, columns, x, rows, ya, yb, yStride);
    }

    /// <summary>3 or 4 rows × two registers of outputs over all of k; of 3 rows the last is computed twice.</summary>
    private static void Four<TNumbers, TRegisters, TInt, TFloat>(byte* a, byte* b, int columns, float* x, int rows, float* ya, float* yb, long yStride)
        where TNumbers : IFloatNumbers where TRegisters : IRegisters<TInt, TFloat>
    {
        float* x1 = x + columns, x2 = x1 + columns, x3 = x + (long)(rows - 1) * columns;
        TFloat c0A, c0B, c1A, c1B, c2A, c2B, c3A, c3B;
        c0A = c0B = c1A = c1B = c2A = c2B = c3A = c3B = TRegisters.CreateSingle(0);
        var step = TNumbers.Size * Tile.Columns;
        var (k, ahead) = (0, (long)BlockKernels.Ahead);
        for (var end = Inside(columns, step); ; end = columns, ahead += (long)columns * step)
        {
            for (; k < end; k++, a += step, b += step)
            {
                if (TNumbers.Size == 4 || k % 2 == 0) Prefetch<TRegisters, TInt, TFloat>(a + ahead, b + ahead);
                var numbersA = TNumbers.Load<TRegisters, TInt, TFloat>(a);
                var numbersB = TNumbers.Load<TRegisters, TInt, TFloat>(b);
                var number = TRegisters.CreateSingle(x[k]);
                c0A = TRegisters.MultiplyAdd(number, numbersA, c0A);
                c0B = TRegisters.MultiplyAdd(number, numbersB, c0B);
                number = TRegisters.CreateSingle(x1[k]);
                c1A = TRegisters.MultiplyAdd(number, numbersA, c1A);
                c1B = TRegisters.MultiplyAdd(number, numbersB, c1B);
                number = TRegisters.CreateSingle(x2[k]);
                c2A = TRegisters.MultiplyAdd(number, numbersA, c2A);
                c2B = TRegisters.MultiplyAdd(number, numbersB, c2B);
                number = TRegisters.CreateSingle(x3[k]);
                c3A = TRegisters.MultiplyAdd(number, numbersA, c3A);
                c3B = TRegisters.MultiplyAdd(number, numbersB, c3B);
            }
            if (k == columns) break;
        }
        Store<TRegisters, TInt, TFloat>(c0A, c0B, ya, yb);
        Store<TRegisters, TInt, TFloat>(c1A, c1B, ya + yStride, yb + yStride);
        Store<TRegisters, TInt, TFloat>(c2A, c2B, ya + 2 * yStride, yb + 2 * yStride);
        if (rows > 3) Store<TRegisters, TInt, TFloat>(c3A, c3B, ya + 3 * yStride, yb + 3 * yStride);
    }

    /// <summary>1 or 2 rows × two registers of outputs over all of k; a single row is computed twice.</summary>
    private static void Two<TNumbers, TRegisters, TInt, TFloat>(byte* a, byte* b, int columns, float* x, int rows, float* ya, float* yb, long yStride)
        where TNumbers : IFloatNumbers where TRegisters : IRegisters<TInt, TFloat>
    {
        var x1 = x + (long)(rows - 1) * columns;
        TFloat c0A, c0B, c1A, c1B;
        c0A = c0B = c1A = c1B = TRegisters.CreateSingle(0);
        var step = TNumbers.Size * Tile.Columns;
        var (k, ahead) = (0, (long)BlockKernels.Ahead);
        for (var end = Inside(columns, step); ; end = columns, ahead += (long)columns * step)
        {
            for (; k < end; k++, a += step, b += step)
            {
                if (TNumbers.Size == 4 || k % 2 == 0) Prefetch<TRegisters, TInt, TFloat>(a + ahead, b + ahead);
                var numbersA = TNumbers.Load<TRegisters, TInt, TFloat>(a);
                var numbersB = TNumbers.Load<TRegisters, TInt, TFloat>(b);
                var number = TRegisters.CreateSingle(x[k]);
                c0A = TRegisters.MultiplyAdd(number, numbersA, c0A);
                c0B = TRegisters.MultiplyAdd(number, numbersB, c0B);
                number = TRegisters.CreateSingle(x1[k]);
                c1A = TRegisters.MultiplyAdd(number, numbersA, c1A);
                c1B = TRegisters.MultiplyAdd(number, numbersB, c1B);
            }
            if (k == columns) break;
        }
        Store<TRegisters, TInt, TFloat>(c0A, c0B, ya, yb);
        if (rows > 1) Store<TRegisters, TInt, TFloat>(c1A, c1B, ya + yStride, yb + yStride);
    }

    /// <summary>Steps over k before what is asked for ahead lies behind the end of the panel: behind these two come the next two, and what lies right
    /// behind the first is the second, which is here already.</summary>
    private static int Inside(int columns, int step) => Math.Max(0, columns - BlockKernels.Ahead / step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch<TRegisters, TInt, TFloat>(byte* a, byte* b) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(a);
        if (TRegisters.Lanes == 16) Sse.Prefetch0(b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRegisters, TInt, TFloat>(TFloat a, TFloat b, float* ya, float* yb) where TRegisters : IRegisters<TInt, TFloat>
    {
        TRegisters.StoreSingle(a, ya);
        TRegisters.StoreSingle(b, yb);
    }
}
