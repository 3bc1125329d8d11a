namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, u8 q[16]</c>; x = (v − 8)·d, v from 0 to 15.</summary>
internal sealed class Q4_0() : ScaledLevels("Q4_0", 18, 8)
{
    private protected override void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed) => SmallLevels.WriteNibbles(levels, packed);

    private protected override void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels) => SmallLevels.ReadNibbles(packed, levels);
}
