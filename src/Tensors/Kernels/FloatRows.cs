using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Rows of plain numbers as a file has them, into panels in which the rows lie side by side.</summary>
internal static unsafe class FloatRows
{
    private const int Block = 8;

    /// <summary>Numbers of a row that are interleaved at a time: what they become stays in the first-level cache until all rows are there.</summary>
    private const int Stretch = 256;

    public static bool AreFinite(float* row, int count)
    {
        var most = Vector256<int>.Zero;
        var k = 0;
        for (; k <= count - Vector256<int>.Count; k += Vector256<int>.Count) most = Vector256.Max(most, Vector256.Load((int*)row + k) & Vector256.Create(0x7F800000));
        var finite = !Vector256.EqualsAny(most, Vector256.Create(0x7F800000));
        for (; k < count; k++) finite &= float.IsFinite(row[k]);
        return finite;
    }

    /// <param name="row">Numbers of 16 bits.</param>
    /// <param name="exponent">The bits that are all set where a number is infinite or none.</param>
    public static bool AreFinite(ushort* row, int count, ushort exponent)
    {
        var most = Vector256<ushort>.Zero;
        var k = 0;
        for (; k <= count - Vector256<ushort>.Count; k += Vector256<ushort>.Count) most = Vector256.Max(most, Vector256.Load(row + k) & Vector256.Create(exponent));
        var finite = !Vector256.EqualsAny(most, Vector256.Create(exponent));
        for (; k < count; k++) finite &= (row[k] & exponent) != exponent;
        return finite;
    }

    /// <summary>Number k of row r goes to place k · <paramref name="step"/> + r.</summary>
    public static void Interleave<T>(T* rows, int count, int columns, T* to, long step) where T : unmanaged
    {
        for (var first = 0; first < columns; first += Stretch)
        {
            var end = Math.Min(columns, first + Stretch);
            for (var r = 0; r < count; r++)
            {
                var k = first;
                if (sizeof(T) == sizeof(ushort) && Sse2.IsSupported && count - r >= Block)
                {
                    for (; k <= end - Block; k += Block) Turn((ushort*)(rows + (long)r * columns + k), columns, (ushort*)(to + k * step + r), step);
                    for (; k < end; k++)
                        for (var i = r; i < r + Block; i++) to[k * step + i] = rows[(long)i * columns + k];
                    r += Block - 1;
                    continue;
                }
                for (; k < end; k++) to[k * step + r] = rows[(long)r * columns + k];
            }
        }
    }

    /// <summary>Eight numbers of eight rows.</summary>
    private static void Turn(ushort* from, long columns, ushort* to, long step)
    {
        var (r0, r1, r2, r3) = (Vector128.Load(from), Vector128.Load(from + columns), Vector128.Load(from + 2 * columns), Vector128.Load(from + 3 * columns));
        from += 4 * columns;
        var (r4, r5, r6, r7) = (Vector128.Load(from), Vector128.Load(from + columns), Vector128.Load(from + 2 * columns), Vector128.Load(from + 3 * columns));
        Four(r0, r1, r2, r3, out var a0, out var a1, out var a2, out var a3);
        Four(r4, r5, r6, r7, out var b0, out var b1, out var b2, out var b3);
        Store(a0, b0, to, step);
        Store(a1, b1, to + 2 * step, step);
        Store(a2, b2, to + 4 * step, step);
        Store(a3, b3, to + 6 * step, step);
    }

    /// <summary>Four rows: two of eight numbers of each in a register, as 64 bits.</summary>
    private static void Four(Vector128<ushort> r0, Vector128<ushort> r1, Vector128<ushort> r2, Vector128<ushort> r3,
        out Vector128<ulong> first, out Vector128<ulong> second, out Vector128<ulong> third, out Vector128<ulong> fourth)
    {
        var (low, high) = (Sse2.UnpackLow(r0, r1).AsUInt32(), Sse2.UnpackHigh(r0, r1).AsUInt32());
        var (lowNext, highNext) = (Sse2.UnpackLow(r2, r3).AsUInt32(), Sse2.UnpackHigh(r2, r3).AsUInt32());
        first = Sse2.UnpackLow(low, lowNext).AsUInt64();
        second = Sse2.UnpackHigh(low, lowNext).AsUInt64();
        third = Sse2.UnpackLow(high, highNext).AsUInt64();
        fourth = Sse2.UnpackHigh(high, highNext).AsUInt64();
    }

    private static void Store(Vector128<ulong> a, Vector128<ulong> b, ushort* to, long step)
    {
        Sse2.UnpackLow(a, b).AsUInt16().Store(to);
        Sse2.UnpackHigh(a, b).AsUInt16().Store(to + step);
    }
}
