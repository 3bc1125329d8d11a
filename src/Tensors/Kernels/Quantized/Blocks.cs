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

    /// <summary>Whether there is a minimum with each scale.</summary>
    static abstract bool HasMinima { get; }

    /// <summary>Puts one row's block, as it lies in the file, into its lane.</summary>
    /// <returns>False: a scale is infinite or not a number.</returns>
    static abstract bool Set(byte* block, int lane, byte* stored);

    /// <summary>A group of 32 numbers of one row: exact products of scales and integers, rounded once where they do not fit.</summary>
    static abstract void Copy(byte* block, int lane, int group, float* target);

    /// <summary>Two registers of outputs go on over their block: the steps of the law for each of its groups.</summary>
    /// <param name="lane">The first register's; the second holds the lanes behind.</param>
    /// <param name="scratch"><see cref="BlockKernels.ScratchNumbers"/> numbers.</param>
    static abstract void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>;

    /// <summary>The level that stands for zero; 0 where there is none, or a minimum instead.</summary>
    static abstract int Offset { get; }

    /// <summary>Four pairs of 16-bit levels: a quarter of a group of 32 numbers, for one register of outputs. Quarters are asked for in order.</summary>
    /// <param name="bits">What a quarter leaves for those behind it.</param>
    static abstract void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>;

    /// <summary>Writes scales (groups · <see cref="ScalesPerGroup"/>, 32) and, where there are any, negative minima, for one register of outputs.</summary>
    static abstract void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>;
}

/// <summary>How many bits complete a nibble.</summary>
internal interface IUpperBits
{
    static abstract int Mask { get; }
}

internal readonly struct UpperOne : IUpperBits
{
    public static int Mask => 1;
}

