using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Merges the bytes of one word: the pair with the lowest rank first, the leftmost of equals, until none is left. Immutable.</summary>
internal sealed class BytePairMerger
{
    private const int ScannedBytes = 64;         // up to this length a scan for the lowest rank is faster than a heap
    private const ulong None = ulong.MaxValue;

    // A candidate is a merge as one number, its rank above its token: the lowest candidate is the next merge.
    private readonly ulong[] _pairs;             // hash table from pairs of ids to candidates; the pair plus one, so that zero means empty
    private readonly ulong[] _candidates;
    private readonly int _shift;
    private readonly ulong[] _bytePairs = new ulong[1 << 16];
    private readonly int[] _byteIds;

    /// <param name="byteIds">The tokens of the 256 bytes.</param>
    /// <param name="merges">In order of rank, no pair twice.</param>
    /// <exception cref="ArgumentException">A pair stands there twice.</exception>
    public BytePairMerger(int[] byteIds, IReadOnlyList<Merge> merges)
    {
        _byteIds = byteIds;
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(merges.Count * 2)));
        _pairs = new ulong[capacity];
        _candidates = new ulong[capacity];
        _shift = 64 - BitOperations.Log2((uint)capacity);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            ulong key = PairTable.Key(merges[rank].Left, merges[rank].Right) + 1;
            int slot = Slot(key);
            for (; _pairs[slot] != 0; slot = (slot + 1) & (_pairs.Length - 1))
                if (_pairs[slot] == key)
                    throw new ArgumentException($"Merge {rank} stands there twice.", nameof(merges));
            _pairs[slot] = key;
            _candidates[slot] = ((ulong)rank << 32) | (uint)merges[rank].Merged;
        }
        for (int left = 0; left < 256; left++)
            for (int right = 0; right < 256; right++)
                _bytePairs[(left << 8) | right] = Find(byteIds[left], byteIds[right]);
    }

    /// <summary>Writes the tokens of a word.</summary>
    /// <param name="word">The word.</param>
    /// <param name="ids">Room for as many tokens as the word has bytes.</param>
    /// <returns>How many there are.</returns>
    public int Merge(ReadOnlySpan<byte> word, Span<int> ids) => word.Length <= ScannedBytes ? MergeByScan(word, ids) : MergeByHeap(word, ids);

    [SkipLocalsInit]
    private int MergeByScan(ReadOnlySpan<byte> word, Span<int> ids)
    {
        Span<ulong> candidates = stackalloc ulong[ScannedBytes];   // of the pair that starts at each symbol
        int last = word.Length - 1;
        ids[last] = _byteIds[word[last]];
        ulong lowest = None;
        int best = 0;
        for (int i = 0; i < last; i++)
        {
            ids[i] = _byteIds[word[i]];
            ulong candidate = _bytePairs[(word[i] << 8) | word[i + 1]];
            candidates[i] = candidate;
            if (candidate < lowest)
                (lowest, best) = (candidate, i);
        }
        while (lowest != None)
        {
            ids[best] = (int)lowest;
            ids[(best + 2)..(last + 1)].CopyTo(ids[(best + 1)..]);
            if (best + 2 <= last)
                candidates[(best + 2)..last].CopyTo(candidates[(best + 1)..]);
            last--;
            if (best > 0)
                candidates[best - 1] = Find(ids[best - 1], ids[best]);
            if (best < last)
                candidates[best] = Find(ids[best], ids[best + 1]);
            lowest = None;
            for (int i = 0; i < last; i++)
                if (candidates[i] < lowest)
                    (lowest, best) = (candidates[i], i);
        }
        return last + 1;
    }

    /// <summary>The same for long words in n log n: symbols in a linked list, candidates in a heap by rank and place.</summary>
    private int MergeByHeap(ReadOnlySpan<byte> word, Span<int> ids)
    {
        int[] next = ArrayPool<int>.Shared.Rent(word.Length);
        int[] previous = ArrayPool<int>.Shared.Rent(word.Length);
        var waiting = new PriorityQueue<int, ulong>(word.Length);   // place by (rank, place): places differ, so there are no ties
        for (int i = 0; i < word.Length; i++)
        {
            ids[i] = _byteIds[word[i]];
            previous[i] = i - 1;
            next[i] = i + 1 < word.Length ? i + 1 : -1;
        }
        for (int i = 0; i + 1 < word.Length; i++)
            Propose(_bytePairs[(word[i] << 8) | word[i + 1]], i);
        while (waiting.TryDequeue(out int place, out ulong priority))
        {
            // A candidate is stale when its left symbol was swallowed or either symbol has become another.
            int right = ids[place] < 0 ? -1 : next[place];
            ulong candidate = right < 0 ? None : Find(ids[place], ids[right]);
            if (candidate == None || candidate >> 32 != priority >> 32)
                continue;
            ids[place] = (int)candidate;
            ids[right] = -1;
            next[place] = next[right];
            if (next[right] >= 0)
            {
                previous[next[right]] = place;
                Propose(Find(ids[place], ids[next[place]]), place);
            }
            if (previous[place] >= 0)
                Propose(Find(ids[previous[place]], ids[place]), previous[place]);
        }
        int count = 0;
        for (int place = 0; place >= 0; place = next[place])
            ids[count++] = ids[place];
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return count;

        void Propose(ulong candidate, int place)
        {
            if (candidate != None)
                waiting.Enqueue(place, (candidate & 0xFFFF_FFFF_0000_0000) | (uint)place);
        }
    }

    private ulong Find(int left, int right)
    {
        ulong key = PairTable.Key(left, right) + 1;
        ulong[] pairs = _pairs;
        for (int slot = Slot(key); ; slot = (slot + 1) & (pairs.Length - 1))
        {
            if (pairs[slot] == key)
                return _candidates[slot];
            if (pairs[slot] == 0)
                return None;
        }
    }

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);
}
