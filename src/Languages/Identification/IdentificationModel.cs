using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>The model's file, mapped into memory. Head: magic, version, number of tables, bytes of the rest, their SHA-256. The rest: per table its script,
/// columns, stride and buckets, labels, scales and temperatures; then the tables' marks and rows, each from a multiple of 64 on. All numbers are little-endian.</summary>
internal sealed unsafe class IdentificationModel : IDisposable
{
    public const int Version = 1, HeadBytes = 64, LabelBytes = 8, TemperatureCount = 16;
    public const long MostBytes = 64 << 20;

    private const int MostColumns = 256;
    private static ReadOnlySpan<byte> Magic => "OELLMLID"u8;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    private IdentificationModel(MemoryMappedFile file, MemoryMappedViewAccessor view, string path)
    {
        (_file, _view) = (file, view);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        try
        {
            Read(pointer + view.PointerOffset, view.Capacity, path);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ScoreTable Latin { get; private set; } = null!;

    public ScoreTable Cyrillic { get; private set; } = null!;

    /// <exception cref="UserErrorException">The file is absent, damaged or no model of this version.</exception>
    public static IdentificationModel Load(string path)
    {
        if (!File.Exists(path)) throw new UserErrorException($"{path}: is not there; expected a language identification model, 'oellm identify train' makes one.");
        try
        {
            long length = new FileInfo(path).Length;
            if (length is < HeadBytes or > MostBytes)
                throw new UserErrorException(FormattableString.Invariant($"{path}: has {length} bytes; expected an identification model of {HeadBytes} to {MostBytes}, make it again with 'oellm identify train'."));
            var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
            return new IdentificationModel(file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), path);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, path);
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    /// <summary>Where in the rest of the file the parts of a table lie, from their sizes alone.</summary>
    internal static (long Marks, long Rows, long End) Lay(long from, long buckets, int stride)
    {
        long marks = (from + 63) / 64 * 64;
        long rows = (marks + buckets * ScoreTable.BucketRows * sizeof(ushort) + 63) / 64 * 64;
        return (marks, rows, rows + buckets * ScoreTable.BucketRows * stride + ScoreTable.Lanes * 3);
    }

    /// <summary>Bytes that describe a table.</summary>
    internal static int DescriptionBytes(int columns) => 16 + columns * (LabelBytes + sizeof(float)) + TemperatureCount * sizeof(float);

    private void Read(byte* start, long length, string path)
    {
        var head = new ReadOnlySpan<byte>(start, HeadBytes);
        if (!head[..8].SequenceEqual(Magic)) throw Refuse(path, "is no language identification model");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        if (version != Version) throw Refuse(path, FormattableString.Invariant($"is of version {version}; this program reads version {Version}"));
        if (BinaryPrimitives.ReadUInt32LittleEndian(head[12..]) != 2) throw Refuse(path, "does not hold two tables");
        if (BinaryPrimitives.ReadInt64LittleEndian(head[16..]) != length - HeadBytes) throw Refuse(path, "is cut short or has something at its end");
        var rest = new ReadOnlySpan<byte>(start + HeadBytes, (int)(length - HeadBytes));
        if (!SHA256.HashData(rest).AsSpan().SequenceEqual(head[24..56])) throw Refuse(path, "is damaged: its hash does not fit");

        int position = 0;
        var first = Describe(rest, ref position, path);
        var second = Describe(rest, ref position, path);
        var (firstMarks, firstRows, firstEnd) = Lay(position, first.Buckets, first.Stride);
        var (secondMarks, secondRows, end) = Lay(firstEnd, second.Buckets, second.Stride);
        if (end != rest.Length) throw Refuse(path, "has tables of another size than it says");
        byte* body = start + HeadBytes;
        Latin = new ScoreTable(first.Labels, first.Scales, first.Temperatures, first.Stride, first.Buckets, (ushort*)(body + firstMarks), (sbyte*)(body + firstRows));
        Cyrillic = new ScoreTable(second.Labels, second.Scales, second.Temperatures, second.Stride, second.Buckets, (ushort*)(body + secondMarks), (sbyte*)(body + secondRows));
    }

    private static Description Describe(ReadOnlySpan<byte> rest, ref int position, string path)
    {
        if (rest.Length - position < 16) throw Refuse(path, "is too short for its tables");
        int columns = BinaryPrimitives.ReadInt32LittleEndian(rest[(position + 4)..]), stride = BinaryPrimitives.ReadInt32LittleEndian(rest[(position + 8)..]);
        int buckets = BinaryPrimitives.ReadInt32LittleEndian(rest[(position + 12)..]);
        if (columns is < 2 or > MostColumns || stride < columns || stride > MostColumns || buckets < 1 || buckets > MostBytes / ScoreTable.BucketRows)
            throw Refuse(path, FormattableString.Invariant($"has a table of {columns} columns, {stride} bytes a row and {buckets} buckets"));
        if (rest.Length - position < DescriptionBytes(columns)) throw Refuse(path, "is too short for its tables");
        position += 16;
        var labels = new string[columns];
        for (int column = 0; column < columns; column++, position += LabelBytes)
        {
            var name = rest.Slice(position, LabelBytes).TrimEnd((byte)0);
            if (name.IsEmpty || name.ContainsAnyExceptInRange((byte)'a', (byte)'z')) throw Refuse(path, "has a label that is no language code");
            labels[column] = Encoding.ASCII.GetString(name);
        }

        var scales = Numbers(rest, ref position, columns, path);
        var temperatures = Numbers(rest, ref position, TemperatureCount, path);
        return new Description(labels, scales, temperatures, stride, buckets);
    }

    private static float[] Numbers(ReadOnlySpan<byte> rest, ref int position, int count, string path)
    {
        var numbers = new float[count];
        for (int i = 0; i < count; i++, position += sizeof(float))
        {
            numbers[i] = BinaryPrimitives.ReadSingleLittleEndian(rest[position..]);
            if (!(numbers[i] > 1e-9f && numbers[i] < 1e9f)) throw Refuse(path, FormattableString.Invariant($"has {numbers[i]} for a scale or temperature"));
        }

        return numbers;
    }

    private static UserErrorException Refuse(string path, string what) => new($"{path}: {what}; fetch it again, or make one with 'oellm identify train'.");

    private sealed record Description(string[] Labels, float[] Scales, float[] Temperatures, int Stride, int Buckets);

    /// <summary>Writes the head for the rest of a file.</summary>
    internal static byte[] Head(ReadOnlySpan<byte> rest)
    {
        var head = new byte[HeadBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), 2);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), rest.Length);
        SHA256.HashData(rest, head.AsSpan(24));
        return head;
    }
}
