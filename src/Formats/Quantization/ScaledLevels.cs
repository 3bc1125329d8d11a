using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Blocks of 32 levels with a scale: x = (v − offset)·d, of which q4_0 and q5_0 differ in the bits of v only.</summary>
/// <remarks>The element of largest magnitude becomes exactly −offset·d, so d carries its sign: byte for byte what the reference quantizer
/// writes. With importance, d is searched for the least weighted squared error instead.</remarks>
internal abstract class ScaledLevels(string name, int blockBytes, int offset) : QuantizedFormat(name, Elements, blockBytes, offset * 65504.0)
{
    private const int Elements = 32;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        var scale = importance.IsEmpty ? (ushort)0 : new SymmetricScheme(-offset, 0, offset / 16f).SearchAlone(x, importance, levels);
        if (scale == 0) scale = Plain(x, levels);
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        WriteLevels(levels, block[2..]);
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        Span<byte> levels = stackalloc byte[Elements];
        ReadLevels(block[2..], levels);
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block));
        for (var i = 0; i < Elements; i++) x[i] = (levels[i] - offset) * scale;
    }

    private protected abstract void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed);

    private protected abstract void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels);

    private ushort Plain(ReadOnlySpan<float> x, Span<byte> levels)
    {
        float largest = 0, magnitude = 0;
        for (var i = 0; i < Elements; i++)
            if (Math.Abs(x[i]) > magnitude) (largest, magnitude) = (x[i], Math.Abs(x[i]));
        var scale = largest / -offset;
        var inverse = scale == 0 ? 0 : 1 / scale;
        if (!float.IsFinite(inverse)) inverse = 0; // the stored scale is 0 then, and so are the numbers
        for (var i = 0; i < Elements; i++) levels[i] = (byte)Math.Min(2 * offset - 1, (int)(x[i] * inverse + (offset + 0.5f)));
        return HalfPrecision.ToFloat16(scale);
    }
}
