using System.Buffers.Binary;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>How the blocks of 32 hold levels of 4 or 5 bits: byte j of 16 has the low four bits of element j low and of element j + 16 high;
/// the fifth bit of element j is bit j of a word before them.</summary>
internal static class SmallLevels
{
    private const int Elements = 32;
    private const int Half = Elements / 2;

    public static void WriteNibbles(ReadOnlySpan<byte> levels, Span<byte> packed)
    {
        for (var j = 0; j < Half; j++) packed[j] = (byte)((levels[j] & 15) | (levels[j + Half] << 4));
    }

    public static void ReadNibbles(ReadOnlySpan<byte> packed, Span<byte> levels)
    {
        for (var j = 0; j < Half; j++) (levels[j], levels[j + Half]) = ((byte)(packed[j] & 15), (byte)(packed[j] >> 4));
    }

    public static void WriteFive(ReadOnlySpan<byte> levels, Span<byte> packed)
    {
        var fifth = 0u;
        for (var i = 0; i < Elements; i++) fifth |= (uint)(levels[i] >> 4) << i;
        BinaryPrimitives.WriteUInt32LittleEndian(packed, fifth);
        WriteNibbles(levels, packed[4..]);
    }

    public static void ReadFive(ReadOnlySpan<byte> packed, Span<byte> levels)
    {
        ReadNibbles(packed[4..], levels);
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(packed);
        for (var i = 0; i < Elements; i++) levels[i] |= (byte)((fifth >> i & 1) << 4);
    }
}
