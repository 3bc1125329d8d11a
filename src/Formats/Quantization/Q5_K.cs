using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>f16 d, f16 dmin, u8 s[12], u8 qh[32], u8 q[128]</c>; as <see cref="Q4_K"/>, with v from 0 to 31: bit g of qh[i] is
/// the fifth bit of element i of group g.</summary>
/// <remarks>The encoder's search: <see cref="MinimumScheme"/>.</remarks>
internal sealed class Q5_K() : QuantizedFormat("Q5_K", Elements, 176, 64 * 65504.0)
{
    private const int Elements = 256;
    private const int Groups = 8;
    private const int GroupElements = 32;
    private const int Fifth = 16;
    private const int Low = Fifth + GroupElements;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<byte> multiples = stackalloc byte[Groups], minima = stackalloc byte[Groups], levels = stackalloc byte[Elements];
        var (scale, minimumScale) = new MinimumScheme(MostLevel: 31, MostMultiple: 63).Search<Lanes32>(x, importance, multiples, minima, levels);
        block.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], minimumScale);
        SixBitMultiples.Write(multiples, minima, block.Slice(4, SixBitMultiples.Bytes));
        for (var i = 0; i < Elements; i++)
        {
            var (group, place) = Math.DivRem(i, GroupElements);
            block[Fifth + place] |= (byte)(levels[i] >> 4 << group);
            block[Low + group / 2 * GroupElements + place] |= (byte)((levels[i] & 15) << (group % 2 * 4));
        }
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block));
        var minimumScale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[2..]));
        for (var j = 0; j < Groups; j++)
        {
            var (multiple, minimum) = SixBitMultiples.Read(block.Slice(4, SixBitMultiples.Bytes), j);
            var (step, offset) = (scale * multiple, minimumScale * minimum);
            var packed = block.Slice(Low + j / 2 * GroupElements, GroupElements);
            for (var i = 0; i < GroupElements; i++)
            {
                var level = ((packed[i] >> (j % 2 * 4)) & 15) | (((block[Fifth + i] >> j) & 1) << 4);
                x[j * GroupElements + i] = (step * level) - offset;
            }
        }
    }
}
