namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Something to be done for the blocks of one type.</summary>
internal interface IBlockWork
{
    void Run<TBlock>() where TBlock : struct, IBlock;
}

/// <summary>The one list of quantized types that the engine knows.</summary>
internal static class BlockTypes
{
    public static void Run<TWork>(ElementType type, ref TWork work) where TWork : struct, IBlockWork
    {
        switch (type)
        {
            case ElementType.Q8_0: work.Run<BytesBlock>(); break;
            case ElementType.Q4_0: work.Run<SmallBlock<FourBits, Below8>>(); break;
            case ElementType.Q4_1: work.Run<SmallBlock<FourBits, WithMinimum>>(); break;
            case ElementType.Q5_0: work.Run<SmallBlock<FiveBits, Below16>>(); break;
            case ElementType.Q5_1: work.Run<SmallBlock<FiveBits, WithMinimum>>(); break;
            case ElementType.Q4_K: work.Run<MinimumBlock<FourBits>>(); break;
            case ElementType.Q5_K: work.Run<MinimumBlock<FiveBits>>(); break;
            case ElementType.Q6_K: work.Run<SixBitsBlock>(); break;
            case ElementType.Q3_K: work.Run<ThreeBitsBlock>(); break;
            case ElementType.Q2_K: work.Run<TwoBitsBlock>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "not a quantized type");
        }
    }
}
