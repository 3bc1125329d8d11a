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
/// <param name="LineStart">Where its line begins in the file.</param>
/// <param name="Origin">Index in the unit's list of origins.</param>
/// <param name="TextBytes">Length of the text as UTF-8.</param>
/// <param name="Tokens">Its tokens; 0 where none are counted.</param>
/// <param name="Host">After the last step, the index in the unit's list of hosts; -1 of a document without an address.</param>
/// <param name="Side">Which side its source puts it on.</param>
internal readonly record struct IndexEntry(UInt128 Hash, long LineStart, int Origin, int TextBytes, int Tokens, int Host, Side Side)
{
    private const int Bytes = 41;
    private const int EntriesAtOnce = 512;

    /// <summary>Appends the entry to a file.</summary>
    public void WriteTo(Stream stream)
    {
        Span<byte> buffer = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt128LittleEndian(buffer, Hash);
        BinaryPrimitives.WriteInt64LittleEndian(buffer[16..], LineStart);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[24..], Origin);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[28..], TextBytes);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[32..], Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[36..], Host);
        buffer[40] = (byte)Side;
        stream.Write(buffer);
    }

    /// <summary>Reads all entries of a file.</summary>
    public static IEnumerable<IndexEntry> ReadAll(IFileSystem files, string path)
    {
        using Stream stream = files.OpenRead(path);
        byte[] buffer = new byte[Bytes * EntriesAtOnce];
        while (true)
        {
            int read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            for (int at = 0; at + Bytes <= read; at += Bytes) yield return Parse(buffer.AsSpan(at));
            if (read < buffer.Length) yield break;
        }
    }

    /// <summary>Reads one entry, by its number.</summary>
    public static IndexEntry Read(IFileSystem files, string path, int number)
    {
        using Stream stream = files.OpenRead(path);
        stream.Seek((long)number * Bytes, SeekOrigin.Begin);
        Span<byte> buffer = stackalloc byte[Bytes];
        stream.ReadExactly(buffer);
        return Parse(buffer);
    }

    private static IndexEntry Parse(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt128LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[28..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]), (Side)bytes[40]);
}
