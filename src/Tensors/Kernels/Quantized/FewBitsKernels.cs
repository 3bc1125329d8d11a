using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Products and widening of numbers of two and three bits, 16 of which share a vector.</summary>
internal static unsafe class FewBitsKernels
{
    /// <summary>Σ two bits · x over 16 activations, for two registers of outputs.</summary>
    /// <remarks>The pairs 1 to 3 of a byte stay where they are: their sums are 4, 16 and 64 times too large, and are put right once.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TwoBits<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt sumA, out TInt sumB) where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, a2, a3, b0, b1, b2, b3;
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = TRegisters.Create(0);
        var (wa, wb) = (BlockKernels.Stream<TRegisters, TInt, TFloat>(a), BlockKernels.Stream<TRegisters, TInt, TFloat>(b));
        var pairs = (int*)x;
        TwoBits<TRegisters, TInt, TFloat>(wa, wb, pairs, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
        TwoBits<TRegisters, TInt, TFloat>(TRegisters.ShiftRightShort(wa, 8), TRegisters.ShiftRightShort(wb, 8), pairs + 4,
            ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2, a3);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2, b3);
    }

    /// <summary>Σ three bits · x over 32 activations, for two registers of outputs: one sum for each 16.</summary>
    /// <param name="a">A vector of third bits, and the two vectors of two bits that it completes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThreeBits<TRegisters, TInt, TFloat>(byte* a, byte* b, short* x, out TInt firstA, out TInt firstB, out TInt secondA, out TInt secondB)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        const int vector = PanelLayout.Vector;
        var upperA = BlockKernels.Stream<TRegisters, TInt, TFloat>(a);
        var upperB = BlockKernels.Stream<TRegisters, TInt, TFloat>(b);
        var (wa, wb) = (BlockKernels.Stream<TRegisters, TInt, TFloat>(a + vector), BlockKernels.Stream<TRegisters, TInt, TFloat>(b + vector));
        ThreeBits<TRegisters, TInt, TFloat>(wa, wb, TRegisters.ShiftLeftShort(upperA, 2), TRegisters.ShiftLeftShort(upperB, 2),
            TRegisters.ShiftRightShort(upperA, 6), TRegisters.ShiftRightShort(upperB, 6), (int*)x, out firstA, out firstB);
        (wa, wb) = (BlockKernels.Stream<TRegisters, TInt, TFloat>(a + 2 * vector), BlockKernels.Stream<TRegisters, TInt, TFloat>(b + 2 * vector));
        ThreeBits<TRegisters, TInt, TFloat>(wa, wb, TRegisters.ShiftLeftShort(upperA, 1), TRegisters.ShiftLeftShort(upperB, 1),
            TRegisters.ShiftRightShort(upperA, 7), TRegisters.ShiftRightShort(upperB, 7), (int*)x + 8, out secondA, out secondB);
    }

    /// <summary>Four pairs of two bits, from the lowest bits of the halves on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TwoBitPairs<TRegisters, TInt, TFloat>(TInt low, out TInt p0, out TInt p1, out TInt p2, out TInt p3) where TRegisters : IRegisters<TInt, TFloat>
    {
        var mask = TRegisters.Create(0x00030003);
        p0 = TRegisters.And(low, mask);
        p1 = TRegisters.And(TRegisters.ShiftRightShort(low, 2), mask);
        p2 = TRegisters.And(TRegisters.ShiftRightShort(low, 4), mask);
        p3 = TRegisters.And(TRegisters.ShiftRightShort(low, 6), mask);
    }

    /// <summary>Four pairs of two bits with their third bits.</summary>
    /// <param name="low">A vector of two bits, of which quarters 0 and 2 take the lower byte of the halves, 1 and 3 the upper one.</param>
    /// <param name="upper">The group's vector of third bits.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThreeBitPairs<TRegisters, TInt, TFloat>(TInt low, TInt upper, int quarter, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        if (quarter % 2 == 1) (low, upper) = (TRegisters.ShiftRightShort(low, 8), TRegisters.ShiftRightShort(upper, 8));
        if (quarter > 1) upper = TRegisters.ShiftRightShort(upper, 1);
        upper = TRegisters.ShiftLeftShort(upper, 2);
        p0 = Three<TRegisters, TInt, TFloat>(low, upper, 0x00010001);
        p1 = TRegisters.ShiftRightShort(Three<TRegisters, TInt, TFloat>(low, upper, 0x00040004), 2);
        p2 = TRegisters.ShiftRightShort(Three<TRegisters, TInt, TFloat>(low, upper, 0x00100010), 4);
        p3 = TRegisters.ShiftRightShort(Three<TRegisters, TInt, TFloat>(low, upper, 0x00400040), 6);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoBits<TRegisters, TInt, TFloat>(TInt wa, TInt wb, int* pairs, ref TInt a0, ref TInt a1, ref TInt a2, ref TInt a3,
        ref TInt b0, ref TInt b1, ref TInt b2, ref TInt b3) where TRegisters : IRegisters<TInt, TFloat>
    {
        var (x, mask) = (TRegisters.Create(pairs[0]), TRegisters.Create(0x00030003));
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        (x, mask) = (TRegisters.Create(pairs[1]), TRegisters.Create(0x000C000C));
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        (x, mask) = (TRegisters.Create(pairs[2]), TRegisters.Create(0x00300030));
        a2 = TRegisters.Add(a2, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b2 = TRegisters.Add(b2, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
        (x, mask) = (TRegisters.Create(pairs[3]), TRegisters.Create(0x00C000C0));
        a3 = TRegisters.Add(a3, TRegisters.MultiplyAddPairs(TRegisters.And(wa, mask), x));
        b3 = TRegisters.Add(b3, TRegisters.MultiplyAddPairs(TRegisters.And(wb, mask), x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThreeBits<TRegisters, TInt, TFloat>(TInt wa, TInt wb, TInt lowA, TInt lowB, TInt highA, TInt highB, int* pairs, out TInt sumA, out TInt sumB)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        TInt a0, a1, a2, a3, b0, b1, b2, b3;
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = TRegisters.Create(0);
        ThreeBits<TRegisters, TInt, TFloat>(wa, wb, lowA, lowB, pairs, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
        ThreeBits<TRegisters, TInt, TFloat>(TRegisters.ShiftRightShort(wa, 8), TRegisters.ShiftRightShort(wb, 8), highA, highB, pairs + 4,
            ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
        sumA = Together<TRegisters, TInt, TFloat>(a0, a1, a2, a3);
        sumB = Together<TRegisters, TInt, TFloat>(b0, b1, b2, b3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThreeBits<TRegisters, TInt, TFloat>(TInt wa, TInt wb, TInt upperA, TInt upperB, int* pairs, ref TInt a0, ref TInt a1, ref TInt a2, ref TInt a3,
        ref TInt b0, ref TInt b1, ref TInt b2, ref TInt b3) where TRegisters : IRegisters<TInt, TFloat>
    {
        var x = TRegisters.Create(pairs[0]);
        a0 = TRegisters.Add(a0, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wa, upperA, 0x00010001), x));
        b0 = TRegisters.Add(b0, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wb, upperB, 0x00010001), x));
        x = TRegisters.Create(pairs[1]);
        a1 = TRegisters.Add(a1, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wa, upperA, 0x00040004), x));
        b1 = TRegisters.Add(b1, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wb, upperB, 0x00040004), x));
        x = TRegisters.Create(pairs[2]);
        a2 = TRegisters.Add(a2, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wa, upperA, 0x00100010), x));
        b2 = TRegisters.Add(b2, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wb, upperB, 0x00100010), x));
        x = TRegisters.Create(pairs[3]);
        a3 = TRegisters.Add(a3, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wa, upperA, 0x00400040), x));
        b3 = TRegisters.Add(b3, TRegisters.MultiplyAddPairs(Three<TRegisters, TInt, TFloat>(wb, upperB, 0x00400040), x));
    }

    /// <param name="one">The lowest of the three bits, in both halves.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Three<TRegisters, TInt, TFloat>(TInt low, TInt high, int one) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Or(TRegisters.And(low, TRegisters.Create(3 * one)), TRegisters.And(high, TRegisters.Create(4 * one)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Together<TRegisters, TInt, TFloat>(TInt sum, TInt fourfold, TInt sixteenfold, TInt manifold) where TRegisters : IRegisters<TInt, TFloat> =>
        TRegisters.Add(TRegisters.Add(sum, TRegisters.ShiftRightSigned(fourfold, 2)),
            TRegisters.Add(TRegisters.ShiftRightSigned(sixteenfold, 4), TRegisters.ShiftRightSigned(manifold, 6)));
}
