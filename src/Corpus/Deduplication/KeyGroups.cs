namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>A part of comparing all rows of a table with one another: some of the keys that a row has, and of them a range of their values. What is equal is
/// equal within one part.</summary>
/// <param name="FirstKind">The first of the keys of a row.</param>
/// <param name="Kinds">How many of them.</param>
/// <param name="Range">Which range of values, from 0.</param>
/// <param name="Ranges">Into how many ranges values are divided.</param>
internal readonly record struct KeyPart(int FirstKind, int Kinds, int Range, int Ranges)
{
    /// <summary>Memory of a part for keys and row numbers, about.</summary>
    private const long Memory = 64L << 20;

    /// <summary>Divides the work so that each part's keys fit into memory. It depends on nothing but the table.</summary>
    /// <param name="rows">Rows of the table.</param>
    /// <param name="keyBytes">Length of a key.</param>
    /// <param name="kinds">How many keys a row has: kind 0 is compared with kind 0 only, and so on.</param>
    /// <param name="memory">Bytes of a part.</param>
    public static IReadOnlyList<KeyPart> Of(long rows, int keyBytes, int kinds, long memory = Memory)
    {
        long bytesPerKind = Math.Max(1, rows) * (keyBytes + sizeof(int));
        int ranges = (int)Math.Min(1 << 16, (bytesPerKind + memory - 1) / memory);
        int kindsAtOnce = ranges > 1 ? 1 : (int)Math.Clamp(memory / bytesPerKind, 1, kinds);
        var parts = new List<KeyPart>();
        for (int kind = 0; kind < kinds; kind += kindsAtOnce)
            for (int range = 0; range < ranges; range++)
                parts.Add(new KeyPart(kind, Math.Min(kindsAtOnce, kinds - kind), range, ranges));
        return parts;
    }

    /// <summary>Whether a key belongs to the part.</summary>
    /// <param name="highest">The 32 highest bits of the key, whose values must be spread evenly.</param>
    public bool Has(uint highest) => (int)(((ulong)highest * (uint)Ranges) >> 32) == Range;
}

/// <summary>Finds rows that have a key in common.</summary>
internal static class KeyGroups
{
    /// <summary>Finds the groups of a part.</summary>
    /// <typeparam name="TKey">Type of the keys.</typeparam>
    /// <param name="table">The measures.</param>
    /// <param name="part">Which keys.</param>
    /// <param name="keyOf">The key of a row, of a kind.</param>
    /// <param name="highest">The 32 highest bits of a key.</param>
    /// <param name="found">Is given the rows of each group of at least two, in ascending order.</param>
    /// <param name="cancellation">Stops it.</param>
    public static void Find<TKey>(MeasureTable table, KeyPart part, KeyOf<TKey> keyOf, Func<TKey, uint> highest, GroupAction found, CancellationToken cancellation)
        where TKey : unmanaged, IComparable<TKey>
    {
        var lists = new KeyList<TKey>[part.Kinds];
        for (int i = 0; i < lists.Length; i++) lists[i] = new KeyList<TKey>();
        table.ForEach((row, measure) =>
        {
            for (int i = 0; i < lists.Length; i++)
                if (keyOf(measure, part.FirstKind + i) is var key && part.Has(highest(key))) lists[i].Add(key, row);
        }, cancellation);
        for (int i = 0; i < lists.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            lists[i].ForEachGroup(found);
            lists[i] = null!;   // its memory is free for what is found next
        }
    }

    private sealed class KeyList<TKey> where TKey : unmanaged, IComparable<TKey>
    {
        private TKey[] _keys = new TKey[1024];
        private int[] _rows = new int[1024];
        private int _count;

        public void Add(TKey key, int row)
        {
            if (_count == _keys.Length)
            {
                int capacity = (int)Math.Min(Array.MaxLength, _count * 2L);
                Array.Resize(ref _keys, capacity);
                Array.Resize(ref _rows, capacity);
            }
            (_keys[_count], _rows[_count++]) = (key, row);
        }

        public void ForEachGroup(GroupAction found)
        {
            Array.Sort(_keys, _rows, 0, _count);
            for (int start = 0, end; start < _count; start = end)
            {
                for (end = start + 1; end < _count && _keys[end].CompareTo(_keys[start]) == 0;) end++;
                if (end - start < 2) continue;
                Span<int> rows = _rows.AsSpan(start..end);
                rows.Sort();   // sorting by key leaves equal keys in any order
                found(rows);
            }
        }
    }
}

/// <summary>A key of a row.</summary>
internal delegate TKey KeyOf<TKey>(ReadOnlySpan<byte> measure, int kind);

/// <summary>Is given rows that have a key in common.</summary>
internal delegate void GroupAction(ReadOnlySpan<int> rows);
