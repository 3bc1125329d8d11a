using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Blocks of 32 levels with a scale and a minimum: x = v·d + m, of which q4_1 and q5_1 differ in the bits of v only.</summary>
/// <remarks>m is the least element and d the range divided evenly, both rounded to half precision once the levels are chosen: byte for byte what
/// the reference quantizer writes. With importance, d and m are searched for the least weighted squared error instead.</remarks>
internal abstract class ShiftedLevels(string name, int blockBytes, int mostLevel) : QuantizedFormat(name, Elements, blockBytes, 65504)
{
    private const int Elements = 32;

    private protected override void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        if (importance.IsEmpty || !Search(x, importance, levels, out var scale, out var minimum)) Plain(x, levels, out scale, out minimum);
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], minimum);
        WriteLevels(levels, block[4..]);
    }

    private protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x)
    {
        Span<byte> levels = stackalloc byte[Elements];
        ReadLevels(block[4..], levels);
        var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block));
        var minimum = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block[2..]));
        for (var i = 0; i < Elements; i++) x[i] = levels[i] * scale + minimum;
    }

    private protected abstract void WriteLevels(ReadOnlySpan<byte> levels, Span<byte> packed);

    private protected abstract void ReadLevels(ReadOnlySpan<byte> packed, Span<byte> levels);

    private void Plain(ReadOnlySpan<float> x, Span<byte> levels, out ushort scale, out ushort minimum)
    {
        float least = x[0], most = x[0];
        for (var i = 1; i < Elements; i++) (least, most) = (Math.Min(least, x[i]), Math.Max(most, x[i]));
        var step = (most - least) / mostLevel;
        var inverse = step == 0 ? 0 : 1 / step;
        if (!float.IsFinite(inverse)) inverse = 0; // the stored scale is 0 then, and all numbers are the minimum
        for (var i = 0; i < Elements; i++) levels[i] = (byte)Math.Min(mostLevel, (int)((x[i] - least) * inverse + 0.5f));
        (scale, minimum) = (HalfPrecision.ToFloat16(step), HalfPrecision.ToFloat16(least));
    }

    /// <summary>False where the numbers are equal, or too small for a search.</summary>
    private bool Search(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> levels, out ushort scale, out ushort minimum)
    {
        var group = new MinimumGroup<Lanes32> { X = Lanes32.Load(x) };
        group.W = ErrorWeights.Of(group.X, ErrorWeights.Spread(x), importance, 0);
        group.FitAlone(x, mostLevel, anyOffset: true);
        (scale, minimum) = (HalfPrecision.ToFloat16(group.Step), HalfPrecision.ToFloat16(Math.Clamp(-group.Offset, -65504, 65504)));
        group.Assign(HalfPrecision.FromFloat16(scale), -HalfPrecision.FromFloat16(minimum), mostLevel);
        group.Store(levels);
        return scale != 0;
    }
}
