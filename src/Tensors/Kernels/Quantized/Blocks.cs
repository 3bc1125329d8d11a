using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>A block of a quantized type as <see cref="PanelLayout"/> lays it out: how one row meets it, and how it is widened for many.</summary>
/// <remarks>A lane given is the first of those that a register holds: a multiple of the registers' lanes.</remarks>
internal unsafe interface IBlock
{
    /// <summary>Bytes of a block of 32 outputs.</summary>
    static abstract int Size { get; }

    /// <summary>Blocks of 32 activations that it meets: 1 or 8.</summary>
    static abstract int Groups { get; }

    /// <summary>Scales for each 32 activations: 1 or 2.</summary>
    static abstract int ScalesPerGroup { get; }

    /// <summary>Whether groups have minima.</summary>
    static abstract bool HasMinima { get; }

    /// <summary>Two registers of outputs go on over their block: the steps of the law for each of its groups.</summary>
    /// <param name="lane">The first register's; the second holds the lanes behind.</param>
    /// <param name="scratch"><see cref="BlockKernels.ScratchNumbers"/> numbers.</param>
    static abstract void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>;

    /// <summary>Writes pairs of 16-bit integers (k / 2, 32), scales (groups, 32) and negative minima (groups, 32).</summary>
    static abstract void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>;
}

/// <summary>A row of rounded activations, from some block of 32 on: see <see cref="RoundedRows"/>.</summary>
internal readonly unsafe ref struct RoundedRow(short* integers, float* scales, int* sums, float* blockSums)
{
    public readonly short* Integers = integers;
    public readonly float* Scales = scales;
    public readonly int* Sums = sums;
    public readonly float* BlockSums = blockSums;

    public RoundedRow From(int block) => new(Integers + 32 * block, Scales + block, Sums + 2 * block, BlockSums + block);
}

/// <summary>What the blocks share.</summary>
internal static unsafe class BlockKernels
{
    /// <summary>Numbers of scratch memory for the scales of a block: (16, 32).</summary>
    public const int ScratchNumbers = 16 * PanelLayout.Lanes;

    /// <summary>How far ahead weights are asked for: over the ends of pages, where the processor does not look by itself.</summary>
    public const int Ahead = 2048;

    /// <summary>16-bit integers of the widened pairs of all lanes at one place.</summary>
    public const int PairShorts = 2 * PanelLayout.Lanes;

    private const int Vector = PanelLayout.Vector;

