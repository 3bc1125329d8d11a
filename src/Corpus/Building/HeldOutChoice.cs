using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Which texts of a language are held out: those whose ranks come first among the distinct texts. Memory is bounded whatever their number.</summary>
internal static class HeldOutChoice
{
    // Texts beyond those wanted are only counted, so many at a time.
    private const int LeastCapacity = 1 << 16;

    /// <summary>Chooses.</summary>
    /// <param name="random">The stream of the seed that ranks are taken from.</param>
    /// <param name="share">The share of the distinct texts, 0 to 1, that is held out; at least one text when there are two.</param>
    /// <param name="most">The most texts, at most 1,000,000.</param>
    /// <param name="hashes">The hashes of the texts, copies among them; asked for once, and again only where <paramref name="share"/> of the texts may be fewer
    /// than <paramref name="most"/> and there are more than can be counted at once.</param>
    public static IReadOnlyCollection<UInt128> Of(CounterRandom random, double share, int most, Func<IEnumerable<UInt128>> hashes) =>
        Of(random, share, most, hashes, LeastCapacity);

    internal static IReadOnlyCollection<UInt128> Of(CounterRandom random, double share, int most, Func<IEnumerable<UInt128>> hashes, int leastCapacity)
    {
        if (share == 0 || most == 0) return [];
        var chosen = new SmallestRanks(random, Math.Max(Math.Max(most, 2), leastCapacity), null);
        foreach (UInt128 hash in hashes()) chosen.Add(hash);
        ArraySegment<(ulong Rank, UInt128 Hash)> first = chosen.Finish();
        long distinct = first.Count;
        if (distinct < 2) return [];
        // How many are wanted depends on how many there are, until it is the most that may be.
        for (ArraySegment<(ulong Rank, UInt128 Hash)> seen = first; seen.Count == chosen.Capacity && Wanted(share, most, distinct) < most;)
        {
            var next = new SmallestRanks(random, chosen.Capacity, seen[^1]);
            foreach (UInt128 hash in hashes()) next.Add(hash);
            seen = next.Finish();
            distinct += seen.Count;
        }
        return [.. first.Take(Wanted(share, most, distinct)).Select(entry => entry.Hash)];
    }

    private static int Wanted(double share, int most, long distinct) => (int)Math.Min(most, Math.Max(1, Math.Round(share * distinct)));

    /// <summary>The smallest distinct (rank, hash) that come after a given one: a buffer of twice as many, sorted and cut when it is full.</summary>
    private sealed class SmallestRanks(CounterRandom random, int capacity, (ulong Rank, UInt128 Hash)? after)
    {
        private (ulong Rank, UInt128 Hash)[] _entries = new (ulong, UInt128)[1024];
        private int _count;
        private (ulong Rank, UInt128 Hash)? _greatest;   // once there are as many as are wanted, no greater one is

        public int Capacity => capacity;

        public void Add(UInt128 hash)
        {
            (ulong Rank, UInt128 Hash) entry = (random.At((ulong)hash), hash);
            if (after is { } low && entry.CompareTo(low) <= 0) return;
            if (_greatest is { } high && entry.CompareTo(high) >= 0) return;
            if (_count == _entries.Length)
            {
                Compact();
                if (_count * 2 > _entries.Length) Array.Resize(ref _entries, Math.Min(_entries.Length, capacity) * 2);
            }
            _entries[_count++] = entry;
        }

        public ArraySegment<(ulong Rank, UInt128 Hash)> Finish()
        {
            Compact();
            return new ArraySegment<(ulong Rank, UInt128 Hash)>(_entries, 0, _count);
        }

        private void Compact()
        {
            Array.Sort(_entries, 0, _count);
            int kept = 0;
            for (int i = 0; i < _count && kept < capacity; i++)
                if (kept == 0 || _entries[i] != _entries[kept - 1]) _entries[kept++] = _entries[i];
            _count = kept;
            if (kept == capacity) _greatest = _entries[kept - 1];
        }
    }
}
