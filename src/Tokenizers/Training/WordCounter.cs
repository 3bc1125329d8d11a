using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What is known of a word. All sums are of 64 bits: 32-bit counters overflow silently on large texts and lose the most frequent words.</summary>
/// <param name="Count">How often it occurs in the text that is learnt from.</param>
/// <param name="Weight">How much these occurrences count.</param>
/// <param name="Measured">How often it occurs in the text on which languages are compared.</param>
internal readonly record struct WordSum(long Count, long Weight, long Measured)
{
    public static WordSum operator +(WordSum x, WordSum y) =>
        checked(new(x.Count + y.Count, x.Weight + y.Weight, x.Measured + y.Measured));
}

/// <summary>Counts words: a hash table from bytes to sums.</summary>
internal sealed class WordCounter
{
    private byte[] _bytes = new byte[1 << 12];
    private int[] _ends = new int[1 << 8];          // of each word in _bytes
    private WordSum[] _sums = new WordSum[1 << 8];
    private uint[] _hashes = new uint[1 << 8];
    private int[] _slots = new int[1 << 9];         // word number plus one

    /// <summary>Different words.</summary>
    public int Words { get; private set; }

    /// <summary>The length of all different words together.</summary>
    public int Bytes => Words == 0 ? 0 : _ends[Words - 1];

    /// <summary>The memory that is held.</summary>
    public long AllocatedBytes => _bytes.LongLength + (_ends.LongLength * (2 * sizeof(int) + Marshal.SizeOf<WordSum>())) + (_slots.LongLength * sizeof(int));

    public ReadOnlySpan<byte> Word(int number)
    {
        int start = number == 0 ? 0 : _ends[number - 1];
        return _bytes.AsSpan(start, _ends[number] - start);
    }

    public WordSum Sum(int number) => _sums[number];

    public void Add(ReadOnlySpan<byte> word, long count) => Add(word, new WordSum(count, count, 0));

    public void Add(ReadOnlySpan<byte> word, WordSum sum)
    {
        uint hash = WordHash.Of(word);
        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            int number = _slots[slot] - 1;
            if (_hashes[number] == hash && Word(number).SequenceEqual(word))
            {
                _sums[number] += sum;
                return;
            }
        }
        int start = Bytes;
        if (word.Length > Array.MaxLength - start)
            throw new UserErrorException("The text has more than 2 GiB of different words in one language; give less --memory, so that they are counted on disk.");
        if (start + word.Length > _bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, start + (long)word.Length)));
        if (Words == _ends.Length)
        {
            Array.Resize(ref _ends, Words * 2);
            Array.Resize(ref _sums, Words * 2);
            Array.Resize(ref _hashes, Words * 2);
        }
        word.CopyTo(_bytes.AsSpan(start));
        _ends[Words] = start + word.Length;
        _sums[Words] = sum;
        _hashes[Words] = hash;
        _slots[slot] = ++Words;
        if (Words * 2 > _slots.Length)
            Grow();
    }

    public void Add(WordCounter other)
    {
        for (int number = 0; number < other.Words; number++)
            Add(other.Word(number), other._sums[number]);
    }

    /// <summary>The words' numbers in the order of their bytes.</summary>
    public int[] Sorted()
    {
        int[] numbers = new int[Words];
        var keys = new ulong[Words];   // the first eight bytes decide nearly always
        for (int number = 0; number < Words; number++)
        {
            numbers[number] = number;
            var word = Word(number);
            ulong key = 0;
            for (int i = 0; i < 8; i++)
                key = (key << 8) | (i < word.Length ? word[i] : 0UL);
            keys[number] = key;
        }
        Array.Sort(keys, numbers);
        for (int from = 0; from < Words;)
        {
            int to = from + 1;
            while (to < Words && keys[to] == keys[from])
                to++;
            if (to - from > 1)
                numbers.AsSpan(from, to - from).Sort((x, y) => Word(x).SequenceCompareTo(Word(y)));
            from = to;
        }
        return numbers;
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
