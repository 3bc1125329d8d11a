using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>A block of a quantized type as <see cref="PanelLayout"/> lays it out: how one row meets it, and how it is widened for many.</summary>
/// <remarks>"lane" is the first of the outputs that the registers hold: 0, or 8 for the second half of a panel.</remarks>
internal unsafe interface IBlock
{
    /// <summary>Bytes of a block of 16 outputs.</summary>
    static abstract int Size { get; }

    /// <summary>Blocks of 32 activations that it meets: 1 or 8.</summary>
    static abstract int Groups { get; }

    /// <summary>Scales for each 32 activations: 1 or 2.</summary>
    static abstract int ScalesPerGroup { get; }

    /// <summary>Whether groups have minima.</summary>
    static abstract bool HasMinima { get; }

    /// <summary>y goes on over the block: the steps of the law for each of its groups.</summary>
    /// <param name="scratch"><see cref="BlockKernels.ScratchNumbers"/> numbers.</param>
    static abstract TFloat Step<TRegisters, TInt, TFloat>(byte* block, int lane, short* x, float* xScales, int* xSums, float* xBlockSums, TFloat y, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>;

    /// <summary>Writes pairs of 16-bit integers (k / 2, 16), scales (groups, 16) and negative minima (groups, 16).</summary>
    static abstract void Widen<TRegisters, TInt, TFloat>(byte* block, int lane, short* pairs, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>;
}

/// <summary>What the blocks share.</summary>
internal static unsafe class BlockKernels
{
    /// <summary>Numbers of scratch memory for the scales of a block.</summary>
    public const int ScratchNumbers = 16 * PanelLayout.Lanes;

    private const int Vector = PanelLayout.Vector;

    /// <summary>Σ nibble · x over 32 activations, from <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Nibbles<TRegisters, TInt, TFloat>(byte* group, short* x, TInt start) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (first, second) = (start, TRegisters.Create(0));
        var pairs = (int*)x;
        Nibbles<TRegisters, TInt, TFloat>(TRegisters.Load(group), pairs, ref first, ref second);
        Nibbles<TRegisters, TInt, TFloat>(TRegisters.Load(group + Vector), pairs + 4, ref first, ref second);
        Nibbles<TRegisters, TInt, TFloat>(TRegisters.Load(group + 2 * Vector), pairs + 8, ref first, ref second);
        Nibbles<TRegisters, TInt, TFloat>(TRegisters.Load(group + 3 * Vector), pairs + 12, ref first, ref second);
        return TRegisters.Add(first, second);
    }

    /// <summary>Σ byte · x over 32 activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Bytes<TRegisters, TInt, TFloat>(byte* group, short* x) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (first, second) = (TRegisters.Create(0), TRegisters.Create(0));
        var pairs = (int*)x;
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group), pairs, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + Vector), pairs + 2, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 2 * Vector), pairs + 4, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 3 * Vector), pairs + 6, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 4 * Vector), pairs + 8, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 5 * Vector), pairs + 10, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 6 * Vector), pairs + 12, ref first, ref second);
        Bytes<TRegisters, TInt, TFloat>(TRegisters.Load(group + 7 * Vector), pairs + 14, ref first, ref second);
        return TRegisters.Add(first, second);
    }

    /// <summary>Σ six bits · x over 16 activations, from <paramref name="start"/>.</summary>
    /// <param name="low">Two vectors of nibbles.</param>
    /// <param name="high">The vector of two bits that completes them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt SixBits<TRegisters, TInt, TFloat>(byte* low, byte* high, short* x, TInt start) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (first, second) = (start, TRegisters.Create(0));
        var pairs = (int*)x;
        var (a, b, upper) = (TRegisters.Load(low), TRegisters.Load(low + Vector), TRegisters.Load(high));
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(Six0<TRegisters, TInt, TFloat>(a, upper), TRegisters.Create(pairs[0])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(Six1<TRegisters, TInt, TFloat>(a, upper), TRegisters.Create(pairs[1])));
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(Six2<TRegisters, TInt, TFloat>(a, upper), TRegisters.Create(pairs[2])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(Six3<TRegisters, TInt, TFloat>(a, upper), TRegisters.Create(pairs[3])));
        upper = TRegisters.ShiftRightShort(upper, 8);
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(Six0<TRegisters, TInt, TFloat>(b, upper), TRegisters.Create(pairs[4])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(Six1<TRegisters, TInt, TFloat>(b, upper), TRegisters.Create(pairs[5])));
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(Six2<TRegisters, TInt, TFloat>(b, upper), TRegisters.Create(pairs[6])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(Six3<TRegisters, TInt, TFloat>(b, upper), TRegisters.Create(pairs[7])));
        return TRegisters.Add(first, second);
    }

    /// <summary>The four pairs of a vector of nibbles, less <paramref name="offset"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenNibbles<TRegisters, TInt, TFloat>(byte* vector, short* pairs, TInt offset) where TRegisters : IRegisters<TInt, TFloat>
    {
        var mask = TRegisters.Create(0x000F000F);
        var w = TRegisters.Load(vector);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(w, mask), offset), pairs);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(TRegisters.ShiftRightShort(w, 4), mask), offset), pairs + 32);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.And(TRegisters.ShiftRightShort(w, 8), mask), offset), pairs + 64);
        TRegisters.Store(TRegisters.SubtractShort(TRegisters.ShiftRightShort(w, 12), offset), pairs + 96);
    }

    /// <summary>The two pairs of a vector of bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenBytes<TRegisters, TInt, TFloat>(byte* vector, short* pairs) where TRegisters : IRegisters<TInt, TFloat>
    {
        var w = TRegisters.Load(vector);
        TRegisters.Store(TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(w, 8), 8), pairs);
        TRegisters.Store(TRegisters.ShiftRightSignedShort(w, 8), pairs + 32);
    }

    /// <summary>The four pairs of a vector of nibbles and the low byte of its two bits, less 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenSixBits<TRegisters, TInt, TFloat>(byte* low, TInt upper, short* pairs) where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(0x00200020);
        var w = TRegisters.Load(low);
        TRegisters.Store(TRegisters.SubtractShort(Six0<TRegisters, TInt, TFloat>(w, upper), offset), pairs);
        TRegisters.Store(TRegisters.SubtractShort(Six1<TRegisters, TInt, TFloat>(w, upper), offset), pairs + 32);
        TRegisters.Store(TRegisters.SubtractShort(Six2<TRegisters, TInt, TFloat>(w, upper), offset), pairs + 64);
        TRegisters.Store(TRegisters.SubtractShort(Six3<TRegisters, TInt, TFloat>(w, upper), offset), pairs + 96);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Nibbles<TRegisters, TInt, TFloat>(TInt w, int* pairs, ref TInt first, ref TInt second) where TRegisters : IRegisters<TInt, TFloat>
    {
        var mask = TRegisters.Create(0x000F000F);
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(TRegisters.And(w, mask), TRegisters.Create(pairs[0])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(TRegisters.And(TRegisters.ShiftRightShort(w, 4), mask), TRegisters.Create(pairs[1])));
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(TRegisters.And(TRegisters.ShiftRightShort(w, 8), mask), TRegisters.Create(pairs[2])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightShort(w, 12), TRegisters.Create(pairs[3])));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Bytes<TRegisters, TInt, TFloat>(TInt w, int* pairs, ref TInt first, ref TInt second) where TRegisters : IRegisters<TInt, TFloat>
    {
        first = TRegisters.Add(first, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(TRegisters.ShiftLeftShort(w, 8), 8), TRegisters.Create(pairs[0])));
        second = TRegisters.Add(second, TRegisters.MultiplyAddPairs(TRegisters.ShiftRightSignedShort(w, 8), TRegisters.Create(pairs[1])));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six0<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(0x000F000F)), TRegisters.And(TRegisters.ShiftLeftShort(high, 4), TRegisters.Create(0x00300030)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six1<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(TRegisters.ShiftRightShort(low, 4), TRegisters.Create(0x000F000F)), TRegisters.And(TRegisters.ShiftLeftShort(high, 2), TRegisters.Create(0x00300030)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six2<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(TRegisters.ShiftRightShort(low, 8), TRegisters.Create(0x000F000F)), TRegisters.And(high, TRegisters.Create(0x00300030)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Six3<TRegisters, TInt, TFloat>(TInt low, TInt high) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.ShiftRightShort(low, 12), TRegisters.And(TRegisters.ShiftRightShort(high, 2), TRegisters.Create(0x00300030)));

    /// <summary>The scales and the negative minima of the 8 groups of a q4_K block, (8, 16) each.</summary>
    public static void GroupScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima) where TRegisters : IRegisters<TInt, TFloat>
    {
        var scale = TRegisters.LoadHalf((ushort*)block + lane);
        var minimum = TRegisters.Multiply(TRegisters.LoadHalf((ushort*)block + PanelLayout.Lanes + lane), TRegisters.CreateSingle(-1));
        var words = block + Vector + 4 * lane;
        var (first, second, third) = (TRegisters.Load(words), TRegisters.Load(words + Vector), TRegisters.Load(words + 2 * Vector));
        var (six, four, two) = (TRegisters.Create(63), TRegisters.Create(15), TRegisters.Create(48));
        for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes, minima += PanelLayout.Lanes)
        {
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.And(first, six))), scales);
            TRegisters.StoreSingle(TRegisters.Multiply(minimum, TRegisters.ToSingle(TRegisters.And(second, six))), minima);
            var upper = TRegisters.Or(TRegisters.And(third, four), TRegisters.And(TRegisters.ShiftRight(first, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(upper)), scales + 4 * PanelLayout.Lanes);
            upper = TRegisters.Or(TRegisters.And(TRegisters.ShiftRight(third, 4), four), TRegisters.And(TRegisters.ShiftRight(second, 2), two));
            TRegisters.StoreSingle(TRegisters.Multiply(minimum, TRegisters.ToSingle(upper)), minima + 4 * PanelLayout.Lanes);
            (first, second, third) = (TRegisters.ShiftRight(first, 8), TRegisters.ShiftRight(second, 8), TRegisters.ShiftRight(third, 8));
        }
    }

    /// <summary>The scales of the 16 groups of a q6_K block, (16, 16).</summary>
    public static void SixBitScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales) where TRegisters : IRegisters<TInt, TFloat>
    {
        var scale = TRegisters.LoadHalf((ushort*)(block + PanelLayout.Q6KScales + 4 * Vector) + lane);
        for (var v = 0; v < 4; v++)
        {
            var words = TRegisters.Load(block + PanelLayout.Q6KScales + v * Vector + 4 * lane);
            for (var g = 0; g < 4; g++, scales += PanelLayout.Lanes)
            {
                TRegisters.StoreSingle(TRegisters.Multiply(scale, TRegisters.ToSingle(TRegisters.ShiftRightSigned(TRegisters.ShiftLeft(words, 24), 24))), scales);
                words = TRegisters.ShiftRight(words, 8);
            }
        }
    }
}
