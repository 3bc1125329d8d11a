using System.Buffers.Binary;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>A part of a text that is compared with the parts of all others.</summary>
/// <param name="Key">Equal for equal parts; its values are spread evenly.</param>
/// <param name="Document">Number of the document in its unit.</param>
/// <param name="Start">Where the part begins in the text, in UTF-16 units.</param>
/// <param name="Length">Its length in UTF-16 units.</param>
internal readonly record struct RepeatRow(ulong Key, int Document, int Start, int Length)
{
    /// <summary>Length of a row.</summary>
    public const int Bytes = 20;

    /// <summary>The key of a row. Highest byte first, so that a key other than 0 makes the row take part.</summary>
    public static ulong KeyOf(ReadOnlySpan<byte> row) => BinaryPrimitives.ReadUInt64BigEndian(row);

    /// <summary>Reads a row.</summary>
    public static RepeatRow Read(ReadOnlySpan<byte> row) => new(
        KeyOf(row), BinaryPrimitives.ReadInt32LittleEndian(row[8..]), BinaryPrimitives.ReadInt32LittleEndian(row[12..]), BinaryPrimitives.ReadInt32LittleEndian(row[16..]));

    /// <summary>Fills in a row.</summary>
    public void Write(Span<byte> row)
    {
        BinaryPrimitives.WriteUInt64BigEndian(row, Key);
        BinaryPrimitives.WriteInt32LittleEndian(row[8..], Document);
        BinaryPrimitives.WriteInt32LittleEndian(row[12..], Start);
        BinaryPrimitives.WriteInt32LittleEndian(row[16..], Length);
    }
}
