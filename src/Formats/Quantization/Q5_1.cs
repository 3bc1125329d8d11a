namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, f16 m, u32 qh, u8 q[16]</c>; x = v·d + m, v from 0 to 31.</summary>
internal sealed class Q5_1() : ShiftedLevels("Q5_1", 24, 31)
{
    private protected override void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed) => SmallLevels.WriteFive(levels, packed);

    private protected override void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels) => SmallLevels.ReadFive(packed, levels);
}
