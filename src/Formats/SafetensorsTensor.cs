namespace OpenEuroLLM.Formats;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The extents, row-major; empty for a scalar.</param>
/// <param name="Elements">The product of <paramref name="Shape"/>.</param>
/// <param name="FileOffset">The first byte, counted from the start of the file.</param>
/// <param name="SizeBytes">The stored size.</param>
public sealed record SafetensorsTensor(
    string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Elements, long FileOffset, long SizeBytes)
{
    /// <summary>The shape in words, as in error messages: <c>[2, 3]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>Elements and bytes of a shape, or null when either overflows 63 bits or the bits do not fill whole bytes.</summary>
    internal static (long Elements, long Bytes)? Measure(SafetensorsType type, IEnumerable<ulong> shape)
    {
        UInt128 elements = 1;
        foreach (ulong extent in shape)
        {
            // Checked at each step, as the reference does: a later zero does not excuse an overflow before it.
            elements *= extent;
            if (elements > long.MaxValue)
                return null;
        }
        UInt128 bits = elements * (UInt128)SafetensorsTypes.Bits(type);
        return bits % 8 == 0 && bits / 8 <= long.MaxValue ? ((long)elements, (long)(bits / 8)) : null;
    }
}
