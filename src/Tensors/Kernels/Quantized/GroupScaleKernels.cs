using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>The scales and minima of the groups of a large block, from the few bits that the file gives each of them.</summary>
internal static unsafe class GroupScaleKernels
{
    private const int Vector = PanelLayout.Vector;

    /// <summary>The scales and the negative minima of the 8 groups of a q4_K or q5_K block for a register's lanes, each at (8, 32).</summary>
    public static void GroupScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(block + lane / 16 * (Vector / 2) + BlockKernels.Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        var minimum = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)(block + PanelLayout.Scales) + lane), TRegisters.CreateSingle(-1));
        var words = block + PanelLayout.MinimumMultiples + 4 * lane;
        var first = BlockKernels.Stream<TRegisters, TInt, TFloat>(words);
        var second = BlockKernels.Stream<TRegisters, TInt, TFloat>(words + Vector);
        var third = BlockKernels.Stream<TRegisters, TInt, TFloat>(words + 2 * Vector);
        var (six, four, two) = (TRegisters.Create(63), TRegisters.Create(15), TRegisters.Create(48));
        for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes, minima += PanelLayout.Lanes)
        {
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.And(first, six))), scales + lane);
            TRegisters.StoreSingle(TRegisters.Multiply(minimum, TRegisters.ToSingle(TRegisters.And(second, six))), minima + lane);
            var upper = TRegisters.Or(TRegisters.And(third, four), TRegisters.And(TRegisters.ShiftRight(first, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(upper)), scales + 4 * PanelLayout.Lanes + lane);
            upper = TRegisters.Or(TRegisters.And(TRegisters.ShiftRight(third, 4), four), TRegisters.And(TRegisters.ShiftRight(second, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(minimum, TRegisters.ToSingle(upper)), minima + 4 * PanelLayout.Lanes + lane);
            (first, second, third) = (TRegisters.ShiftRight(first, 8), TRegisters.ShiftRight(second, 8), TRegisters.ShiftRight(third, 8));
        }
    }

    /// <summary>The scales of the 16 groups of a q6_K block for a register's lanes, at (16, 32).</summary>
    public static void SixBitScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(block + BlockKernels.Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        scales += lane;
        for (var v = 0; v < 4; v++)
        {
            var words = BlockKernels.Stream<TRegisters, TInt, TFloat>(block + PanelLayout.SymmetricMultiples + 4 * lane + v * Vector);
            for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes)
            {
                TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.ShiftRightSigned(TRegisters.ShiftLeft(words, 24), 24))), scales);
                words = TRegisters.ShiftRight(words, 8);
            }
        }
    }

    /// <summary>The scales of the 16 groups of a q3_K block for a register's lanes, at (16, 32).</summary>
    public static void OffsetScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(block + BlockKernels.Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        var words = block + PanelLayout.SymmetricMultiples + 4 * lane;
        var first = BlockKernels.Stream<TRegisters, TInt, TFloat>(words);
        var second = BlockKernels.Stream<TRegisters, TInt, TFloat>(words + Vector);
        var upper = BlockKernels.Stream<TRegisters, TInt, TFloat>(words + 2 * Vector);
        var (four, two, offset) = (TRegisters.Create(15), TRegisters.Create(48), TRegisters.Create(-32));
        scales += lane;
        for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes)
        {
            var (low, high) = (TRegisters.And(first, four), TRegisters.And(TRegisters.ShiftLeft(upper, 4), two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.Add(TRegisters.Or(low, high), offset))), scales);
            (low, high) = (TRegisters.And(second, four), TRegisters.And(TRegisters.ShiftLeft(upper, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.Add(TRegisters.Or(low, high), offset))), scales + 4 * PanelLayout.Lanes);
            (low, high) = (TRegisters.And(TRegisters.ShiftRight(first, 4), four), TRegisters.And(upper, two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.Add(TRegisters.Or(low, high), offset))), scales + 8 * PanelLayout.Lanes);
            (low, high) = (TRegisters.And(TRegisters.ShiftRight(second, 4), four), TRegisters.And(TRegisters.ShiftRight(upper, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.Add(TRegisters.Or(low, high), offset))), scales + 12 * PanelLayout.Lanes);
            (first, second, upper) = (TRegisters.ShiftRight(first, 8), TRegisters.ShiftRight(second, 8), TRegisters.ShiftRight(upper, 8));
        }
    }

    /// <summary>The scales and the negative minima of the 16 groups of a q2_K block for a register's lanes, each at (16, 32).</summary>
    public static void NibbleScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(block + lane / 16 * (Vector / 2) + BlockKernels.Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        var minimum = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)(block + PanelLayout.Scales) + lane), TRegisters.CreateSingle(-1));
        var four = TRegisters.Create(15);
        for (var v = 0; v < 4; v++)
        {
            var words = BlockKernels.Stream<TRegisters, TInt, TFloat>(block + PanelLayout.MinimumMultiples + 4 * lane + v * Vector);
            for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes, minima += PanelLayout.Lanes)
            {
                TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.And(words, four))), scales + lane);
                TRegisters.StoreSingle(TRegisters.Multiply(minimum, TRegisters.ToSingle(TRegisters.And(TRegisters.ShiftRight(words, 4), four))), minima + lane);
                words = TRegisters.ShiftRight(words, 8);
            }
        }
    }
}
