using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>The weights of one script's features: buckets of eight, each with a 16-bit mark and a row of one signed byte per label. A feature has one
/// bucket; what is not in it has no weight.</summary>
internal sealed unsafe class ScoreTable
{
    public const int BucketRows = 8;

    /// <summary>Columns of a row and of the sums are read in groups of this many.</summary>
    public const int Lanes = 16;

    /// <summary>So many rows of one byte can be summed in 16 bits.</summary>
    public const int SafeAdditions = short.MaxValue / sbyte.MaxValue;

    private readonly ushort* _marks;
    private readonly sbyte* _rows;
    private readonly uint _buckets;

    /// <param name="labels">Of the columns.</param>
    /// <param name="scales">What a unit of each column's weights is worth.</param>
    /// <param name="temperatures">Divisor of the logits by the base-two logarithm of the number of features.</param>
    /// <param name="stride">Bytes from one row to the next.</param>
    /// <param name="buckets">Number of buckets.</param>
    /// <param name="marks">Of all rows.</param>
    /// <param name="rows">With <see cref="Lanes"/> spare bytes after the last.</param>
    public ScoreTable(string[] labels, float[] scales, float[] temperatures, int stride, int buckets, ushort* marks, sbyte* rows)
    {
        (Labels, Scales, Temperatures, Stride, _buckets) = (labels, scales, temperatures, stride, (uint)buckets);
        _marks = marks;
        _rows = rows;
        Width = (labels.Length + Lanes - 1) / Lanes * Lanes;
    }

    public string[] Labels { get; }

    public float[] Scales { get; }

    public float[] Temperatures { get; }

    public int Stride { get; }

    /// <summary>Columns with those that fill the last group.</summary>
    public int Width { get; }

    public static uint Bucket(ulong feature, uint buckets) => (uint)Math.BigMul(feature, buckets, out _);

    /// <summary>The mark of a feature in its bucket; never 0, which marks an empty place.</summary>
    public static ushort Mark(ulong feature) => (ushort)((feature >> 16) | 1);

    /// <summary>Adds the rows of features to 16-bit sums, at most <see cref="SafeAdditions"/> of them between two emptyings.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<ulong> features, short* sums)
    {
        uint buckets = _buckets;
        var marks = _marks;
        bool wide = Width == 3 * Lanes;
        foreach (ulong feature in features)
        {
            uint bucket = Bucket(feature, buckets);
            uint found = Vector128.Equals(Vector128.Load(marks + (ulong)bucket * BucketRows), Vector128.Create(Mark(feature))).ExtractMostSignificantBits();
            if (found == 0) continue;
            var row = _rows + ((ulong)bucket * BucketRows + (uint)System.Numerics.BitOperations.TrailingZeroCount(found)) * (uint)Stride;
            if (wide && Avx2.IsSupported)
            {
                (Vector256.Load(sums) + Avx2.ConvertToVector256Int16(row)).Store(sums);
                (Vector256.Load(sums + 16) + Avx2.ConvertToVector256Int16(row + 16)).Store(sums + 16);
                (Vector256.Load(sums + 32) + Avx2.ConvertToVector256Int16(row + 32)).Store(sums + 32);
                continue;
            }

            for (int column = 0; column < Width; column += Lanes)
            {
                var (low, high) = Vector128.Widen(Vector128.Load(row + column));
                (Vector128.Load(sums + column) + low).Store(sums + column);
                (Vector128.Load(sums + column + 8) + high).Store(sums + column + 8);
            }
        }
    }
}
