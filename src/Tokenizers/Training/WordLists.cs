namespace OpenEuroLLM.Tokenizers;

/// <summary>Growing lists of numbers, one per key, in blocks of one pool: millions of short lists without an object for each. A list that is
/// taken gives its blocks back.</summary>
internal sealed class WordLists
{
    private const int SegmentBits = 16;
    private const int SegmentSize = 1 << SegmentBits;
    private const int SmallestBlock = 4;                  // of numbers, the first being the next block
    private const int Classes = 9;                        // 4, 8, ... 1024

    private readonly List<int[]> _segments = [];
    private readonly int[] _free = new int[Classes];      // block plus one
    private int _unusedInSegment;
    private List[] _lists = new List[1 << 10];

    private struct List
    {
        public int First;         // block plus one; 0 for an empty list
        public int Last;
        public int Newest;         // the number added last
        public short Used;        // of the last block
        public short Class;       // of the last block
    }

    /// <summary>Adds a number to a list unless it was the last one added.</summary>
    public void Add(int key, int number)
    {
        if (key >= _lists.Length)
            Array.Resize(ref _lists, Math.Max(key + 1, _lists.Length * 2));
        ref var list = ref _lists[key];
        if (list.First != 0 && list.Newest == number)
            return;
        if (list.First == 0)
        {
            list.First = list.Last = Take(0) + 1;
            (list.Class, list.Used) = (0, 1);
        }
        else if (list.Used == SmallestBlock << list.Class)
        {
            int next = list.Class + 1 < Classes ? list.Class + 1 : list.Class;
            int block = Take(next);
            At(list.Last - 1) = block + 1;
            list.Last = block + 1;
            (list.Class, list.Used) = ((short)next, 1);
        }
        At(list.Last - 1 + list.Used) = number;
        list.Used++;
        list.Newest = number;
    }

    /// <summary>Empties a list into another place.</summary>
    public void Take(int key, List<int> numbers)
    {
        numbers.Clear();
        if (key >= _lists.Length)
            return;
        ref var list = ref _lists[key];
        int size = 0;
        for (int block = list.First; block != 0; size = Math.Min(size + 1, Classes - 1))
        {
            int at = block - 1;
            int next = block == list.Last ? 0 : At(at);
            int used = block == list.Last ? list.Used : SmallestBlock << size;
            numbers.AddRange(_segments[at >> SegmentBits].AsSpan((at & (SegmentSize - 1)) + 1, used - 1));
            At(at) = _free[size];
            _free[size] = block;
            block = next;
        }
        list = default;
    }

    private ref int At(int place) => ref _segments[place >> SegmentBits][place & (SegmentSize - 1)];

    private int Take(int size)
    {
        if (_free[size] is > 0 and int free)
        {
            _free[size] = At(free - 1);
            return free - 1;
        }
        int wanted = SmallestBlock << size;
        if (_segments.Count == 0 || _unusedInSegment + wanted > SegmentSize)
        {
            _segments.Add(new int[SegmentSize]);
            _unusedInSegment = 0;
        }
        int block = ((_segments.Count - 1) << SegmentBits) + _unusedInSegment;
        _unusedInSegment += wanted;
        return block;
    }
}
