using System.Runtime.InteropServices;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Single precision, as it is.</summary>
internal sealed class F32() : BlockFormat("F32", 1, sizeof(float), float.MaxValue)
{
    private protected override void EncodeBlocks(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks) => MemoryMarshal.AsBytes(values).CopyTo(blocks);

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values) => blocks.CopyTo(MemoryMarshal.AsBytes(values));
}
