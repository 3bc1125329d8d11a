using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>u8 h[32], u8 q[64], u8 s[12], f16 d</c>, sixteen groups of 16 with a 6-bit scale each; x = d·(scale − 32)·v, v from
/// −4 to 3. v + 4 has its two low bits in q, as <see cref="Q2_K"/> has its levels, and its third as bit i / 32 of h[i % 32]. Scale j has its low four
/// bits in the low nibble of s[j], or from j = 8 in the high one of s[j − 8], and its upper two in s[8 + j % 4], two bits each from the lowest up.</summary>
/// <remarks>The encoder's search: <see cref="SymmetricScheme"/>.</remarks>
internal sealed class Q3_K() : QuantizedFormat("Q3_K", Elements, 110, 64 * 65504.0)
{
    private const int Elements = 256;
    private const int Groups = 16;
    private const int GroupElements = 16;
    private const int Low = 32;
    private const int Scales = Low + 64;
    private const int ScaleOffset = 32;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<sbyte> multiples = stackalloc sbyte[Groups];
        Span<byte> levels = stackalloc byte[Elements];
        var scale = new SymmetricScheme(LeastLevel: -4, LeastMultiple: -ScaleOffset, Spacing: 0.375f, Reach: 64).Search(x, importance, multiples, levels);
        block.Clear();
        for (var i = 0; i < Elements; i++)
        {
            block[i % 32] |= (byte)(levels[i] >> 2 << (i / 32));
            block[Low + TwoBits.Byte(i)] |= (byte)((levels[i] & 3) << TwoBits.Shift(i));
        }
        for (var j = 0; j < Groups; j++)
        {
            var stored = multiples[j] + ScaleOffset;
            block[Scales + j % 8] |= (byte)((stored & 15) << (j / 8 * 4));
            block[Scales + 8 + j % 4] |= (byte)(stored >> 4 << (j / 4 * 2));
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block[108..], scale);
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[108..]));
        for (var i = 0; i < Elements; i++)
        {
            var level = ((block[Low + TwoBits.Byte(i)] >> TwoBits.Shift(i)) & 3) | (((block[i % 32] >> (i / 32)) & 1) << 2);
            x[i] = scale * Multiple(block.Slice(Scales, 12), i / GroupElements) * (level - 4);
        }
    }

    private static int Multiple(ReadOnlySpan<byte> s, int group) =>
        (((s[group % 8] >> (group / 8 * 4)) & 15) | (((s[8 + group % 4] >> (group / 4 * 2)) & 3) << 4)) - ScaleOffset;
}
