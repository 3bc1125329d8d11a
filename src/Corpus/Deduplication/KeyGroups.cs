using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Finds documents that have a key in common, in bounded memory: where the keys of all documents are too many, the table is read once for
/// each range of keys.</summary>
internal static class KeyGroups
{
    /// <summary>Finds the groups.</summary>
    /// <typeparam name="TKey">Type of the keys; their values must be spread evenly over its range.</typeparam>
    /// <param name="table">The measures.</param>
    /// <param name="room">Memory and workers.</param>
    /// <param name="kinds">How many keys a document has: kind 0 is compared with kind 0 only, and so on.</param>
    /// <param name="keyOf">The key of a row, of a kind.</param>
    /// <param name="highest">The 32 highest bits of a key.</param>
    /// <param name="found">Is given each group of at least two documents, in ascending order; called by several threads.</param>
    public static void Find<TKey>(MeasureTable table, DecisionRoom room, int kinds, KeyOf<TKey> keyOf, Func<TKey, uint> highest, GroupAction found)
        where TKey : unmanaged, IComparable<TKey>
    {
        long bytesPerKind = (long)Math.Max(1, table.Rows) * (Unsafe.SizeOf<TKey>() + sizeof(int));
        int ranges = (int)Math.Min(1 << 16, (bytesPerKind + room.MemoryBytes - 1) / room.MemoryBytes);
        int kindsAtOnce = ranges > 1 ? 1 : (int)Math.Clamp(room.MemoryBytes / bytesPerKind, 1, kinds);
        for (int kind = 0; kind < kinds; kind += kindsAtOnce)
            for (int range = 0; range < ranges; range++)
                FindInRange(table, room, Enumerable.Range(kind, Math.Min(kindsAtOnce, kinds - kind)).ToArray(), key => (int)(((ulong)highest(key) * (uint)ranges) >> 32) == range, keyOf, found);
    }

    private static void FindInRange<TKey>(MeasureTable table, DecisionRoom room, int[] kinds, Func<TKey, bool> isInRange, KeyOf<TKey> keyOf, GroupAction found)
        where TKey : unmanaged, IComparable<TKey>
    {
        var lists = Array.ConvertAll(kinds, _ => new KeyList<TKey>());
        table.ForEach((row, measure) =>
        {
            for (int i = 0; i < kinds.Length; i++)
                if (keyOf(measure, kinds[i]) is var key && isInRange(key)) lists[i].Add(key, row);
        }, room.Cancellation);
        room.Launcher.Run(kinds.Length, i => lists[i].ForEachGroup(found), room.Cancellation);
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

/// <summary>Is given documents that have a key in common.</summary>
internal delegate void GroupAction(ReadOnlySpan<int> rows);
