using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 32: <c>f16 d, i8 q[32]</c>; x = q·d with d = max|x|/127.</summary>
/// <remarks>Byte for byte what the reference quantizer writes: products with 1/d in single precision, halves away from zero. Importance does not change it.</remarks>
internal sealed class Q8_0() : QuantizedFormat("Q8_0", Elements, 34, 127 * 65504.0)
{
    private const int Elements = 32;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        var largest = 0f;
        for (var i = 0; i < Elements; i++) largest = Math.Max(largest, Math.Abs(x[i]));
        var scale = largest / 127;
        var inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteUInt16LittleEndian(block, HalfPrecision.ToFloat16(scale));
        // A scale so small that its inverse overflows stores zeros whatever the numbers are.
        for (var i = 0; i < Elements; i++) block[2 + i] = (byte)(sbyte)(float.IsFinite(inverse) ? HalfAway.Round(x[i] * inverse) : 0);
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block));
        for (var i = 0; i < Elements; i++) x[i] = (sbyte)block[2 + i] * scale;
    }
}
