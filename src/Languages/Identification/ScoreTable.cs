using System.Numerics;
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

    /// <summary>Adds the rows of features to sums of <see cref="Width"/> columns.</summary>
    /// <remarks>In three passes over a batch: whether a feature has a row is a branch that no processor can foresee, and waiting for memory at each would
    /// cost most of the time. So all marks are asked for first, then the rows of those found, and then there is nothing left to guess.</remarks>
    [SkipLocalsInit]
    public void Add(ReadOnlySpan<ulong> features, int* sums)
    {
        uint* places = stackalloc uint[SafeAdditions];
        for (; features.Length > SafeAdditions; features = features[SafeAdditions..]) Sum(places, Find(features[..SafeAdditions], places), sums);
        Sum(places, Find(features, places), sums);
    }

    private int Find(ReadOnlySpan<ulong> features, uint* places)
    {
        var marks = _marks;
        uint buckets = _buckets;
        for (int i = 0; i < features.Length; i++)
        {
            uint bucket = Bucket(features[i], buckets);
            places[i] = bucket;
            if (Sse.IsSupported) Sse.Prefetch0(marks + (ulong)bucket * BucketRows);
        }

        int found = 0;
        for (int i = 0; i < features.Length; i++)
        {
            uint bucket = places[i];
            uint equal = Vector128.Equals(Vector128.Load(marks + (ulong)bucket * BucketRows), Vector128.Create(Mark(features[i]))).ExtractMostSignificantBits();
            uint place = bucket * BucketRows + (uint)BitOperations.TrailingZeroCount(equal | 0x80);
            places[found] = place;
            if (Sse.IsSupported) Sse.Prefetch0(_rows + (ulong)place * (uint)Stride);
            found += (int)((equal | (0 - equal)) >> 31); // one more, or none, without a branch
        }

        return found;
    }

    private void Sum(uint* places, int count, int* sums)
    {
        if (Width == 3 * Lanes && Avx2.IsSupported)
        {
            Vector256<short> first = default, second = default, third = default;
            for (int i = 0; i < count; i++)
            {
                var row = _rows + (ulong)places[i] * (uint)Stride;
                first += Avx2.ConvertToVector256Int16(row);
                second += Avx2.ConvertToVector256Int16(row + Lanes);
                third += Avx2.ConvertToVector256Int16(row + 2 * Lanes);
            }

            Widen(first, sums);
            Widen(second, sums + Lanes);
            Widen(third, sums + 2 * Lanes);
            return;
        }

        for (int column = 0; column < Width; column += Lanes)
        {
            Vector128<short> low = default, high = default;
            for (int i = 0; i < count; i++)
            {
                var (lower, upper) = Vector128.Widen(Vector128.Load(_rows + (ulong)places[i] * (uint)Stride + column));
                low += lower;
                high += upper;
            }

            Widen(Vector256.Create(low, high), sums + column);
        }
    }

    private static void Widen(Vector256<short> values, int* sums)
    {
        var (low, high) = Vector256.Widen(values);
        (Vector256.Load(sums) + low).Store(sums);
        (Vector256.Load(sums + 8) + high).Store(sums + 8);
    }
}
