namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, f16 m, u8 q[16]</c>; x = v·d + m, v from 0 to 15.</summary>
internal sealed class Q4_1() : ShiftedLevels("Q4_1", 20, 15)
{
    private protected override void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed) => SmallLevels.WriteNibbles(levels, packed);

    private protected override void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels) => SmallLevels.ReadNibbles(packed, levels);
}
