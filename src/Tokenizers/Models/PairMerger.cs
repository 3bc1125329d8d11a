using System.Buffers;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The merge loop of byte-pair encoding over symbols that have a width: the pair with the lowest rank first, the leftmost of equals, until none is
/// left. Immutable.</summary>
internal sealed class PairMerger
{
    private const int ScannedSymbols = 64;       // up to this number a scan for the lowest rank is faster than a heap

    private const int Swallowed = int.MinValue;  // what a symbol becomes that its left neighbour has taken in

    private readonly PairTable _pairs;
    private readonly int[] _ranks;
    private readonly int[] _merged;

    /// <param name="merges">The pairs, no pair twice, each with its rank; several pairs may have one rank.</param>
    public PairMerger(IReadOnlyList<(Merge Merge, int Rank)> merges)
    {
        _pairs = new PairTable(merges.Count);
        _ranks = new int[merges.Count];
        _merged = new int[merges.Count];
        for (int i = 0; i < merges.Count; i++)
        {
            if (_pairs.FindOrAdd(PairTable.Key(merges[i].Merge.Left, merges[i].Merge.Right)) != i)
                throw new ArgumentException($"Merge {i} stands there twice.", nameof(merges));
            (_ranks[i], _merged[i]) = (merges[i].Rank, merges[i].Merge.Merged);
        }
    }

    /// <summary>Merges in place.</summary>
    /// <param name="symbols">The symbols; the result stands at the beginning.</param>
    /// <param name="ends">The byte after the last of each.</param>
    /// <param name="splits">Receives for each merged token into which symbols it was last proposed; null when nobody asks.</param>
    /// <returns>How many are left.</returns>
    public int Merge(Span<int> symbols, Span<int> ends, Dictionary<int, (int Left, int Right)>? splits = null)
    {
        if (symbols.Length < 2)
            return symbols.Length;
        return symbols.Length <= ScannedSymbols && splits is null ? MergeByScan(symbols, ends) : MergeByHeap(symbols, ends, splits);
    }

    private int MergeByScan(Span<int> symbols, Span<int> ends)
    {
        Span<int> pairs = stackalloc int[ScannedSymbols];       // the number of the pair that starts at each symbol, or -1
        Span<int> ranks = stackalloc int[ScannedSymbols];
        int count = symbols.Length;
        for (int i = 0; i + 1 < count; i++)
            ranks[i] = Look(symbols[i], symbols[i + 1], out pairs[i]);
        while (true)
        {
            int best = -1;
            int lowest = int.MaxValue;
            for (int i = 0; i + 1 < count; i++)
            {
                if (ranks[i] < lowest)
                {
                    lowest = ranks[i];
                    best = i;
                }
            }
            if (best < 0)
                return count;
            symbols[best] = _merged[pairs[best]];
            ends[best] = ends[best + 1];
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            ends[(best + 2)..count].CopyTo(ends[(best + 1)..]);
            ranks[(best + 1)..(count - 1)].CopyTo(ranks[best..]);
            pairs[(best + 1)..(count - 1)].CopyTo(pairs[best..]);
            count--;
            if (best > 0)
                ranks[best - 1] = Look(symbols[best - 1], symbols[best], out pairs[best - 1]);
            if (best + 1 < count)
                ranks[best] = Look(symbols[best], symbols[best + 1], out pairs[best]);
        }
    }

    /// <summary>The same for many symbols in n log n: symbols in a linked list, candidate pairs in a heap by rank and place.</summary>
    private int MergeByHeap(Span<int> symbols, Span<int> ends, Dictionary<int, (int Left, int Right)>? splits)
    {
        int length = symbols.Length;
        int[] current = ArrayPool<int>.Shared.Rent(length);
        int[] next = ArrayPool<int>.Shared.Rent(length);
        int[] previous = ArrayPool<int>.Shared.Rent(length);
        symbols.CopyTo(current);
        var candidates = new PriorityQueue<int, ulong>(length);    // place by (rank, place)
        for (int i = 0; i < length; i++)
            (previous[i], next[i]) = (i - 1, i + 1 < length ? i + 1 : -1);
        for (int i = 0; i + 1 < length; i++)
            Propose(i);
        while (candidates.TryDequeue(out int place, out ulong priority))
        {
            // A candidate is stale when its left symbol was swallowed or either symbol has become another.
            int right = current[place] == Swallowed ? -1 : next[place];
            if (right < 0 || Look(current[place], current[right], out int pair) != (int)(priority >> 32))
                continue;
            current[place] = _merged[pair];
            current[right] = Swallowed;
            next[place] = next[right];
            if (next[right] >= 0)
                previous[next[right]] = place;
            if (previous[place] >= 0)
                Propose(previous[place]);
            if (next[place] >= 0)
                Propose(place);
        }
        int count = 0;
        for (int place = 0; place >= 0; place = next[place])
        {
            int last = next[place] >= 0 ? next[place] - 1 : length - 1;
            ends[count] = ends[last];
            symbols[count++] = current[place];
        }
        ArrayPool<int>.Shared.Return(current);
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return count;

        void Propose(int place)
        {
            int rank = Look(current[place], current[next[place]], out int pair);
            if (rank == int.MaxValue)
                return;
            candidates.Enqueue(place, ((ulong)rank << 32) | (uint)place);
            if (splits is not null)
                splits[_merged[pair]] = (current[place], current[next[place]]);
        }
    }

    private int Look(int left, int right, out int pair)
    {
        pair = _pairs.Find(PairTable.Key(left, right));
        return pair < 0 ? int.MaxValue : _ranks[pair];
    }
}
