using System.Runtime.InteropServices;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Half precision: nearest, ties to even.</summary>
/// <remarks>From 65520 on a number would round to infinity.</remarks>
internal sealed class F16() : BlockFormat("F16", 1, sizeof(ushort), 65519.996)
{
    private protected override void EncodeBlocks(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks) =>
        HalfPrecision.ToFloat16(values, MemoryMarshal.Cast<byte, ushort>(blocks));

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values) =>
        HalfPrecision.FromFloat16(MemoryMarshal.Cast<byte, ushort>(blocks), values);
}
