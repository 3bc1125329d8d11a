using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Remembers the tokens of words for one thread at a time. A word of at most 15 bytes and its at most four tokens are half a cache line, one of
/// at most 31 bytes and its at most eight tokens a whole one; others are not kept. It grows with use.</summary>
internal sealed class BpeWordCache
{
    /// <summary>The longest words that are kept: the last byte of a key is the length.</summary>
    public const int ShortBytes = 15;

    public const int LongBytes = 31;

    private const int MostShortBuckets = 1 << 16;
    private const int MostLongEntries = 1 << 15;

    private Bucket[] _short = new Bucket[1 << 8];
    private LongEntry[] _long = new LongEntry[1 << 7];
    private int _shortMissed;
    private int _longMissed;

    /// <summary>The tokens of a short word: at most four, then -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(Vector128<ulong> key, out Vector128<int> ids)
    {
        ref var bucket = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_short), Hash(key) & (uint)(_short.Length - 1));
        ids = bucket.KeptIds;
        if (bucket.Kept == key)
            return true;
        if (bucket.Recent != key)
            return false;
        // A word that was met again is kept from those that are met once, which are many.
        (bucket.Kept, bucket.Recent) = (bucket.Recent, bucket.Kept);
        (bucket.KeptIds, bucket.RecentIds) = (bucket.RecentIds, bucket.KeptIds);
        ids = bucket.KeptIds;
        return true;
    }

    /// <summary>The tokens of a long word: at most eight, then -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(Vector256<ulong> key, out Vector256<int> ids)
    {
        ref var entry = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_long), Hash(key) & (uint)(_long.Length - 1));
        ids = entry.Ids;
        return entry.Key == key;
    }

    public void Add(Vector128<ulong> key, ReadOnlySpan<int> ids)
    {
        if (ids.Length > Vector128<int>.Count)
            return;
        if (++_shortMissed > _short.Length && _short.Length < MostShortBuckets)
            GrowShort();
        Put(_short, key, Padded128(ids));
    }

    public void Add(Vector256<ulong> key, ReadOnlySpan<int> ids)
    {
        if (ids.Length > Vector256<int>.Count)
            return;
        if (++_longMissed > _long.Length / 2 && _long.Length < MostLongEntries)
            GrowLong();
        _long[Hash(key) & (uint)(_long.Length - 1)] = new LongEntry { Key = key, Ids = Padded256(ids) };
    }

    private static void Put(Bucket[] buckets, Vector128<ulong> key, Vector128<int> ids)
    {
        ref var bucket = ref buckets[Hash(key) & (uint)(buckets.Length - 1)];
        if (bucket.Kept == default)
            (bucket.Kept, bucket.KeptIds) = (key, ids);
        else
            (bucket.Recent, bucket.RecentIds) = (key, ids);
    }

    private void GrowShort()
    {
        var grown = new Bucket[_short.Length * 4];
        foreach (ref readonly var bucket in _short.AsSpan())
        {
            if (bucket.Kept != default)
                Put(grown, bucket.Kept, bucket.KeptIds);
            if (bucket.Recent != default)
                Put(grown, bucket.Recent, bucket.RecentIds);
        }
        _short = grown;
        _shortMissed = 0;
    }

    private void GrowLong()
    {
        var grown = new LongEntry[_long.Length * 4];
        foreach (ref readonly var entry in _long.AsSpan())
            if (entry.Key != default)
                grown[Hash(entry.Key) & (uint)(grown.Length - 1)] = entry;
        _long = grown;
        _longMissed = 0;
    }

    private static Vector128<int> Padded128(ReadOnlySpan<int> ids)
    {
        Span<int> padded = [-1, -1, -1, -1];
        ids.CopyTo(padded);
        return Vector128.Create<int>(padded);
    }

    private static Vector256<int> Padded256(ReadOnlySpan<int> ids)
    {
        Span<int> padded = [-1, -1, -1, -1, -1, -1, -1, -1];
        ids.CopyTo(padded);
        return Vector256.Create<int>(padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(Vector128<ulong> key) => Fold(key.ToScalar() ^ 0x9E3779B97F4A7C15, key.GetElement(1) ^ 0xD6E8FEB86659FD93);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(Vector256<ulong> key) =>
        Hash(key.GetLower()) ^ Fold(key.GetElement(2) ^ 0xA0761D6478BD642F, key.GetElement(3) ^ 0xE7037ED1A0B428DB);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Fold(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left, right, out ulong low);
        return (uint)(high ^ low);
    }

    private struct Bucket
    {
        public Vector128<ulong> Kept;
        public Vector128<ulong> Recent;
        public Vector128<int> KeptIds;
        public Vector128<int> RecentIds;
    }

    private struct LongEntry
    {
        public Vector256<ulong> Key;
        public Vector256<int> Ids;
    }
}
