using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenEuroLLM.Tensors.Kernels.Quantized;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>One row of activations by panels of 16 outputs in f32, bf16 or f16: decoding. Two panels at a time, so that chains of
/// multiply-adds do not wait for themselves.</summary>
internal static unsafe class OneFloatRow
{
    /// <summary>y = x · Wᵀ by the law of products: one chain over k for each output.</summary>
    /// <param name="panels">Panels that follow each other; the last may stand for fewer than 16 outputs.</param>
    /// <param name="outputs">Numbers in <paramref name="y"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, float* x, float* y, int outputs, bool wide)
    {
        var size = ElementTypes.BlockBytes(type) * Tile.Columns;
        var part = stackalloc float[2 * Tile.Columns];
        for (; outputs > 0; outputs -= 2 * Tile.Columns, y += 2 * Tile.Columns, panels += 2L * size * columns)
        {
            // A last panel without a neighbour is its own: equal chains, of which one is kept.
            var second = outputs > Tile.Columns ? (long)size * columns : 0;
            var to = outputs < 2 * Tile.Columns ? part : y;
            switch (type)
            {
                case ElementType.F32: Two<F32Numbers>(panels, second, columns, x, to, wide); break;
                case ElementType.BF16: Two<BF16Numbers>(panels, second, columns, x, to, wide); break;
                default: Two<F16Numbers>(panels, second, columns, x, to, wide); break;
            }
            if (to == part) new ReadOnlySpan<float>(part, outputs).CopyTo(new Span<float>(y, outputs));
        }
    }

    private static void Two<TNumbers>(byte* panels, long second, int columns, float* x, float* y, bool wide) where TNumbers : IFloatNumbers
    {
        if (wide)
        {
            Chains<TNumbers, Registers512, Vector512<int>, Vector512<float>>(panels, panels + second, columns, x, y, y + Tile.Columns);
            return;
        }
        for (var panel = 0; panel < 2; panel++, panels += second, y += Tile.Columns)
            Chains<TNumbers, Registers256, Vector256<int>, Vector256<float>>(panels, panels + 8 * TNumbers.Size, columns, x, y, y + 8);
    }

    private static void Chains<TNumbers, TRegisters, TInt, TFloat>(byte* a, byte* b, int columns, float* x, float* ya, float* yb)
        where TNumbers : IFloatNumbers where TRegisters : IRegisters<TInt, TFloat>
    {
        var (chainA, chainB) = (TRegisters.CreateSingle(0), TRegisters.CreateSingle(0));
        // Behind the end of these two panels come the next two: what lies right behind the first is the second, which is here already.
        var step = TNumbers.Size * Tile.Columns;
        var inside = Math.Max(0, columns - BlockKernels.Ahead / step);
        var (k, ahead) = (0, (long)BlockKernels.Ahead);
        for (var end = inside; ; end = columns, ahead += (long)columns * step)
        {
            for (; k < end; k++, a += step, b += step)
            {
                if (Sse.IsSupported && (TNumbers.Size == 4 || k % 2 == 0))
                {
                    Sse.Prefetch0(a + ahead);
                    if (TRegisters.Lanes == 16) Sse.Prefetch0(b + ahead);
                }
                var number = TRegisters.CreateSingle(x[k]);
                chainA = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(a), chainA);
                chainB = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(b), chainB);
            }
            if (k == columns) break;
        }
        TRegisters.StoreSingle(chainA, ya);
        TRegisters.StoreSingle(chainB, yb);
    }
}
