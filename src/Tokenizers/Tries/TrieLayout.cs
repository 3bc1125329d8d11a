namespace OpenEuroLLM.Tokenizers;

/// <summary>Gives every node of a double-array trie its place: the children of a node lie at its base, each at base XOR its label, and no two nodes
/// share a base.</summary>
internal sealed class TrieLayout
{
    public const int BlockSize = 256;

    private const int OpenBlocks = 16;      // older blocks are left as full as they are, or the search for gaps becomes quadratic
    private const int None = -1;

    private int[] _next = [];               // the free places of the open blocks, in a list
    private int[] _previous = [];
    private bool[] _used = [];
    private bool[] _baseUsed = [];
    private int _firstFree = None;
    private int _lastFree = None;

    /// <summary>The places so far; a multiple of <see cref="BlockSize"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Opens the next block with all places but the first ones free.</summary>
    /// <param name="reserved">How many of its places are never given away.</param>
    public void AddBlock(int reserved = 0)
    {
        int start = Count;
        Count = checked(Count + BlockSize);
        if (Count > _used.Length)
        {
            int capacity = Math.Max(Count, checked(_used.Length * 2));
            Array.Resize(ref _next, capacity);
            Array.Resize(ref _previous, capacity);
            Array.Resize(ref _used, capacity);
            Array.Resize(ref _baseUsed, capacity);
        }
        _used.AsSpan(start, reserved).Fill(true);
        _baseUsed.AsSpan(start, reserved).Fill(true);
        for (int place = start + reserved; place < Count; place++)
            Append(place);
        int closed = start - OpenBlocks * BlockSize;
        for (int place = closed; closed >= 0 && place < closed + BlockSize; place++)
            if (!_used[place])
                Remove(place);
    }

    /// <summary>Takes the places of a node's children.</summary>
    /// <param name="labels">Ascending, no label twice, at least one.</param>
    /// <param name="accepts">Whether a base can be written down in this node.</param>
    /// <returns>The base.</returns>
    public int Place(ReadOnlySpan<byte> labels, Func<int, bool>? accepts = null)
    {
        for (int place = _firstFree; place != None; place = _next[place])
            if (Fits(place ^ labels[0], labels, accepts))
                return Take(place ^ labels[0], labels);
        int start = Count;
        AddBlock();
        for (int basePlace = start; basePlace < Count; basePlace++)
            if (Fits(basePlace, labels, accepts))
                return Take(basePlace, labels);
        throw new InvalidOperationException("No base of a new block can be written down in the node.");
    }

    private bool Fits(int basePlace, ReadOnlySpan<byte> labels, Func<int, bool>? accepts)
    {
        if (_baseUsed[basePlace])
            return false;
        foreach (byte label in labels)
            if (_used[basePlace ^ label])
                return false;
        return accepts is null || accepts(basePlace);
    }

    private int Take(int basePlace, ReadOnlySpan<byte> labels)
    {
        _baseUsed[basePlace] = true;
        foreach (byte label in labels)
        {
            int place = basePlace ^ label;
            _used[place] = true;
            if (place >= Count - OpenBlocks * BlockSize)
                Remove(place);
        }
        return basePlace;
    }

    private void Append(int place)
    {
        _next[place] = None;
        _previous[place] = _lastFree;
        if (_lastFree == None)
            _firstFree = place;
        else
            _next[_lastFree] = place;
        _lastFree = place;
    }

    private void Remove(int place)
    {
        if (_previous[place] == None)
            _firstFree = _next[place];
        else
            _next[_previous[place]] = _next[place];
        if (_next[place] == None)
            _lastFree = _previous[place];
        else
            _previous[_next[place]] = _previous[place];
    }
}
