using System.Numerics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A hash table from a pair of token ids to a number from 0 up, given in order of insertion.</summary>
internal sealed class PairTable
{
    private ulong[] _keys;     // the pair plus one, so that zero means empty
    private int[] _numbers;
    private int _shift;

    public PairTable(int expected = 16)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(expected * 2)));
        _keys = new ulong[capacity];
        _numbers = new int[capacity];
        _shift = 64 - BitOperations.Log2((uint)capacity);
    }

    public int Count { get; private set; }

    public static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <summary>The number of a pair, or -1.</summary>
    public int Find(ulong pair)
    {
        ulong key = pair + 1;
        for (int slot = Slot(key); ; slot = (slot + 1) & (_keys.Length - 1))
        {
            if (_keys[slot] == key)
                return _numbers[slot];
            if (_keys[slot] == 0)
                return -1;
        }
    }

    /// <summary>The number of a pair, which is added with the next number when it is not there.</summary>
    public int FindOrAdd(ulong pair)
    {
        ulong key = pair + 1;
        int slot = Slot(key);
        for (; _keys[slot] != 0; slot = (slot + 1) & (_keys.Length - 1))
            if (_keys[slot] == key)
                return _numbers[slot];
        if ((Count + 1) * 2 > _keys.Length)
        {
            Grow();
            slot = FreeSlot(key);
        }
        _keys[slot] = key;
        _numbers[slot] = Count;
        return Count++;
    }

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);

    private int FreeSlot(ulong key)
    {
        int slot = Slot(key);
        while (_keys[slot] != 0)
            slot = (slot + 1) & (_keys.Length - 1);
        return slot;
    }

    private void Grow()
    {
        ulong[] keys = _keys;
        int[] numbers = _numbers;
        _keys = new ulong[keys.Length * 2];
        _numbers = new int[keys.Length * 2];
        _shift--;
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] == 0)
                continue;
            int slot = FreeSlot(keys[i]);
            _keys[slot] = keys[i];
            _numbers[slot] = numbers[i];
        }
    }
}