internal readonly struct UpperTwo : IUpperBits
{
    public static int Mask => 3;
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
    /// <summary>Numbers of scratch memory for the scales and minima of a block: twice (16, 32).</summary>
    public const int ScratchNumbers = 32 * PanelLayout.Lanes;

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
        Extended<UpperTwo, TRegisters, TInt, TFloat>(a + Vector, b + Vector, upperA, upperB, pairs, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        upperA = TRegisters.ShiftRightShort(upperA, 2);
        upperB = TRegisters.ShiftRightShort(upperB, 2);
        Extended<UpperTwo, TRegisters, TInt, TFloat>(a + 2 * Vector, b + 2 * Vector, upperA, upperB, pairs + 4, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2);
    }

    /// <summary>Σ five bits · x over 32 activations, for two registers of outputs.</summary>
    /// <param name="a">A vector of fifth bits, and the four vectors of nibbles that it completes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FiveBits<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, a2, b0, b1, b2;
        a0 = a1 = a2 = b0 = b1 = b2 = TRegisters.Create(0);
        var pairs = (int*)x;
        var upperA = Stream<TRegisters, TInt, TFloat>(a);
        var upperB = Stream<TRegisters, TInt, TFloat>(b);
        Extended<UpperOne, TRegisters, TInt, TFloat>(a + Vector, b + Vector, upperA, upperB, pairs, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Extended<UpperOne, TRegisters, TInt, TFloat>(a + 2 * Vector, b + 2 * Vector, TRegisters.ShiftRightShort(upperA, 1), TRegisters.ShiftRightShort(upperB, 1),
            pairs + 4, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Extended<UpperOne, TRegisters, TInt, TFloat>(a + 3 * Vector, b + 3 * Vector, TRegisters.ShiftRightShort(upperA, 2), TRegisters.ShiftRightShort(upperB, 2),
            pairs + 8, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        Extended<UpperOne, TRegisters, TInt, TFloat>(a + 4 * Vector, b + 4 * Vector, TRegisters.ShiftRightShort(upperA, 3), TRegisters.ShiftRightShort(upperB, 3),
            pairs + 12, ref a0, ref a1, ref a2, ref b0, ref b1, ref b2);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2);
    }

    /// <summary>The four pairs of a vector of nibbles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NibblePairs<TRegisters, TInt, TFloat>(byte* vector, out TInt p0, out TInt p1, out TInt p2, out TInt p3) where TRegisters : IRegisters<TInt, TFloat>
    {
        var mask = TRegisters.Create(0x000F000F);
        var w = Stream<TRegisters, TInt, TFloat>(vector);
        p0 = TRegisters.And(w, mask);
        p1 = TRegisters.And(TRegisters.ShiftRightShort(w, 4), mask);
        p2 = TRegisters.And(TRegisters.ShiftRightShort(w, 8), mask);
        p3 = TRegisters.ShiftRightShort(w, 12);
    }

    /// <summary>The two pairs of a vector of bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BytePairs<TRegisters, TInt, TFloat>(byte* vector, out TInt p0, out TInt p1) where TRegisters : IRegisters<TInt, TFloat>
    {
        var w = Stream<TRegisters, TInt, TFloat>(vector);
        p0 = TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(w, 8), 8);
        p1 = TRegisters.ShiftRightSignedShort(w, 8);
    }

    /// <summary>The four pairs of a vector of nibbles with their upper bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExtendedPairs<TUpper, TRegisters, TInt, TFloat>(byte* low, TInt upper, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat>
    {
        var w = Stream<TRegisters, TInt, TFloat>(low);
        p0 = Extended0<TUpper, TRegisters, TInt, TFloat>(w, upper);
        p1 = TRegisters.ShiftRightShort(Extended1<TUpper, TRegisters, TInt, TFloat>(w, upper), 4);
        p2 = TRegisters.ShiftRightShort(Extended2<TUpper, TRegisters, TInt, TFloat>(w, upper), 8);
        p3 = Extended3<TUpper, TRegisters, TInt, TFloat>(w, upper);
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

    /// <summary>As for nibbles; the largest sums of the third, 4 · 16128 · 32639 with six bits and 8 · 7936 · 32639 with five, just fit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Extended<TUpper, TRegisters, TInt, TFloat>(byte* a, byte* b, TInt upperA, TInt upperB, int* pairs,
        ref TInt a0, ref TInt a1, ref TInt a2, ref TInt b0, ref TInt b1, ref TInt b2)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat>
    {
        var (wa, wb) = (Stream<TRegisters, TInt, TFloat>(a), Stream<TRegisters, TInt, TFloat>(b));
        var x = TRegisters.Create(pairs[0]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(Extended0<TUpper, TRegisters, TInt, TFloat>(wa, upperA), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(Extended0<TUpper, TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[1]);
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(Extended1<TUpper, TRegisters, TInt, TFloat>(wa, upperA), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(Extended1<TUpper, TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[2]);
        a2 = TRegisters.Add(a2, TRegisters.MultiplyAddPairs(Extended2<TUpper, TRegisters, TInt, TFloat>(wa, upperA), x));
        b2 = TRegisters.Add(b2, TRegisters.MultiplyAddPairs(Extended2<TUpper, TRegisters, TInt, TFloat>(wb, upperB), x));
        x = TRegisters.Create(pairs[3]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(Extended3<TUpper, TRegisters, TInt, TFloat>(wa, upperA), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(Extended3<TUpper, TRegisters, TInt, TFloat>(wb, upperB), x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Extended0<TUpper, TRegisters, TInt, TFloat>(TInt low, TInt high)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x000F000F)), TRegisters.And(high, TRegisters.Create(TUpper.Mask * (0x00010001 << 4))));

    /// <summary>16 times the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Extended1<TUpper, TRegisters, TInt, TFloat>(TInt low, TInt high)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x00F000F0)), TRegisters.And(high, TRegisters.Create(TUpper.Mask * (0x00010001 << 8))));

    /// <summary>256 times the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Extended2<TUpper, TRegisters, TInt, TFloat>(TInt low, TInt high)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x0F000F00)), TRegisters.And(high, TRegisters.Create(TUpper.Mask * (0x00010001 << 12))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Extended3<TUpper, TRegisters, TInt, TFloat>(TInt low, TInt high)
        where TUpper : IUpperBits where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.ShiftRightShort(low, 12), TRegisters.And(TRegisters.ShiftLeftShort(high, 4), TRegisters.Create(TUpper.Mask * (0x00010001 << 4))));
}
