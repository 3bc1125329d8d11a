using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>Reads what stands before a GGUF file's data, with every check whose absence has let a crafted file read foreign memory.</summary>
internal sealed class GgufHeader
{
    public const string AlignmentKey = "general.alignment";
    public const int DefaultAlignment = 32;
    public const int MaximumAlignment = 1 << 20;
    public const int MaximumNameBytes = 63;
    public const int MaximumDimensions = 4;
    public const uint Version = 3;

    private const int MaximumKeyBytes = 65535;
    private const long MaximumItems = 1L << 30;

    // Far more than any model has; without them a file of empty entries would take many times its own size in memory.
    private const int MaximumEntries = 1 << 16;
    private const int MaximumTensors = 1 << 20;
    private const int SmallestEntryBytes = 8 + 4 + 1;
    private const int SmallestTensorBytes = 8 + 4 + 4 + 8;
    private const int PieceItems = 1 << 20;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly long _length;
    private readonly byte[] _window = new byte[1 << 16];
    private long _windowStart;
    private int _windowLength;
    private long _position;

    public GgufHeader(SafeFileHandle handle, string path)
    {
        _handle = handle;
        _path = path;
        _length = RandomAccess.GetLength(handle);
        Read();
    }

    public List<KeyValuePair<string, GgufValue>> Metadata { get; } = [];

    public List<GgufTensor> Tensors { get; } = [];

    public uint FileVersion { get; private set; }

    public int Alignment { get; private set; } = DefaultAlignment;

    private long Remaining => _length - _position;

    private void Read()
    {
        if (_length < 24)
            throw Malformed($"the file has {_length} bytes; a GGUF file has at least 24. Is it truncated, or another kind of file?");
        if (!Take(4, "the file's mark").SequenceEqual("GGUF"u8))
            throw Malformed("the file does not start with 'GGUF'. Is it really a GGUF file?");
        FileVersion = UInt32("the version");
        if (FileVersion is not (2 or Version))
            throw Malformed(BinaryPrimitives.ReverseEndianness(FileVersion) is 2 or Version
                ? "the file is big-endian; expected little-endian. Convert it on the machine it comes from."
                : $"the version is {FileVersion}; expected 2 or 3.");
        ulong tensors = UInt64("the number of tensors");
        ulong entries = UInt64("the number of metadata entries");
        if (entries > (ulong)(Remaining / SmallestEntryBytes))
            throw Malformed($"{entries} metadata entries are announced; the {Remaining} bytes left cannot hold them.");
        if (tensors > (ulong)(Remaining / SmallestTensorBytes))
            throw Malformed($"{tensors} tensors are announced; the {Remaining} bytes left cannot hold them.");
        if (entries > MaximumEntries)
            throw Malformed($"{entries} metadata entries are announced; expected at most {MaximumEntries}.");
        if (tensors > MaximumTensors)
            throw Malformed($"{tensors} tensors are announced; expected at most {MaximumTensors}.");
        ReadMetadata((long)entries);
        ReadTensors((long)tensors);
    }

