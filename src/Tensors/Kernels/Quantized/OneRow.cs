using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>One row of activations by panels of a quantized weight: decoding. The weights are read once, as fast as memory gives them.</summary>
internal static unsafe class OneRow
{
    /// <summary>How far ahead weights are asked for: further than the processor looks by itself, and over the ends of pages.</summary>
    public const int Ahead = 4096;

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
        var part = stackalloc float[PanelLayout.Lanes];
        for (; outputs > 0; outputs -= PanelLayout.Lanes, y += PanelLayout.Lanes, panels += (long)blocks * TBlock.Size)
        {
            var to = outputs < PanelLayout.Lanes ? part : y;
            if (wide)
            {
                Panel<TBlock, Registers512, Vector512<int>, Vector512<float>>(panels, 0, blocks, x, to, scratch);
            }
            else
            {
                Panel<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 0, blocks, x, to, scratch);
                Panel<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 8, blocks, x, to + 8, scratch);
            }
            if (to == part)
                for (var i = 0; i < outputs; i++) y[i] = part[i];
        }
    }

    private static void Panel<TBlock, TRegisters, TInt, TFloat>(byte* block, int lane, int blocks, RoundedRows x, float* y, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var integers = (short*)x.Integers;
        var scales = (float*)x.Scales;
        var sums = (int*)x.Sums;
        var blockSums = (float*)x.BlockSums;
        var chain = TRegisters.CreateSingle(0);
        for (; blocks > 0; blocks--)
        {
            if (Sse.IsSupported)
                for (var line = 0; line < TBlock.Size; line += 64) Sse.Prefetch1(block + line + Ahead);
            chain = TBlock.Step<TRegisters, TInt, TFloat>(block, lane, integers, scales, sums, blockSums, chain, scratch);
            block += TBlock.Size;
            integers += 32 * TBlock.Groups;
            scales += TBlock.Groups;
            sums += 2 * TBlock.Groups;
            blockSums += TBlock.Groups;
        }
        TRegisters.StoreSingle(chain, y);
    }
}
