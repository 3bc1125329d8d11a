namespace OpenEuroLLM.Formats;

/// <summary>One tensor of a GGUF file.</summary>
/// <param name="Name">Its name, unique in the file, below 64 bytes.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">The extents, slowest first; the last is the length of a row. (The file has them the other way round.)</param>
/// <param name="Elements">The product of <paramref name="Shape"/>.</param>
/// <param name="FileOffset">The first byte, counted from the start of the file.</param>
/// <param name="SizeBytes">The stored size, without what aligns the next tensor.</param>
public sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Elements, long FileOffset, long SizeBytes)
{
    /// <summary>The shape in words, as in error messages: <c>[2, 3]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>Elements and bytes of a shape, or why it has none.</summary>
    internal static (long Elements, long Bytes, string? Mistake) Measure(GgufType type, IReadOnlyList<long> shape)
    {
        UInt128 elements = 1;
        foreach (long extent in shape.Reverse())
        {
            if (extent < 0)
                return (0, 0, $"the extent {extent}; expected 0 or more");
            // Checked at each step, in the order of the file: a later zero does not excuse an overflow before it.
            elements *= (ulong)extent;
            if (elements > long.MaxValue)
                return (0, 0, "more than 2^63-1 elements");
        }
        long row = shape.Count == 0 ? 1 : shape[^1];
        if (row % type.BlockElements != 0)
            return (0, 0, $"rows of {row} numbers; expected a multiple of {type.BlockElements}, the block of {type.Name}");
        UInt128 bytes = elements / (UInt128)type.BlockElements * (UInt128)type.BlockBytes;
        return bytes > long.MaxValue ? (0, 0, "more than 2^63-1 bytes") : ((long)elements, (long)bytes, null);
    }

    /// <summary>The next multiple of an alignment, or null beyond 63 bits.</summary>
    internal static long? Align(long position, long alignment)
    {
        var aligned = ((UInt128)position + (UInt128)alignment - 1) / (UInt128)alignment * (UInt128)alignment;
        return aligned > long.MaxValue ? null : (long)aligned;
    }
}
