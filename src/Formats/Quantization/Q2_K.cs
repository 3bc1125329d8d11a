using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>u8 s[16], u8 q[64], f16 d, f16 dmin</c>, sixteen groups of 16 with a scale (low) and a minimum (high) of four bits each;
/// x = d·scale·v − dmin·minimum, v from 0 to 3. Of each half of 128, byte l of 32 holds the elements l, l + 32, l + 64 and l + 96, two bits each
/// from the lowest up.</summary>
/// <remarks>The encoder's search: <see cref="MinimumScheme"/>.</remarks>
internal sealed class Q2_K() : QuantizedFormat("Q2_K", Elements, 84, 8 * 65504.0)
{
    private const int Elements = 256;
    private const int Groups = 16;
    private const int GroupElements = 16;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<byte> multiples = stackalloc byte[Groups], minima = stackalloc byte[Groups], levels = stackalloc byte[Elements];
        var (scale, minimumScale) = new MinimumScheme(MostLevel: 3, MostMultiple: 15).Search<Lanes16>(x, importance, multiples, minima, levels);
        block.Clear();
        for (var j = 0; j < Groups; j++) block[j] = (byte)(multiples[j] | (minima[j] << 4));
        for (var i = 0; i < Elements; i++) block[16 + TwoBits.Byte(i)] |= (byte)(levels[i] << TwoBits.Shift(i));
        BinaryPrimitives.WriteUInt16LittleEndian(block[80..], scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[82..], minimumScale);
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[80..]));
        var minimumScale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[82..]));
        for (var i = 0; i < Elements; i++)
        {
            var multiples = block[i / GroupElements];
            var level = (block[16 + TwoBits.Byte(i)] >> TwoBits.Shift(i)) & 3;
            x[i] = (scale * (multiples & 15) * level) - (minimumScale * (multiples >> 4));
        }
    }
}
