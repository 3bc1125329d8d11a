using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>u8 ql[128], u8 qh[64], i8 sc[16], f16 d</c>, sixteen groups of 16 with an 8-bit scale each;
/// x = d·scale·v, v from −32 to 31.</summary>
/// <remarks>The encoder's search: <see cref="SymmetricScheme"/>.</remarks>
internal sealed class Q6_K() : QuantizedFormat("Q6_K", Elements, 210, 2048 * 65504.0)
{
    private const int Elements = 256;
    private const int Groups = 16;
    private const int GroupElements = 16;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<sbyte> multiples = stackalloc sbyte[Groups];
        Span<byte> levels = stackalloc byte[Elements];
        var scale = new SymmetricScheme(LeastLevel: -32, LeastMultiple: -128, Spacing: 1).Search(x, importance, multiples, levels);
        block.Clear();
        // A block of zeros is all zeros, whatever its levels would be.
        if (scale == 0 && !multiples.ContainsAnyExcept((sbyte)0)) return;
        BinaryPrimitives.WriteUInt16LittleEndian(block[208..], scale);
        for (var j = 0; j < Groups; j++) block[192 + j] = (byte)multiples[j];
        for (var i = 0; i < Elements; i++)
        {
            var (low, lowShift, high, highShift) = Place(i);
            block[low] |= (byte)((levels[i] & 15) << lowShift);
            block[128 + high] |= (byte)(levels[i] >> 4 << highShift);
        }
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[208..]));
        for (var i = 0; i < Elements; i++)
        {
            var (low, lowShift, high, highShift) = Place(i);
            var level = ((block[low] >> lowShift) & 15) | (((block[128 + high] >> highShift) & 3) << 4);
            x[i] = scale * (sbyte)block[192 + i / GroupElements] * (level - 32);
        }
    }

    /// <summary>Where the four low and two high bits of an element lie: byte and shift in ql, byte and shift in qh.</summary>
    private static (int Low, int LowShift, int High, int HighShift) Place(int element)
    {
        var (half, quarter, l) = (element / 128, element % 128 / 32, element % 32);
        return (64 * half + quarter % 2 * 32 + l, quarter / 2 * 4, 32 * half + l, 2 * quarter);
    }
}
