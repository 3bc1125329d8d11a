using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Merges the bytes of one word: the pair with the lowest rank first, the leftmost of equals, until none is left. Immutable.</summary>
internal sealed class BytePairMerger(MergeTable merges)
{
    private const int ScannedBytes = 64;         // up to this length a scan for the lowest rank is faster than a heap

    /// <summary>Writes the tokens of a word.</summary>
    /// <param name="word">The word, not empty.</param>
    /// <param name="ids">Room for as many tokens as the word has bytes.</param>
    /// <returns>How many there are.</returns>
    public int Merge(ReadOnlySpan<byte> word, Span<int> ids) => word.Length <= ScannedBytes ? MergeByScan(word, ids) : MergeByHeap(word, ids);

    /// <remarks>Symbols keep the place of their first byte, so that nothing is moved: a bit for each place says whether a symbol begins there.</remarks>
    [SkipLocalsInit]
    private int MergeByScan(ReadOnlySpan<byte> word, Span<int> ids)
    {
        Span<uint> ranks = stackalloc uint[ScannedBytes];   // of the pair that begins at each place
        Span<int> symbols = stackalloc int[ScannedBytes];
        int last = word.Length - 1;
        int blocks = (word.Length + Vector256<uint>.Count - 1) / Vector256<uint>.Count;
        ranks[..(blocks * Vector256<uint>.Count)].Fill(MergeTable.None);
        for (int i = 0; i < last; i++)
        {
            symbols[i] = word[i];
            ranks[i] = merges.BytePairRank(word[i], word[i + 1]);
        }
        symbols[last] = word[last];
        ulong begins = ulong.MaxValue >> (ScannedBytes - word.Length);
        while (Lowest(ranks, blocks, out uint lowest) is int place && lowest != MergeTable.None)
        {
            int right = BitOperations.TrailingZeroCount(begins & (ulong.MaxValue << place << 1));
            begins &= ~(1UL << right);
            ranks[right] = MergeTable.None;
            int symbol = merges.Result(lowest);
            symbols[place] = symbol;
            ulong after = begins & (ulong.MaxValue << place << 1);
            ranks[place] = after == 0 ? MergeTable.None : merges.Rank(symbol, symbols[BitOperations.TrailingZeroCount(after)]);
            ulong before = begins & ((1UL << place) - 1);
            if (before != 0)
            {
                int left = BitOperations.Log2(before);
                ranks[left] = merges.Rank(symbols[left], symbol);
            }
        }
        int count = 0;
        for (; begins != 0; begins &= begins - 1)
            ids[count++] = merges.IdOf(symbols[BitOperations.TrailingZeroCount(begins)]);
        return count;
    }

    /// <summary>The first place of the lowest rank.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lowest(ReadOnlySpan<uint> ranks, int blocks, out uint lowest)
    {
        ref uint first = ref MemoryMarshal.GetReference(ranks);
        var least = Vector256.LoadUnsafe(ref first);
        for (int block = 1; block < blocks; block++)
            least = Vector256.Min(least, Vector256.LoadUnsafe(ref first, (nuint)(block * Vector256<uint>.Count)));
        var half = Vector128.Min(least.GetLower(), least.GetUpper());
        half = Vector128.Min(half, Vector128.Shuffle(half, Vector128.Create(2u, 3, 0, 1)));
        half = Vector128.Min(half, Vector128.Shuffle(half, Vector128.Create(1u, 0, 3, 2)));
        lowest = half.ToScalar();
        var wanted = Vector256.Create(lowest);
        for (int block = 0; ; block++)
        {
            uint hits = Vector256.Equals(Vector256.LoadUnsafe(ref first, (nuint)(block * Vector256<uint>.Count)), wanted).ExtractMostSignificantBits();
            if (hits != 0)
                return block * Vector256<uint>.Count + BitOperations.TrailingZeroCount(hits);
        }
    }

    /// <summary>The same for long words in n log n: symbols in a linked list, candidates in a heap by rank and place.</summary>
    private int MergeByHeap(ReadOnlySpan<byte> word, Span<int> ids)
    {
        int[] next = ArrayPool<int>.Shared.Rent(word.Length);
        int[] previous = ArrayPool<int>.Shared.Rent(word.Length);
        var waiting = new PriorityQueue<int, ulong>(word.Length);   // place by (rank, place): places differ, so there are no ties
        var symbols = ids;                                          // until the end
        for (int i = 0; i < word.Length; i++)
        {
            symbols[i] = word[i];
            previous[i] = i - 1;
            next[i] = i + 1 < word.Length ? i + 1 : -1;
        }
        for (int i = 0; i + 1 < word.Length; i++)
            Propose(merges.BytePairRank(word[i], word[i + 1]), i);
        while (waiting.TryDequeue(out int place, out ulong priority))
        {
            // A candidate is stale when its left symbol was swallowed or either symbol has become another.
            uint rank = (uint)(priority >> 32);
            int right = symbols[place] < 0 ? -1 : next[place];
            if (right < 0 || merges.Rank(symbols[place], symbols[right]) != rank)
                continue;
            symbols[place] = merges.Result(rank);
            symbols[right] = -1;
            next[place] = next[right];
            if (next[right] >= 0)
            {
                previous[next[right]] = place;
                Propose(merges.Rank(symbols[place], symbols[next[place]]), place);
            }
            if (previous[place] >= 0)
                Propose(merges.Rank(symbols[previous[place]], symbols[place]), previous[place]);
        }
        int count = 0;
        for (int place = 0; place >= 0; place = next[place])
            ids[count++] = merges.IdOf(symbols[place]);
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return count;

        void Propose(uint rank, int place)
        {
            if (rank != MergeTable.None)
                waiting.Enqueue(place, ((ulong)rank << 32) | (uint)place);
        }
    }
}
