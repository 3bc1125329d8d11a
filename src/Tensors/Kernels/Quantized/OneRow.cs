using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>One row of activations by panels of a quantized weight: decoding. The weights are read once, as fast as memory gives them.</summary>
internal static unsafe class OneRow
{
    /// <summary>y (16 · panels) = x · Wᵀ.</summary>
    /// <param name="panels">Panels that follow each other; the last may stand for fewer than 16 outputs.</param>
    /// <param name="outputs">Numbers in <paramref name="y"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, RoundedRows x, float* y, int outputs, bool wide)
    {
        switch (type)
        {
            case ElementType.Q8_0: Multiply<Q8Block>(panels, columns / 32, x, y, outputs, wide); break;
            case ElementType.Q4_0: Multiply<Q4Block>(panels, columns / 32, x, y, outputs, wide); break;
            case ElementType.Q4_K: Multiply<Q4KBlock>(panels, columns / 256, x, y, outputs, wide); break;
            default: Multiply<Q6KBlock>(panels, columns / 256, x, y, outputs, wide); break;
        }
    }

    private static void Multiply<TBlock>(byte* panels, int blocks, RoundedRows x, float* y, int outputs, bool wide) where TBlock : IBlock
    {
        var scratch = stackalloc float[BlockKernels.ScratchNumbers];
        var part = stackalloc float[2 * PanelLayout.Lanes];
        var panelBytes = (long)blocks * TBlock.Size;
        for (; outputs > 0; outputs -= 2 * PanelLayout.Lanes, y += 2 * PanelLayout.Lanes, panels += 2 * panelBytes)
        {
            // Two panels at a time share what is read of the row. A last one without a neighbour is its own: equal sums, of which one is kept.
            var second = outputs > PanelLayout.Lanes ? panels + panelBytes : panels;
            var to = outputs < 2 * PanelLayout.Lanes ? part : y;
            if (wide)
            {
                Chains<TBlock, Registers512, Vector512<int>, Vector512<float>>(panels, second, 0, blocks, x, to, to + PanelLayout.Lanes, scratch);
            }
            else
            {
                Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, panels, 8, blocks, x, to, to + 8, scratch);
                Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(second, second, 8, blocks, x, to + PanelLayout.Lanes, to + PanelLayout.Lanes + 8, scratch);
            }
            if (to == part) new ReadOnlySpan<float>(part, outputs).CopyTo(new Span<float>(y, outputs));
        }
    }

    private static void Chains<TBlock, TRegisters, TInt, TFloat>(byte* a, byte* b, int lane, int blocks, RoundedRows x, float* ya, float* yb, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var row = new RoundedRow((short*)x.Integers, (float*)x.Scales, (int*)x.Sums, (float*)x.BlockSums);
        var (chainA, chainB) = (TRegisters.CreateSingle(0), TRegisters.CreateSingle(0));
        for (; blocks > 0; blocks--, a += TBlock.Size, b += TBlock.Size)
        {
            TBlock.Step<TRegisters, TInt, TFloat>(a, b, lane, row, ref chainA, ref chainB, scratch);
            row = row.From(TBlock.Groups);
        }
        TRegisters.StoreSingle(chainA, ya);
        TRegisters.StoreSingle(chainB, yb);
    }
}
