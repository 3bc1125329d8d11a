using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, u8 q[16]</c>; x = (v − 8)·d, where byte j holds v of element j low and of element j + 16 high.</summary>
/// <remarks>The element of largest magnitude becomes exactly −8·d, so d carries its sign. Byte for byte what the reference quantizer writes.</remarks>
internal sealed class Q4_0() : BlockFormat("Q4_0", Elements, Bytes, 8 * 65504.0)
{
    private const int Elements = 32;
    private const int Bytes = 18;
    private const int Half = Elements / 2;

    private protected override void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            float largest = 0, magnitude = 0;
            for (var i = 0; i < Elements; i++)
                if (Math.Abs(values[i]) > magnitude) (largest, magnitude) = (values[i], Math.Abs(values[i]));
            var scale = largest / -8;
            var inverse = scale == 0 ? 0 : 1 / scale;
            if (!float.IsFinite(inverse)) inverse = 0; // the stored scale is 0 then, and so are the numbers
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, HalfPrecision.ToFloat16(scale));
            for (var j = 0; j < Half; j++)
                blocks[2 + j] = (byte)(Level(values[j] * inverse) | (Level(values[j + Half] * inverse) << 4));
        }
    }

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            for (var j = 0; j < Half; j++)
            {
                values[j] = ((blocks[2 + j] & 15) - 8) * scale;
                values[j + Half] = ((blocks[2 + j] >> 4) - 8) * scale;
            }
        }
    }

    private static int Level(float multiple) => Math.Min(15, (int)(multiple + 8.5f));
}
