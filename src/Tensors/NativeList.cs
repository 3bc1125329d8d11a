namespace OpenEuroLLM.Tensors;

/// <summary>Values in native memory that is kept for the next time: filled by <see cref="Clear"/>, <see cref="Require"/>, then <see cref="Add"/>.</summary>
internal unsafe struct NativeList<T> where T : unmanaged
{
    private long capacity;

    public T* Data { get; private set; }

    public int Count { get; private set; }

    /// <summary>Bytes held.</summary>
    public readonly long Bytes => capacity * sizeof(T);

    public void Clear() => Count = 0;

    /// <summary>Makes room for <paramref name="count"/> values; what was there is lost when there was not enough.</summary>
    public void Require(long count)
    {
        if (count <= capacity) return;
        Arena.Free(Data);
        Data = null;
        capacity = 0;
        var room = Math.Max(count, 64);
        Data = (T*)Arena.AllocateZeroed((room * sizeof(T) + sizeof(float) - 1) / sizeof(float));
        capacity = room;
    }

    /// <summary>Appends a value; there must be room.</summary>
    public void Add(T value) => Data[Count++] = value;

    public void Free()
    {
        Arena.Free(Data);
        this = default;
    }
}
