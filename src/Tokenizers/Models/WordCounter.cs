using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Counts words, with 64 bits: 32-bit counters overflow silently on large texts and lose the most frequent words.</summary>
internal sealed class WordCounter
{
    private byte[] _bytes = new byte[1 << 16];
    private int[] _ends = new int[1 << 10];         // of each word in _bytes
    private long[] _counts = new long[1 << 10];
    private long[] _weights = new long[1 << 10];
    private uint[] _hashes = new uint[1 << 10];
    private int[] _slots = new int[1 << 11];        // word number plus one

    /// <summary>Different words.</summary>
    public int Words { get; private set; }

    /// <summary>The length of all different words together.</summary>
    public int Bytes => Words == 0 ? 0 : _ends[Words - 1];

    public ReadOnlySpan<byte> Word(int number)
    {
        int start = number == 0 ? 0 : _ends[number - 1];
        return _bytes.AsSpan(start, _ends[number] - start);
    }

    /// <summary>How often the word occurs.</summary>
    public long Count(int number) => _counts[number];

    /// <summary>How much its occurrences count.</summary>
    public long Weight(int number) => _weights[number];

    public void Add(ReadOnlySpan<byte> word, long count, long weightOfEach = 1)
    {
        long weight = checked(count * weightOfEach);
        uint hash = WordHash.Of(word);
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            int number = _slots[slot] - 1;
            if (_hashes[number] == hash && Word(number).SequenceEqual(word))
            {
                _counts[number] = checked(_counts[number] + count);
                _weights[number] = checked(_weights[number] + weight);
                return;
            }
        }
        int start = Bytes;
        if (word.Length > Array.MaxLength - start)
            throw new UserErrorException("The text has more than 2 GiB of different words; train on a sample of it.");
        if (start + word.Length > _bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, start + (long)word.Length)));
        if (Words == _ends.Length)
        {
            Array.Resize(ref _ends, Words * 2);
            Array.Resize(ref _counts, Words * 2);
            Array.Resize(ref _weights, Words * 2);
            Array.Resize(ref _hashes, Words * 2);
        }
        word.CopyTo(_bytes.AsSpan(start));
        _ends[Words] = start + word.Length;
        _counts[Words] = count;
        _weights[Words] = weight;
        _hashes[Words] = hash;
        _slots[slot] = ++Words;
        if (Words * 2 > _slots.Length)
            Grow();
    }

    private void Grow()
    {
        int[] slots = new int[_slots.Length * 2];
        int mask = slots.Length - 1;
        for (int number = 0; number < Words; number++)
        {
            int slot = (int)_hashes[number] & mask;
            while (slots[slot] != 0)
                slot = (slot + 1) & mask;
            slots[slot] = number + 1;
        }
        _slots = slots;
    }
}
