namespace OpenEuroLLM.Tokenizers;

/// <summary>A pair that may be merged next.</summary>
internal readonly record struct Candidate(double Score, ulong Key, int Pair)
{
    /// <summary>Score descending, then ids ascending.</summary>
    public bool IsBefore(in Candidate other) => Score > other.Score || (Score == other.Score && Key < other.Key);
}

/// <summary>The best candidate first. Each node has four children: fewer places in memory are touched than with two.</summary>
internal sealed class CandidateHeap
{
    private Candidate[] _items = new Candidate[1 << 10];

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public void Push(in Candidate candidate)
    {
        if (Count == _items.Length)
            Array.Resize(ref _items, Count * 2);
        int place = Count++;
        while (place > 0)
        {
            int parent = (place - 1) >> 2;
            if (!candidate.IsBefore(_items[parent]))
                break;
            _items[place] = _items[parent];
            place = parent;
        }
        _items[place] = candidate;
    }

    public bool TryPop(out Candidate first)
    {
        if (Count == 0)
        {
            first = default;
            return false;
        }
        first = _items[0];
        Candidate last = _items[--Count];
        int place = 0;
        while (true)
        {
            int child = (place << 2) + 1;
            if (child >= Count)
                break;
            int best = child;
            for (int other = child + 1; other < Math.Min(child + 4, Count); other++)
                if (_items[other].IsBefore(_items[best]))
                    best = other;
            if (!_items[best].IsBefore(last))
                break;
            _items[place] = _items[best];
            place = best;
        }
        _items[place] = last;
        return true;
    }
}
