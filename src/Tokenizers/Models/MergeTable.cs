using System.Numerics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The merges of byte-pair encoding, made for looking up. Tokens have numbers of their own here: the bytes are 0 to 255, then come the results
/// of merges. Immutable.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of pairs that are not merged; higher than all others.</summary>
    public const uint None = uint.MaxValue;

    private const int MostMerges = 1 << 20;

    private readonly ulong[] _entries;      // a hash table: the pair of symbols and below it the rank; zero means empty
    private readonly int _symbolBits;
    private readonly int _rankBits;
    private readonly int _shift;
    private readonly uint[] _bytePairs = new uint[1 << 16];
    private readonly int[] _results;        // the symbol that a merge gives, by rank
    private readonly int[] _ids;            // of symbols

    /// <param name="byteIds">The tokens of the 256 bytes.</param>
    /// <param name="merges">In order of rank, no pair twice.</param>
    /// <exception cref="ArgumentException">A pair stands there twice, or there are more than 1,048,576.</exception>
    public MergeTable(int[] byteIds, IReadOnlyList<Merge> merges)
    {
        if (merges.Count > MostMerges)
            throw new ArgumentException($"There are {merges.Count} merges; expected at most {MostMerges}.", nameof(merges));
        var ids = new List<int>(byteIds);
        var symbols = new Dictionary<int, int>(256 + merges.Count);
        for (int value = 0; value < 256; value++)
            symbols[byteIds[value]] = value;
        _results = new int[merges.Count];
        for (int rank = 0; rank < merges.Count; rank++)
        {
            int merged = merges[rank].Merged;
            if (!symbols.TryGetValue(merged, out int symbol))
            {
                symbols[merged] = symbol = ids.Count;
                ids.Add(merged);
            }
            _results[rank] = symbol;
        }
        _ids = [.. ids];
        _symbolBits = BitOperations.Log2((uint)_ids.Length) + 1;
        _rankBits = BitOperations.Log2((uint)merges.Count + 1) + 1;
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, merges.Count * 2));
        _entries = new ulong[capacity];
        _shift = 64 - BitOperations.Log2((uint)capacity);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            // A pair of a token that nothing makes never stands side by side in a word.
            if (symbols.TryGetValue(merges[rank].Left, out int left) && symbols.TryGetValue(merges[rank].Right, out int right))
                Add(left, right, rank);
        }
        for (int left = 0; left < 256; left++)
            for (int right = 0; right < 256; right++)
                _bytePairs[(left << 8) | right] = Rank(left, right);
    }

    /// <summary>The rank of the merge of two neighbouring bytes, or <see cref="None"/>.</summary>
    public uint BytePairRank(byte left, byte right) => _bytePairs[(left << 8) | right];

    /// <summary>The rank of the merge of two neighbours, or <see cref="None"/>.</summary>
    public uint Rank(int left, int right)
    {
        ulong pair = ((ulong)(uint)left << _symbolBits) | (uint)right;
        ulong[] entries = _entries;
        for (int slot = Slot(pair); ; slot = (slot + 1) & (entries.Length - 1))
        {
            ulong entry = entries[slot];
            if (entry == 0)
                return None;
            if (entry >> _rankBits == pair)
                return (uint)(entry & ((1UL << _rankBits) - 1)) - 1;
        }
    }

    /// <summary>The symbol that a merge gives.</summary>
    public int Result(uint rank) => _results[rank];

    /// <summary>The token of a symbol.</summary>
    public int IdOf(int symbol) => _ids[symbol];

    private void Add(int left, int right, int rank)
    {
        ulong pair = ((ulong)(uint)left << _symbolBits) | (uint)right;
        int slot = Slot(pair);
        for (; _entries[slot] != 0; slot = (slot + 1) & (_entries.Length - 1))
            if (_entries[slot] >> _rankBits == pair)
                throw new ArgumentException($"Merge {rank} stands there twice.", nameof(rank));
        _entries[slot] = (pair << _rankBits) | (uint)(rank + 1);
    }

    private int Slot(ulong pair) => (int)(((pair + 1) * 0x9E3779B97F4A7C15) >> _shift);
}
