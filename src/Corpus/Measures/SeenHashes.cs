using System.Numerics;

namespace OpenEuroLLM.Corpus.Measures;

/// <summary>Counts hashes; emptied at once and used again and again.</summary>
internal sealed class SeenHashes
{
    private ulong[] _hashes = new ulong[1 << 10];
    private int[] _counts = new int[1 << 10];
    private int[] _rounds = new int[1 << 10];   // a slot of another round is empty
    private int _round;
    private int _used;

    /// <summary>Forgets everything.</summary>
    /// <param name="expected">How many different hashes may come.</param>
    public void Clear(int expected)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1 << 10, expected * 2));
        if (capacity > _hashes.Length)
        {
            _hashes = new ulong[capacity];
            _counts = new int[capacity];
            _rounds = new int[capacity];
            _round = 0;
        }
        _round++;
        _used = 0;
    }

    /// <summary>Counts a hash.</summary>
    /// <returns>How often it has come, this time included.</returns>
    public int Add(ulong hash)
    {
        int mask = _hashes.Length - 1;
        int slot = (int)((hash * 0x9E3779B97F4A7C15) >> 32) & mask;
        while (_rounds[slot] == _round && _hashes[slot] != hash) slot = (slot + 1) & mask;
        if (_rounds[slot] == _round) return ++_counts[slot];
        if (++_used * 2 > _hashes.Length) throw new InvalidOperationException("More hashes than were announced.");
        (_hashes[slot], _counts[slot], _rounds[slot]) = (hash, 1, _round);
        return 1;
    }
}
