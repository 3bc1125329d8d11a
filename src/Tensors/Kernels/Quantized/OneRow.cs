using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>One row of activations by panels of a quantized weight: decoding. The weights are read once, as fast as memory gives them.</summary>
internal static unsafe class OneRow
{
    /// <summary>y (32 · panels) = x · Wᵀ.</summary>
    /// <param name="panels">Panels that follow each other; the last may stand for fewer than 32 outputs.</param>
    /// <param name="outputs">Numbers in <paramref name="y"/>.</param>
    public static void Multiply(ElementType type, byte* panels, int columns, RoundedRows x, float* y, int outputs, bool wide)
    {
        var work = new Work((nint)panels, columns, x, (nint)y, outputs, wide);
        BlockTypes.Run(type, ref work);
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
                Chains<TBlock, Registers512, Vector512<int>, Vector512<float>>(panels, 0, blocks, x, to, scratch);
            }
            else
            {
                Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 0, blocks, x, to, scratch);
                Chains<TBlock, Registers256, Vector256<int>, Vector256<float>>(panels, 16, blocks, x, to + 16, scratch);
            }
            if (to == part) new ReadOnlySpan<float>(part, outputs).CopyTo(new Span<float>(y, outputs));
        }
    }

    /// <summary>Two registers of outputs over all of a row: they share what is read of it.</summary>
    public static void Chains<TBlock, TRegisters, TInt, TFloat>(byte* block, int lane, int blocks, RoundedRows x, float* y, float* scratch)
        where TBlock : IBlock where TRegisters : IRegisters<TInt, TFloat>
    {
        var row = new RoundedRow((short*)x.Integers, (float*)x.Scales, (int*)x.Sums, (float*)x.BlockSums);
        var (chainA, chainB) = (TRegisters.CreateSingle(0), TRegisters.CreateSingle(0));
        for (; blocks > 0; blocks--, block += TBlock.Size)
        {
            TBlock.Step<TRegisters, TInt, TFloat>(block, lane, row, ref chainA, ref chainB, scratch);
            row = row.From(TBlock.Groups);
        }
        TRegisters.StoreSingle(chainA, y);
        TRegisters.StoreSingle(chainB, y + TRegisters.Lanes);
    }

    private readonly struct Work(nint panels, int columns, RoundedRows x, nint y, int outputs, bool wide) : IBlockWork
    {
        public void Run<TBlock>() where TBlock : struct, IBlock => Multiply<TBlock>((byte*)panels, columns / (32 * TBlock.Groups), x, (float*)y, outputs, wide);
    }
}
