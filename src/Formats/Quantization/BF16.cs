using System.Runtime.InteropServices;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>The upper half of single precision: nearest, ties to even.</summary>
internal sealed class BF16() : BlockFormat("BF16", 1, sizeof(ushort), 3.3961e38)
{
    private protected override void EncodeBlocks(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks) =>
        HalfPrecision.ToBFloat16(values, MemoryMarshal.Cast<byte, ushort>(blocks));

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values) =>
        HalfPrecision.FromBFloat16(MemoryMarshal.Cast<byte, ushort>(blocks), values);
}
