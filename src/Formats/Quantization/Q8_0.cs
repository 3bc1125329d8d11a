using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, i8 q[32]</c>; x = q·d with d = max|x|/127.</summary>
/// <remarks>Byte for byte what the reference quantizer writes: products with 1/d in single precision, halves away from zero.</remarks>
internal sealed class Q8_0() : BlockFormat("Q8_0", Elements, Bytes, 127 * 65504.0)
{
    private const int Elements = 32;
    private const int Bytes = 34;

    private protected override void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            var largest = 0f;
            for (var i = 0; i < Elements; i++) largest = Math.Max(largest, Math.Abs(values[i]));
            var scale = largest / 127;
            var inverse = scale == 0 ? 0 : 1 / scale;
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, HalfPrecision.ToFloat16(scale));
            // A scale so small that its inverse overflows stores zeros whatever the numbers are.
            for (var i = 0; i < Elements; i++) blocks[2 + i] = (byte)(sbyte)(float.IsFinite(inverse) ? HalfAway.Round(values[i] * inverse) : 0);
        }
    }

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            for (var i = 0; i < Elements; i++) values[i] = (sbyte)blocks[2 + i] * scale;
        }
    }
}
