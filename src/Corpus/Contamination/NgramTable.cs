using System.Runtime.InteropServices;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>An n-gram of an item.</summary>
/// <param name="Key">Stands for its first words.</param>
/// <param name="Check">Stands for all its letters, and is computed from them in another way.</param>
/// <param name="Item">Number of the item.</param>
/// <param name="Words">Its words.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Ngram(ulong Key, ulong Check, int Item, ushort Words) : IComparable<Ngram>
{
    public int CompareTo(Ngram other) =>
        Key != other.Key ? Key.CompareTo(other.Key) : Check != other.Check ? Check.CompareTo(other.Check)
        : Words != other.Words ? Words.CompareTo(other.Words) : Item.CompareTo(other.Item);

    /// <summary>Whether both are the same words.</summary>
    public bool IsSame(in Ngram other) => Key == other.Key && Check == other.Check && Words == other.Words;
}

/// <summary>N-grams that can be looked up by their first words. Most texts have none of them: a filter of a few bits an n-gram says so at once.</summary>
/// <remarks>Memory: 24 bytes an n-gram, 2 to 4 for the filter and 2 to 4 for the directory.</remarks>
internal sealed class NgramTable
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;
    private const int LeastFilterBits = 16, FilterBitsPerNgram = 16;

    private readonly Ngram[] _rows;
    private readonly int[] _first;       // row of each value of a key's first bits
    private readonly ulong[] _filter;
    private readonly int _filterShift, _bucketShift;

    /// <param name="rows">Sorted.</param>
    /// <param name="words">How many words a key stands for.</param>
    public NgramTable(Ngram[] rows, int words)
    {
        (_rows, Words) = (rows, words);
        int filterBits = Math.Max(LeastFilterBits, Bits((long)rows.Length * FilterBitsPerNgram)), bucketBits = Math.Clamp(Bits(rows.Length) - 1, 1, 30);
        (_filterShift, _bucketShift) = (64 - filterBits, 64 - bucketBits);
        _filter = new ulong[1 << (filterBits - 6)];
        _first = new int[(1 << bucketBits) + 1];
        foreach (ref readonly Ngram row in rows.AsSpan())
        {
            ulong bit = Bit(row.Key);
            _filter[bit >> 6] |= 1UL << (int)(bit & 63);
            _first[(int)(row.Key >> _bucketShift) + 1]++;
        }
        for (int i = 1; i < _first.Length; i++) _first[i] += _first[i - 1];
    }

    /// <summary>How many words a key stands for.</summary>
    public int Words { get; }

    /// <summary>How many n-grams it has; the same one of two items counts twice.</summary>
    public int Count => _rows.Length;

    /// <summary>A row.</summary>
    public ref readonly Ngram this[int row] => ref _rows[row];

    /// <summary>False when no n-gram has the key.</summary>
    public bool MayHave(ulong key)
    {
        ulong bit = Bit(key);
        return (_filter[bit >> 6] >> (int)(bit & 63) & 1) != 0;
    }

    /// <summary>The rows among which those of a key are.</summary>
    public (int From, int To) Bucket(ulong key) => (_first[(int)(key >> _bucketShift)], _first[(int)(key >> _bucketShift) + 1]);

    /// <summary>The row behind the last of the same n-gram.</summary>
    public int GroupEnd(int first)
    {
        int end = first + 1;
        while (end < _rows.Length && _rows[end].IsSame(_rows[first])) end++;
        return end;
    }

    private ulong Bit(ulong key) => key * Multiplier >> _filterShift;

    private static int Bits(long count) => 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)Math.Max(1, count - 1));
}
