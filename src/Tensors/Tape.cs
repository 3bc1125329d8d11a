namespace OpenEuroLLM.Tensors;

internal enum Operation : byte
{
    Product, Embed, RmsNorm, LayerNorm, Attend, SwiGlu, GeGlu, Gelu, SquaredRelu, XIelu, Add, AddBias, Scale, Columns, HeadLoss, Segment,
}

/// <summary>What an operation needs to go back: slots of its tensors and its settings. A value, so that recording allocates nothing.</summary>
internal struct TapeEntry
{
    public Operation Operation;
    public int A, B, C, Output, Extra;
    public int Rows;
    public AttentionSettings Attention;
    public bool GainPlusOne;
    public GeluForm Form;
    public int First;
    public float Factor, Epsilon;
    public Weight? Weight, Second;
    public SequenceLayout? Layout;
    public ISegment? Segment;
}

/// <summary>The operations of a step in order.</summary>
internal sealed class Tape
{
    private TapeEntry[] entries = new TapeEntry[64];

    public int Count { get; private set; }

    public ref TapeEntry this[int index] => ref entries[index];

    public ref TapeEntry Add(Operation operation)
    {
        if (Count == entries.Length) Array.Resize(ref entries, 2 * Count);
        ref var entry = ref entries[Count++];
        entry = default;
        entry.Operation = operation;
        return ref entry;
    }

    /// <summary>Forgets the entries from <paramref name="count"/> on.</summary>
    public void Truncate(int count) => Count = count;

    public void Clear() => Count = 0;
}
