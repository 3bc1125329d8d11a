namespace OpenEuroLLM.Tensors;

/// <summary>Says which rows of a flat batch belong to which sequence, where each begins in its sequence, and where its keys and values lie.</summary>
/// <remarks>Packed documents in training, prefill, decode and mixed batches differ in nothing but this. Attention never crosses a
/// sequence's border.</remarks>
public sealed class SequenceLayout
{
    private Entry[] entries = new Entry[16];

    /// <summary>Number of sequences.</summary>
    public int Count { get; private set; }

    /// <summary>Rows of the batch.</summary>
    public int Rows { get; private set; }

    /// <summary>True when every sequence keeps its keys and values in a cache.</summary>
    public bool IsCached { get; private set; }

    /// <summary>Highest position of any row; −1 without rows.</summary>
    internal int LastPosition { get; private set; } = -1;

    internal ReadOnlySpan<Entry> Entries => entries.AsSpan(0, Count);

    /// <summary>Forgets all sequences.</summary>
    public void Clear()
    {
        Array.Clear(entries, 0, Count);
        Count = 0;
        Rows = 0;
        IsCached = false;
        LastPosition = -1;
    }

    /// <summary>Appends a sequence of <paramref name="rowCount"/> tokens.</summary>
    /// <param name="rowCount">Rows that follow those of the sequences before.</param>
    /// <param name="cached">Where earlier keys and values lie and the new ones go: the rows continue behind its length. Null: the
    /// sequence begins here and nothing is kept.</param>
    public void Add(int rowCount, KeyValueSequence? cached = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowCount, 1);
        if (Count > 0 && IsCached != (cached is not null))
            throw new ArgumentException("a batch has either cached sequences or whole ones, not both", nameof(cached));
        IsCached = cached is not null;
        cached?.Reserve(cached.Length + rowCount);
        if (Count == entries.Length) Array.Resize(ref entries, 2 * Count);
        entries[Count++] = new Entry(Rows, rowCount, cached?.Length ?? 0, cached);
        Rows += rowCount;
        LastPosition = Math.Max(LastPosition, entries[Count - 1].FirstPosition + rowCount - 1);
    }

    internal readonly record struct Entry(int FirstRow, int RowCount, int FirstPosition, KeyValueSequence? Cached);
}
