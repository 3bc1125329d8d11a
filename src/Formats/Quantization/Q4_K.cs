using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>f16 d, f16 dmin, u8 s[12], u8 q[128]</c>, eight groups of 32 with 6-bit scale and minimum each;
/// x = d·scale·v − dmin·minimum, v from 0 to 15. Each 32 bytes of q hold a group in their low and the next in their high nibbles.</summary>
/// <remarks>The encoder's search: <see cref="MinimumScheme"/>.</remarks>
internal sealed class Q4_K() : QuantizedFormat("Q4_K", Elements, 144, 32 * 65504.0)
{
    private const int Elements = 256;
    private const int Groups = 8;
    private const int GroupElements = 32;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<byte> multiples = stackalloc byte[Groups], minima = stackalloc byte[Groups], levels = stackalloc byte[Elements];
        var (scale, minimumScale) = new MinimumScheme(MostLevel: 15, MostMultiple: 63).Search<Lanes32>(x, importance, multiples, minima, levels);
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], minimumScale);
        SixBitMultiples.Write(multiples, minima, block.Slice(4, SixBitMultiples.Bytes));
        for (var i = 0; i < Elements / 2; i++)
        {
            var low = i / GroupElements * 2 * GroupElements + i % GroupElements;
            block[16 + i] = (byte)(levels[low] | (levels[low + GroupElements] << 4));
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
            var packed = block.Slice(16 + j / 2 * GroupElements, GroupElements);
            var shift = j % 2 * 4;
            for (var i = 0; i < GroupElements; i++) x[j * GroupElements + i] = (step * ((packed[i] >> shift) & 15)) - offset;
        }
    }
}
