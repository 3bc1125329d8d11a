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
    /// <param name="scaled">For f16: the row as <see cref="HalfFloat.Scale"/> made it, or null where it could not.</param>
    /// <param name="outputs">Numbers in <paramref name="y"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, float* x, float* scaled, float* y, int outputs, bool wide)
    {
        var panel = (long)ElementTypes.BlockBytes(type) * Tile.Columns * columns;
        var part = stackalloc float[2 * Tile.Columns];
        for (; outputs > 0; outputs -= 2 * Tile.Columns, y += 2 * Tile.Columns, panels += 2 * panel)
        {
            // A last panel without a neighbour is its own: equal chains, of which one is kept. What lies behind the last is not asked for.
            var second = outputs > Tile.Columns ? panel : 0;
            var next = outputs > 2 * Tile.Columns ? 2 * panel : 0;
            var to = outputs < 2 * Tile.Columns ? part : y;
            switch (type)
            {
                case ElementType.F32: Two<F32Numbers>(panels, second, next, columns, x, to, wide); break;
                case ElementType.BF16: Two<BF16Numbers>(panels, second, next, columns, x, to, wide); break;
                case ElementType.F16 when scaled != null: Two<UnscaledF16Numbers>(panels, second, next, columns, scaled, to, wide); break;
                default: Two<F16Numbers>(panels, second, next, columns, x, to, wide); break;
            }
            if (to == part) new ReadOnlySpan<float>(part, outputs).CopyTo(new Span<float>(y, outputs));
        }
    }

    private static void Two<TNumbers>(byte* panels, long second, long next, int columns, float* x, float* y, bool wide) where TNumbers : IFloatNumbers
    {
        if (wide)
        {
            Chains<TNumbers, Registers512, Vector512<int>, Vector512<float>>(panels, panels + second, panels + next, columns, x, y, y + Tile.Columns);
            return;
        }
        for (var panel = 0; panel < 2; panel++, panels += second, y += Tile.Columns)
            Chains<TNumbers, Registers256, Vector256<int>, Vector256<float>>(panels, panels + 8 * TNumbers.Size, panels, columns, x, y, y + 8);
    }

    private static void Chains<TNumbers, TRegisters, TInt, TFloat>(byte* a, byte* b, byte* next, int columns, float* x, float* ya, float* yb)
        where TNumbers : IFloatNumbers where TRegisters : IRegisters<TInt, TFloat>
    {
        const int line = 64;
        var (chainA, chainB) = (TRegisters.CreateSingle(0), TRegisters.CreateSingle(0));
        var step = TNumbers.Size * Tile.Columns;
        // Numbers that take work to widen leave less time between loads: the next two panels are brought near while these are multiplied.
        var early = TNumbers.Size < sizeof(float) && TRegisters.Lanes == 16;
        var near = early ? BlockKernels.Ahead / 2 : BlockKernels.Ahead;
        // Behind the end of these two panels come the next two: what lies right behind the first is the second, which is here already.
        var inside = Math.Max(0, columns - near / step) & ~1;
        var (k, ahead) = (0, (long)near);
        for (var end = inside; ; end = columns, ahead += (long)columns * step)
        {
            for (; k <= end - 2; k += 2, a += 2 * step, b += 2 * step, next += 4 * step)
            {
                for (var at = 0; at < 2 * step && Sse.IsSupported; at += line)
                {
                    Sse.Prefetch0(a + ahead + at);
                    if (TRegisters.Lanes == 16) Sse.Prefetch0(b + ahead + at);
                    if (!early) continue;
                    Sse.Prefetch1(next + 2 * at);
                    Sse.Prefetch1(next + 2 * at + line);
                }
                var number = TRegisters.CreateSingle(x[k]);
                chainA = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(a), chainA);
                chainB = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(b), chainB);
                number = TRegisters.CreateSingle(x[k + 1]);
                chainA = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(a + step), chainA);
                chainB = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(b + step), chainB);
            }
            if (end == columns) break;
        }
        if (k < columns)
        {
            var number = TRegisters.CreateSingle(x[k]);
            chainA = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(a), chainA);
            chainB = TRegisters.MultiplyAdd(number, TNumbers.Load<TRegisters, TInt, TFloat>(b), chainB);
        }
        TRegisters.StoreSingle(chainA, ya);
        TRegisters.StoreSingle(chainB, yb);
    }
}