    /// <summary>Reads weights, and asks for those that come later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Stream<TRegisters, TInt, TFloat>(byte* source) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(source + Ahead);
        return TRegisters.Load(source);
    }

    /// <summary>The scales (f16) behind a block's integers, times that of the activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat StreamScale<TRegisters, TInt, TFloat>(byte* scales, int lane, TFloat xScale) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(scales + Ahead);
        return TRegisters.Multiply(TRegisters.LoadHalf((ushort*)scales + lane), xScale);
    }

    /// <summary>Σ nibble · x over 32 activations, for two registers of outputs.</summary>
    /// <remarks>Nibbles 1 and 2 stay where they are: their sums are 16 and 256 times too large, fit 32 bits all the same, and are put right once.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, a2, b0, b1, b2;
        a0 = a1 = a2 = b0 = b1 = b2 = TRegisters.Create(0);
        var pairs = (int*)x;
        Nibbles<TRegisters, TInt, TFloat>(a, b, pairs, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Nibbles<TRegisters, TInt, TFloat>(a + Vector, b + Vector, pairs + 4, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Nibbles<TRegisters, TInt, TFloat>(a + 2 * Vector, b + 2 * Vector, pairs + 8, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Nibbles<TRegisters, TInt, TFloat>(a + 3 * Vector, b + 3 * Vector, pairs + 12, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2);
    }

    /// <summary>Σ byte · x over 32 activations, for two registers of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bytes<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, b0, b1;
        a0 = a1 = b0 = b1 = TRegisters.Create(0);
        var pairs = (int*)x;
        Bytes<TRegisters, TInt, TFloat>(a, b, pairs, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + Vector, b + Vector, pairs + 2, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 2 * Vector, b + 2 * Vector, pairs + 4, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 3 * Vector, b + 3 * Vector, pairs + 6, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 4 * Vector, b + 4 * Vector, pairs + 8, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 5 * Vector, b + 5 * Vector, pairs + 10, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 6 * Vector, b + 6 * Vector, pairs + 12, ref a0, ref a1, ref b0, ref b1);
        Bytes<TRegisters, TInt, TFloat>(a + 7 * Vector, b + 7 * Vector, pairs + 14, ref a0, ref a1, ref b0, ref b1);
        sumA = TRegisters.Add(a0, a1);
        sumB = TRegisters.Add(b0, b1);
    }

    /// <summary>Σ six bits · x over 16 activations, for two registers of outputs.</summary>
    /// <param name="a">A vector of two bits, and the two vectors of nibbles that it completes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SixBits<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, a2, b0, b1, b2;
        a0 = a1 = a2 = b0 = b1 = b2 = TRegisters.Create(0);
        var pairs = (int*)x;
        var upperA = Stream<TRegisters, TInt, TFloat>(a);
        var upperB = Stream<TRegisters, TInt, TFloat>(b);
        SixBits<TRegisters, TInt, TFloat>(a + Vector, b + Vector, upperA, upperB, pairs, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        upperA = TRegisters.ShiftRightShort(upperA, 2);
        upperB = TRegisters.ShiftRightShort(upperB, 2);
        SixBits<TRegisters, TInt, TFloat>(a + 2 * Vector, b + 2 * Vector, upperA, upperB, pairs + 4, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2);
    }

    /// <summary>The four pairs of a vector of nibbles, less <paramref name="offset"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenNibbles<TRegisters, TInt, TFloat>(byte* vector, short* pairs, TInt offset) where TRegisters : IRegisters<TInt, TFloat>
    {
        var mask = TRegisters.Create(0x000F000F);
        var w = TRegisters.Load(vector);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(w, mask), offset), pairs);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(TRegisters.ShiftRightShort(w, 4), mask), offset), pairs + PairShorts);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(TRegisters.ShiftRightShort(w, 8), mask), offset), pairs + 2 * PairShorts);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.ShiftRightShort(w, 12), offset), pairs + 3 * PairShorts);
    }

    /// <summary>The two pairs of a vector of bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenBytes<TRegisters, TInt, TFloat>(byte* vector, short* pairs) where TRegisters : IRegisters<TInt, TFloat>
    {
        var w = TRegisters.Load(vector);
        TRegisters.Store(TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(w, 8), 8), pairs);
        TRegisters.Store(TRegisters.ShiftRightSignedShort(w, 8), pairs + PairShorts);
    }

    /// <summary>The four pairs of a vector of nibbles with their upper bits, less 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenSixBits<TRegisters, TInt, TFloat>(byte* low, TInt upper, short* pairs) where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0x00200020);
        var w = TRegisters.Load(low);
        TRegisters.Store(TRegisters.SubtractShort(Six0<TRegisters, TInt, TFloat>(w, upper), offset), pairs);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.ShiftRightShort(Six1<TRegisters, TInt, TFloat>(w, upper), 4), offset), pairs + PairShorts);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.ShiftRightShort(Six2<TRegisters, TInt, TFloat>(w, upper), 8), offset), pairs + 2 * PairShorts);
        TRegisters.Store(TRegisters.SubtractShort(Six3<TRegisters, TInt, TFloat>(w, upper), offset), pairs + 3 * PairShorts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Nibbles<TRegisters, TInt, TFloat>(byte* a, byte* b, int* pairs, ref TInt a0, ref TInt a1, ref TInt a2, ref TInt b0, ref TInt b1, ref TInt b2)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var (wa, wb) = (Stream<TRegisters, TInt, TFloat>(a), Stream<TRegisters, TInt, TFloat>(b));
        var (x, mask) = (TRegisters.Create(pairs[0]), TRegisters.Create(0x000F000F));
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        (x, mask) = (TRegisters.Create(pairs[1]), TRegisters.Create(0x00F000F0));
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        (x, mask) = (TRegisters.Create(pairs[2]), TRegisters.Create(0x0F000F00));
        a2 = TRegisters.Add(a2, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b2 = TRegisters.Add(b2, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        x = TRegisters.Create(pairs[3]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightShort(wa, 12), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightShort(wb, 12), x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Together<TRegisters, TInt, TFloat>(TInt sum, TInt sixteenfold, TInt manifold) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Add(sum, TRegisters.Add(TRegisters.ShiftRightSigned(sixteenfold, 4), TRegisters.ShiftRightSigned(manifold, 8)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Bytes<TRegisters, TInt, TFloat>(byte* a, byte* b, int* pairs, ref TInt a0, ref TInt a1, ref TInt b0, ref TInt b1) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (wa, wb) = (Stream<TRegisters, TInt, TFloat>(a), Stream<TRegisters, TInt, TFloat>(b));
        var x = TRegisters.Create(pairs[0]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(wa, 8), 8), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(wb, 8), 8), x));
        x = TRegisters.Create(pairs[1]);
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(wa, 8), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(wb, 8), x));
    }

    /// <summary>As for nibbles; the largest sum of the third, 4 · 16128 · 32767, just fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SixBits<TRegisters, TInt, TFloat>(byte* a, byte* b, TInt upperA, TInt upperB, int* pairs,
        ref TInt a0, ref TInt a1, ref TInt a2, ref TInt b0, ref TInt b1, ref TInt b2) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (wa, wb) = (Stream<TRegisters, TInt, TFloat>(a), Stream<TRegisters, TInt, TFloat>(b));
        var x = TRegisters.Create(pairs[0]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(Six0<TRegisters, TInt, TFloat>(wa, upperA), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(Six0<TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[1]);
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(Six1<TRegisters, TInt, TFloat>(wa, upperA), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(Six1<TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[2]);
        a2 = TRegisters.Add(a2, TRegisters.MultiplyAddPairs(Six2<TRegisters, TInt, TFloat>(wa, upperA), x));
        b2 = TRegisters.Add(b2, TRegisters.MultiplyAddPairs(Six2<TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[3]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(Six3<TRegisters, TInt, TFloat>(wa, upperA), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(Six3<TRegisters, TInt, TFloat>(wb, upperB), x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six0<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x000F000F)), TRegisters.And(high, TRegisters.Create(0x00300030)));

    /// <summary>16 times the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six1<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x00F000F0)), TRegisters.And(high, TRegisters.Create(0x03000300)));

    /// <summary>256 times the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six2<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x0F000F00)), TRegisters.And(high, TRegisters.Create(0x30003000)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six3<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.ShiftRightShort(low, 12), TRegisters.And(TRegisters.ShiftLeftShort(high, 4), TRegisters.Create(0x00300030)));

    /// <summary>The scales and the negative minima of the 8 groups of a q4_K block for a register's lanes, each at (8, 32).</summary>
    public static void GroupScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima) where TRegisters : IRegisters<TInt, TFloat>
    {
        if (Sse.IsSupported) Sse.Prefetch0(block + lane / 16 * (Vector / 2) + Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        var minimum = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)(block + PanelLayout.Scales) + lane), TRegisters.CreateSingle(-1));
        var words = block + PanelLayout.Q4KScales + 4 * lane;
        var first = Stream<TRegisters, TInt, TFloat>(words);
        var second = Stream<TRegisters, TInt, TFloat>(words + Vector);
        var third = Stream<TRegisters, TInt, TFloat>(words + 2 * Vector);
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
        if (Sse.IsSupported) Sse.Prefetch0(block + Ahead);
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        scales += lane;
        for (var v = 0; v < 4; v++)
        {
            var words = Stream<TRegisters, TInt, TFloat>(block + PanelLayout.Q6KScales + 4 * lane + v * Vector);
            for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes)
            {
                TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.ShiftRightSigned(TRegisters.ShiftLeft(words, 24), 24))), scales);
                words = TRegisters.ShiftRight(words, 8);
            }
        }
    }
}
