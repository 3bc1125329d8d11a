using System.Buffers.Binary;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Which side of the split a document belongs to.</summary>
internal enum Side : byte
{
    /// <summary>The hash of its text decides.</summary>
    ByHash,

    /// <summary>Its source gives it for training.</summary>
    Train,

    /// <summary>Its source holds it out.</summary>
    HeldOut,
}

/// <summary>What is known of a document in the work folder without reading it again: one for each line of the file beside it.</summary>
/// <param name="Hash">After the last step, the identity of the text; before, 0.</param>
/// <param name="Origin">Index in the unit's list of origins.</param>
/// <param name="Side">Which side its source puts it on.</param>
/// <param name="TextBytes">Length of the text as UTF-8.</param>
internal readonly record struct IndexEntry(UInt128 Hash, int Origin, Side Side, int TextBytes)
{
    private const int Bytes = 25;

    /// <summary>Appends the entry to a file.</summary>
    public void WriteTo(Stream stream)
    {
        Span<byte> buffer = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt128LittleEndian(buffer, Hash);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[16..], Origin);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[20..], TextBytes);
        buffer[24] = (byte)Side;
        stream.Write(buffer);
    }

    /// <summary>Reads all entries of a file.</summary>
    public static IEnumerable<IndexEntry> ReadAll(IFileSystem files, string path)
    {
        using Stream stream = files.OpenRead(path);
        byte[] buffer = new byte[Bytes];
        while (stream.ReadAtLeast(buffer, Bytes, throwOnEndOfStream: false) == Bytes)
            yield return new IndexEntry(
                BinaryPrimitives.ReadUInt128LittleEndian(buffer), BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(16)),
                (Side)buffer[24], BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(20)));
    }
}
