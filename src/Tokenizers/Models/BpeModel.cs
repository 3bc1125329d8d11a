using System.Buffers;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>One merge of byte-pair encoding: two neighbouring tokens become one.</summary>
internal readonly record struct Merge(int Left, int Right, int Merged);

/// <summary>Byte-level pair encoding of single words: the pair with the lowest rank is merged first, the leftmost of equals, until none is left.
/// Immutable but for a cache of words, and safe for many threads.</summary>
internal sealed class BpeModel
{
    private const int ScannedBytes = 64;         // up to this length a scan for the lowest rank is faster than a heap
    private const int CachedBytes = 48;
    private const int CacheSlots = 1 << 16;

    private readonly PairTable _ranks;
    private readonly int[] _byteIds = new int[256];
    private readonly Dictionary<string, int> _idByText;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idBySpan;
    private readonly CachedWord?[] _cache = new CachedWord?[CacheSlots];

    /// <param name="tokens">The bytes of each token by id; null where the id is no token of this model.</param>
    /// <param name="merges">In order of rank, no pair twice.</param>
    /// <param name="ignoreMerges">Whether a word that is a token is emitted at once.</param>
    public BpeModel(IReadOnlyList<byte[]?> tokens, IReadOnlyList<Merge> merges, bool ignoreMerges)
    {
        Tokens = tokens;
        Merges = merges;
        IgnoreMerges = ignoreMerges;
        _idByText = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        _idBySpan = _idByText.GetAlternateLookup<ReadOnlySpan<char>>();
        Array.Fill(_byteIds, -1);
        for (int id = 0; id < tokens.Count; id++)
        {
            if (tokens[id] is not { } bytes)
                continue;
            _idByText.Add(ByteAlphabet.ToText(bytes), id);
            if (bytes.Length == 1)
                _byteIds[bytes[0]] = id;
        }
        _ranks = new PairTable(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
            if (_ranks.FindOrAdd(PairTable.Key(merges[rank].Left, merges[rank].Right)) != rank)
                throw new ArgumentException($"Merge {rank} stands there twice.", nameof(merges));
        if (Array.IndexOf(_byteIds, -1) is int missing and >= 0)
            throw new ArgumentException($"Byte {missing} has no token.", nameof(tokens));
    }

    public IReadOnlyList<byte[]?> Tokens { get; }

    public IReadOnlyList<Merge> Merges { get; }

    public bool IgnoreMerges { get; }

    public int? Find(ReadOnlySpan<byte> bytes) => _idByText.TryGetValue(ByteAlphabet.ToText(bytes), out int id) ? id : null;

    /// <summary>Appends the tokens of text without added tokens.</summary>
    public void Encode(ReadOnlySpan<byte> text, List<int> ids)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = SplitPattern.WordEnd(text, start);
            EncodeWord(text[start..end], ids);
            start = end;
        }
    }

    internal void EncodeWord(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (word.Length == 1)
        {
            ids.Add(_byteIds[word[0]]);
            return;
        }
        if (word.Length > CachedBytes)
        {
            EncodeUncached(word, ids);
            return;
        }
        // A slot holds one immutable word, replaced as a whole: readers on other threads see the old one or the new one, both right.
        ref CachedWord? slot = ref _cache[WordHash.Of(word) & (CacheSlots - 1)];
        var cached = slot;
        if (cached is not null && word.SequenceEqual(cached.Word))
        {
            ids.AddRange(cached.Ids);
            return;
        }
        int first = ids.Count;
        EncodeUncached(word, ids);
        slot = new CachedWord(word.ToArray(), CollectionsMarshal.AsSpan(ids)[first..].ToArray());
    }

    private void EncodeUncached(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (IgnoreMerges && FindWord(word) is int whole)
            ids.Add(whole);
        else if (word.Length <= ScannedBytes)
            MergeByScan(word, ids);
        else
            MergeByHeap(word, ids);
    }

    private int? FindWord(ReadOnlySpan<byte> word)
    {
        if (word.Length > 4096)
            return null;
        Span<char> text = stackalloc char[word.Length];
        for (int i = 0; i < word.Length; i++)
            text[i] = ByteAlphabet.ToCharacter(word[i]);
        return _idBySpan.TryGetValue(text, out int id) ? id : null;
    }

    private void MergeByScan(ReadOnlySpan<byte> word, List<int> ids)
    {
        Span<int> symbols = stackalloc int[ScannedBytes];
        Span<int> ranks = stackalloc int[ScannedBytes];   // of the pair that starts at each symbol
        int count = word.Length;
        for (int i = 0; i < count; i++)
            symbols[i] = _byteIds[word[i]];
        for (int i = 0; i + 1 < count; i++)
            ranks[i] = Rank(symbols[i], symbols[i + 1]);
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
                break;
            symbols[best] = Merges[lowest].Merged;
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            ranks[(best + 1)..(count - 1)].CopyTo(ranks[best..]);
            count--;
            if (best > 0)
                ranks[best - 1] = Rank(symbols[best - 1], symbols[best]);
            if (best + 1 < count)
                ranks[best] = Rank(symbols[best], symbols[best + 1]);
        }
        ids.AddRange(symbols[..count]);
    }

    /// <summary>The same for long words in n log n: symbols in a linked list, candidate pairs in a heap by rank and place.</summary>
    private void MergeByHeap(ReadOnlySpan<byte> word, List<int> ids)
    {
        int[] symbols = ArrayPool<int>.Shared.Rent(word.Length);
        int[] next = ArrayPool<int>.Shared.Rent(word.Length);
        int[] previous = ArrayPool<int>.Shared.Rent(word.Length);
        var candidates = new PriorityQueue<int, ulong>(word.Length);   // place by (rank, place): places differ, so there are no ties
        for (int i = 0; i < word.Length; i++)
        {
            symbols[i] = _byteIds[word[i]];
            previous[i] = i - 1;
            next[i] = i + 1 < word.Length ? i + 1 : -1;
        }
        for (int i = 0; i + 1 < word.Length; i++)
            Propose(i);
        while (candidates.TryDequeue(out int place, out ulong priority))
        {
            // A candidate is stale when its left symbol was swallowed or either symbol has become another.
            int right = symbols[place] < 0 ? -1 : next[place];
            if (right < 0 || Rank(symbols[place], symbols[right]) != (int)(priority >> 32))
                continue;
            symbols[place] = Merges[(int)(priority >> 32)].Merged;
            symbols[right] = -1;
            next[place] = next[right];
            if (next[right] >= 0)
            {
                previous[next[right]] = place;
                Propose(place);
            }
            if (previous[place] >= 0)
                Propose(previous[place]);
        }
        for (int place = 0; place >= 0; place = next[place])
            ids.Add(symbols[place]);
        ArrayPool<int>.Shared.Return(symbols);
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);

        void Propose(int place)
        {
            int rank = Rank(symbols[place], symbols[next[place]]);
            if (rank != int.MaxValue)
                candidates.Enqueue(place, ((ulong)rank << 32) | (uint)place);
        }
    }

    private int Rank(int left, int right)
    {
        int rank = _ranks.Find(PairTable.Key(left, right));
        return rank < 0 ? int.MaxValue : rank;
    }

    private sealed class CachedWord(byte[] word, int[] ids)
    {
        public byte[] Word { get; } = word;

        public int[] Ids { get; } = ids;
    }
}