    private void ReadMetadata(long count)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            string key = Text($"the key of metadata entry {i}", MaximumKeyBytes);
            if (!seen.Add(key))
                throw Malformed($"metadata key '{GgufText.Short(key)}' stands there twice.");
            Metadata.Add(new(key, Value(key)));
        }
        if (Metadata.FirstOrDefault(entry => entry.Key == AlignmentKey).Value is not { } alignment)
            return;
        if (alignment.Content is not uint value || !BitOperations.IsPow2(value) || value > MaximumAlignment)
            throw Malformed($"{AlignmentKey} is {alignment}; expected a power of two up to {MaximumAlignment}, as an unsigned 32-bit number.");
        Alignment = (int)value;
    }

    private GgufValue Value(string key)
    {
        string what = $"the value of '{GgufText.Short(key)}'";
        var type = Type(what);
        if (type != GgufValueType.Array)
            return new GgufValue(Single(type, what));
        var items = Type($"the items of '{GgufText.Short(key)}'");
        if (items == GgufValueType.Array)
            throw Malformed($"{what} is an array of arrays; expected items of a plain type.");
        ulong count = UInt64($"the number of items of '{GgufText.Short(key)}'");
        if (count > (ulong)MaximumItems || count * (ulong)GgufValue.Bytes(items) > (ulong)Remaining)
            throw Malformed($"{what} has {count} items; expected at most {MaximumItems}, and {Remaining} bytes are left in the file.");
        return new GgufValue(Items(items, (int)count, what));
    }

    private GgufValueType Type(string what)
    {
        uint type = UInt32($"the type of {what}");
        return type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw Malformed($"{what} has the type {type}; expected 0 to {(uint)GgufValueType.Float64}.");
    }

    private object Single(GgufValueType type, string what) => type switch
    {
        GgufValueType.String => Text(what, MaximumItems),
        GgufValueType.Bool => Truth(Take(1, what)[0], what),
        GgufValueType.UInt8 => Take(1, what)[0],
        GgufValueType.Int8 => (sbyte)Take(1, what)[0],
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what)),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, what)),
        GgufValueType.UInt32 => UInt32(what),
        GgufValueType.Int32 => (int)UInt32(what),
        GgufValueType.UInt64 => UInt64(what),
        GgufValueType.Int64 => (long)UInt64(what),
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, what)),
        _ => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, what)),
    };

    private Array Items(GgufValueType type, int count, string what)
    {
        switch (type)
        {
            case GgufValueType.String:
                var texts = new string[count];
                for (int i = 0; i < count; i++)
                    texts[i] = Text(what, MaximumItems);
                return texts;
            case GgufValueType.Bool:
                var flags = new bool[count];
                for (int i = 0; i < count; i++)
                    flags[i] = Truth(Take(1, what)[0], what);
                return flags;
            case GgufValueType.UInt8: return Numbers<byte>(count);
            case GgufValueType.Int8: return Numbers<sbyte>(count);
            case GgufValueType.UInt16: return Numbers<ushort>(count);
            case GgufValueType.Int16: return Numbers<short>(count);
            case GgufValueType.UInt32: return Numbers<uint>(count);
            case GgufValueType.Int32: return Numbers<int>(count);
            case GgufValueType.Float32: return Numbers<float>(count);
            case GgufValueType.UInt64: return Numbers<ulong>(count);
            case GgufValueType.Int64: return Numbers<long>(count);
            default: return Numbers<double>(count);
        }
    }

    private T[] Numbers<T>(int count) where T : unmanaged
    {
        var numbers = new T[count];
        for (int done = 0; done < count; done += PieceItems)
            Copy(MemoryMarshal.AsBytes(numbers.AsSpan(done, Math.Min(PieceItems, count - done))));
        return numbers;
    }

    private void ReadTensors(long count)
    {
        var found = new List<(string Name, GgufType Type, long[] Shape, long Elements, long Bytes, ulong Offset)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            string name = Text($"the name of tensor {i}", MaximumNameBytes);
            string shown = GgufText.Short(name);
            if (!seen.Add(name))
                throw Malformed($"tensor '{shown}' stands there twice.");
            uint dimensions = UInt32($"the dimensions of tensor '{shown}'");
            if (dimensions > MaximumDimensions)
                throw Malformed($"tensor '{shown}' has {dimensions} dimensions; expected at most {MaximumDimensions}.");
            long[] shape = new long[dimensions];
            for (int d = shape.Length - 1; d >= 0; d--)
                shape[d] = (long)UInt64($"the shape of tensor '{shown}'");
            uint id = UInt32($"the type of tensor '{shown}'");
            var type = GgufType.Find(id) ?? throw Malformed($"tensor '{shown}' has the type {id}, which is retired or not known here.");
            var (elements, bytes, mistake) = GgufTensor.Measure(type, shape);
            if (mistake is not null)
                throw Malformed($"tensor '{shown}' [{string.Join(", ", shape)}] of {type.Name} has {mistake}.");
            found.Add((name, type, shape, elements, bytes, UInt64($"the place of tensor '{shown}'")));
        }

        long start = GgufTensor.Align(_position, Alignment)!.Value; // a position in a file, so far from overflow
        long expected = 0;
        foreach (var (name, type, shape, elements, bytes, offset) in found)
        {
            string shown = GgufText.Short(name);
            if (offset != (ulong)expected)
                throw Malformed($"tensor '{shown}' starts at data byte {offset}; expected {expected}, where the one before it ends.");
            if (bytes > 0 && (start > _length || expected > _length - start || bytes > _length - start - expected))
                throw Malformed($"tensor '{shown}' needs {bytes} bytes from byte {(UInt128)start + (UInt128)expected}, and the file has {_length}; it is truncated, fetch or write it again.");
            Tensors.Add(new GgufTensor(name, type, shape, elements, start + expected, bytes));
            expected = GgufTensor.Align(bytes, Alignment) is long padded && padded <= long.MaxValue - start - expected
                ? expected + padded
                : throw Malformed($"tensor '{shown}' has {bytes} bytes; with its padding it ends beyond any file.");
        }
    }

    private bool Truth(byte value, string what) =>
        value <= 1 ? value == 1 : throw Malformed($"{what} is {value}; expected 0 or 1 for a truth value.");

    private string Text(string what, long maximum)
    {
        ulong length = UInt64($"the length of {what}");
        if (length > (ulong)maximum)
            throw Malformed($"{what} has {length} bytes; expected at most {maximum}.");
        if (length > (ulong)Remaining)
            throw Malformed($"{what} has {length} bytes, and the file has {Remaining} left; it is truncated, fetch or write it again.");
        try
        {
            if (length <= (ulong)_window.Length)
                return Strict.GetString(Take((int)length, what));
            byte[] bytes = new byte[length];
            Copy(bytes);
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{_path}: {what} is not valid UTF-8.", error);
        }
    }

    private uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    private ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>The next bytes, at most a window full; valid until the next call.</summary>
    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > Remaining)
            throw Malformed($"the file ends in {what}, at byte {_length}; it is truncated, fetch or write it again.");
        if (_position + count > _windowStart + _windowLength)
        {
            _windowStart = _position;
            _windowLength = (int)Math.Min(_window.Length, Remaining);
            ReadableFile.ReadExactly(_handle, _path, _window.AsSpan(0, _windowLength), _windowStart);
        }
        var taken = _window.AsSpan((int)(_position - _windowStart), count);
        _position += count;
        return taken;
    }

    private void Copy(Span<byte> destination)
    {
        ReadableFile.ReadExactly(_handle, _path, destination, _position);
        _position += destination.Length;
        _windowLength = 0;
    }

    private UserErrorException Malformed(string what) => new($"{_path}: {what}");
}
