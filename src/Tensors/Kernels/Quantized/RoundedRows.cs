using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Rows of activations as the law of quantized products rounds them: per block of 32 a scale and 16-bit integers.</summary>
/// <remarks>
/// Of a block, m is the largest |x|. Its scale is m / 32639, in single precision, and each integer is x / scale, divided in single precision
/// and rounded to the nearest integer, half to even: an integer and a level of any type, −128 at the least, together fit 16 bits. Below m = 2^−111
/// the scale would be subnormal: the block counts as zero. Where a number is infinite or not a number, the scale is not-a-number and so is
/// every output of the row.
/// </remarks>
/// <param name="Integers">(r, <paramref name="Stride"/>): rows stand a line further apart than they are long, or equal low address bits
/// would share cache sets.</param>
/// <param name="Scales">(r, blocks).</param>
/// <param name="Sums">(r, 2 · blocks): sums of the integers of each half block.</param>
/// <param name="BlockSums">(r, blocks): sums of the integers of a block, which single precision holds exactly.</param>
/// <param name="Crosses">(r, blocks, 3): of each four integers the first times the third and the second times the fourth, summed modulo 2^32 and with a minus,
/// over the first half of a block, over the second and over both: see <see cref="ManyRows"/>.</param>
/// <param name="Stride">Integers between rows.</param>
/// <param name="Blocks">Blocks of a row.</param>
internal readonly unsafe record struct RoundedRows(nint Integers, nint Scales, nint Sums, nint BlockSums, nint Crosses, int Stride, int Blocks)
{
    public const int Block = 32;
    public const int CrossesOfBlock = 3;
    public const int WholeCross = 2;
    private const float Largest = 32639;
    private const float Magic = 12582912f; // 1.5 · 2^23: adding it leaves the nearest integer, half to even, in the low bits
    private const int SmallestBits = (127 - 111) << 23; // 2^−111

    /// <summary>Bytes that <paramref name="rows"/> rows need.</summary>
    public static long Bytes(int rows, int columns) => rows * ((columns + Block) * sizeof(short) + columns / Block * 28L);

    /// <summary>Places for rows in memory of <see cref="Bytes"/> bytes.</summary>
    public static RoundedRows At(byte* memory, int rows, int columns)
    {
        var (stride, blocks) = (columns + Block, columns / Block);
        var scales = memory + (long)rows * stride * sizeof(short);
        var sums = scales + (long)rows * blocks * sizeof(float);
        var blockSums = sums + (long)rows * blocks * 2 * sizeof(int);
        return new((nint)memory, (nint)scales, (nint)sums, (nint)blockSums, (nint)(blockSums + (long)rows * blocks * sizeof(float)), stride, blocks);
    }

    public RoundedRows From(int row) => this with
    {
        Integers = Integers + (nint)((long)row * Stride * sizeof(short)),
        Scales = Scales + (nint)((long)row * Blocks * sizeof(float)),
        Sums = Sums + (nint)((long)row * Blocks * 2 * sizeof(int)),
        BlockSums = BlockSums + (nint)((long)row * Blocks * sizeof(float)),
        Crosses = Crosses + (nint)((long)row * Blocks * CrossesOfBlock * sizeof(int)),
    };

    /// <summary>Rounds one row.</summary>
    public void Round(int row, float* x)
    {
        var at = From(row);
        var integers = (short*)at.Integers;
        var sums = (int*)at.Sums;
        var crosses = (int*)at.Crosses;
        for (var block = 0; block < Blocks; block++, x += Block, integers += Block, sums += 2, crosses += CrossesOfBlock)
        {
            var (x0, x1, x2, x3) = (Vector256.Load(x), Vector256.Load(x + 8), Vector256.Load(x + 16), Vector256.Load(x + 24));
            // As integers, so that the largest does not depend on the order, and not-a-number is larger than all.
            var magnitude = Vector256.Create(0x7FFFFFFF);
            var largest = Vector256.Max(Vector256.Max(x0.AsInt32() & magnitude, x1.AsInt32() & magnitude), Vector256.Max(x2.AsInt32() & magnitude, x3.AsInt32() & magnitude));
            var half = Vector128.Max(largest.GetLower(), largest.GetUpper());
            half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
            var bits = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2))).ToScalar();
            if (bits < SmallestBits || bits >= 0x7F800000)
            {
                new Span<short>(integers, Block).Clear();
                (sums[0], sums[1]) = (0, 0);
                (crosses[0], crosses[1], crosses[WholeCross]) = (0, 0, 0);
                ((float*)at.BlockSums)[block] = 0;
                ((float*)at.Scales)[block] = bits < SmallestBits ? 0 : float.NaN;
                continue;
            }
            var scale = BitConverter.Int32BitsToSingle(bits) / Largest;
            var divisor = Vector256.Create(scale);
            var (i0, i1, i2, i3) = (Nearest(x0 / divisor), Nearest(x1 / divisor), Nearest(x2 / divisor), Nearest(x3 / divisor));
            var (first, second) = (Vector256.Narrow(i0, i1), Vector256.Narrow(i2, i3));
            first.Store(integers);
            second.Store(integers + 16);
            var four = HorizontalSums(i0 + i1, i2 + i3, Cross(first), Cross(second));
            (sums[0], sums[1], crosses[0], crosses[1]) = (four.GetElement(0), four.GetElement(1), -four.GetElement(2), -four.GetElement(3));
            crosses[WholeCross] = crosses[0] + crosses[1];
            ((float*)at.BlockSums)[block] = sums[0] + sums[1];
            ((float*)at.Scales)[block] = scale;
        }
    }

    private static Vector256<int> Cross(Vector256<short> half) =>
        Registers256.MultiplyAddPairs(half.AsInt32(), Vector256.ShiftRightLogical(half.AsInt64(), 32).AsInt32());

    private static Vector128<int> HorizontalSums(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        if (!Avx2.IsSupported) return Vector128.Create(Vector256.Sum(a), Vector256.Sum(b), Vector256.Sum(c), Vector256.Sum(d));
        var four = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return four.GetLower() + four.GetUpper();
    }

    private static Vector256<int> Nearest(Vector256<float> value) => (value + Vector256.Create(Magic)).AsInt32() - Vector256.Create(Magic).AsInt32();
}
