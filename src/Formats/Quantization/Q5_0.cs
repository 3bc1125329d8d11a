namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, u32 qh, u8 q[16]</c>; x = (v − 16)·d, v from 0 to 31.</summary>
internal sealed class Q5_0() : ScaledLevels("Q5_0", 22, 16)
{
    private protected override void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed) => SmallLevels.WriteFive(levels, packed);

    private protected override void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels) => SmallLevels.ReadFive(packed, levels);
}
