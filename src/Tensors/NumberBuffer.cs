namespace OpenEuroLLM.Tensors;

/// <summary>Single-precision numbers outside the step's memory, such as an optimizer's state; zeros at first.</summary>
public sealed unsafe class NumberBuffer : IDisposable
{
    private float* data;

    /// <summary>Takes memory for <paramref name="count"/> numbers.</summary>
    public NumberBuffer(long count)
    {
        Count = count;
        data = Arena.AllocateZeroed(count);
    }

    /// <summary>Length.</summary>
    public long Count { get; }

    /// <summary>The numbers.</summary>
    public Span<float> Values => new(data, checked((int)Count));

    internal float* Data => data;

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Arena.Free(data);
        data = null;
    }
}
