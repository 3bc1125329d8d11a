using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>Writes a GGUF file, version 3: metadata, declarations of every tensor, the data of each in any order of tensors, finish.</summary>
/// <remarks>The file takes its name when it is finished; until then it stands beside it under a temporary one.</remarks>
public sealed class GgufWriter : IDisposable
{
    private readonly string _path;
    private readonly List<KeyValuePair<string, GgufValue>> _metadata = [];
    private readonly List<GgufTensor> _order = [];
    private readonly Dictionary<string, GgufTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _written = new(StringComparer.Ordinal);
    private long _end;
    private WritableFile? _file;

    /// <summary>Prepares a file; nothing is written before the first tensor's data.</summary>
    /// <param name="path">The file to create or replace.</param>
    public GgufWriter(string path)
    {
        _path = path;
    }

    /// <summary>Appends a metadata entry.</summary>
    /// <param name="key">Its key, unique in the file; <c>general.alignment</c> takes effect.</param>
    /// <param name="value">A value of one of the types of <see cref="GgufValue"/>, or such a value itself.</param>
    /// <exception cref="ArgumentException">The key is taken, or the value has no place in this format.</exception>
    /// <exception cref="InvalidOperationException">Data was written already.</exception>
    public void Add(string key, object value)
    {
        RequireNotStarted(key);
        if (_metadata.Any(entry => entry.Key == key))
            throw new ArgumentException($"The key '{key}' is taken.", nameof(key));
        var added = value as GgufValue ?? new GgufValue(value);
        if (key == GgufHeader.AlignmentKey && (added.Content is not uint alignment || !BitOperations.IsPow2(alignment) || alignment > GgufHeader.MaximumAlignment))
            throw new ArgumentException($"{key} is {added}; expected a power of two up to {GgufHeader.MaximumAlignment}, as an unsigned 32-bit number.", nameof(value));
        _metadata.Add(new(key, added));
    }

    /// <summary>Announces a tensor; tensors lie in the order of their declarations.</summary>
    /// <param name="name">Its name, unique in the file, below 64 bytes.</param>
    /// <param name="type">How its numbers are stored.</param>
    /// <param name="shape">The extents, slowest first; the last is the length of a row.</param>
    /// <exception cref="ArgumentException">The name is taken or too long, or the shape does not fit the type.</exception>
    /// <exception cref="InvalidOperationException">Data was written already.</exception>
    public void Declare(string name, GgufType type, params ReadOnlySpan<long> shape)
    {
        RequireNotStarted(name);
        long[] extents = shape.ToArray();
        if (Encoding.UTF8.GetByteCount(name) > GgufHeader.MaximumNameBytes)
            throw new ArgumentException($"The name '{name}' has more than {GgufHeader.MaximumNameBytes} bytes.", nameof(name));
        if (extents.Length > GgufHeader.MaximumDimensions)
            throw new ArgumentException($"Tensor '{name}' has {extents.Length} dimensions; expected at most {GgufHeader.MaximumDimensions}.", nameof(shape));
        var (elements, bytes, mistake) = GgufTensor.Measure(type, extents);
        if (mistake is not null)
            throw new ArgumentException($"Tensor '{name}' [{string.Join(", ", extents)}] of {type.Name} has {mistake}.", nameof(shape));
        var tensor = new GgufTensor(name, type, extents, elements, 0, bytes);
        if (!_tensors.TryAdd(name, tensor))
            throw new ArgumentException($"The name '{name}' is taken.", nameof(name));
        _order.Add(tensor);
    }

    /// <summary>Appends stored bytes to a tensor.</summary>
    /// <exception cref="ArgumentException">The tensor is not declared, or would become larger than declared.</exception>
    /// <exception cref="UserErrorException">The disk is full or cannot be written.</exception>
    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        Start();
        if (!_tensors.TryGetValue(name, out var tensor))
            throw new ArgumentException($"Tensor '{name}' is not declared.", nameof(name));
        long written = _written[name];
        if (bytes.Length > tensor.SizeBytes - written)
            throw new ArgumentException($"Tensor '{name}' has room for {tensor.SizeBytes - written} bytes more, not {bytes.Length}.", nameof(bytes));
        _file!.Write(bytes, tensor.FileOffset + written);
        _written[name] = written + bytes.Length;
    }

    /// <summary>Checks that every tensor is complete, and gives the file its name.</summary>
    /// <exception cref="InvalidOperationException">A tensor lacks data.</exception>
    /// <exception cref="UserErrorException">The disk is full or cannot be written.</exception>
    public void Finish()
    {
        Start();
        foreach (var (name, written) in _written)
            if (written != _tensors[name].SizeBytes)
                throw new InvalidOperationException($"Tensor '{name}' has {written} of its {_tensors[name].SizeBytes} bytes.");
        _file!.Commit(_end);
        Dispose();
    }

    /// <summary>Closes the file; what is not finished is removed.</summary>
    public void Dispose() => _file?.Dispose();

    private void RequireNotStarted(string what)
    {
        if (_file is not null)
            throw new InvalidOperationException($"'{what}' comes after data was written; declare everything first.");
    }

    private void Start()
    {
        if (_file is not null)
            return;
        long alignment = _metadata.FirstOrDefault(entry => entry.Key == GgufHeader.AlignmentKey).Value?.Content is uint given ? given : GgufHeader.DefaultAlignment;
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        buffer.Write("GGUF"u8);
        Put(buffer, GgufHeader.Version);
        Put(buffer, (ulong)_order.Count);
        Put(buffer, (ulong)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            Put(buffer, key);
            PutValue(buffer, value);
        }
        long offset = 0;
        foreach (var tensor in _order)
        {
            Put(buffer, tensor.Name);
            Put(buffer, (uint)tensor.Shape.Count);
            for (int d = tensor.Shape.Count - 1; d >= 0; d--)
                Put(buffer, (ulong)tensor.Shape[d]);
            Put(buffer, tensor.Type.Id);
            Put(buffer, (ulong)offset);
            _tensors[tensor.Name] = tensor with { FileOffset = offset };
            _written[tensor.Name] = 0;
            offset = checked(offset + Aligned(tensor.SizeBytes));
        }
        long start = Aligned(buffer.WrittenCount);
        foreach (var (name, tensor) in _tensors)
            _tensors[name] = tensor with { FileOffset = start + tensor.FileOffset };
        _end = checked(start + offset);
        _file = WritableFile.Replacing(_path);
        _file.Write(buffer.WrittenSpan, 0);

        long Aligned(long position) => GgufTensor.Align(position, alignment) ?? throw new ArgumentException($"{_path}: the tensors end beyond any file.");
    }

    private static void PutValue(ArrayBufferWriter<byte> buffer, GgufValue value)
    {
        Put(buffer, (uint)value.Type);
        if (value.Content is not Array items)
        {
            PutContent(buffer, value.Content);
            return;
        }
        Put(buffer, (uint)value.ElementType!);
        Put(buffer, (ulong)items.Length);
        switch (items)
        {
            case string[] texts:
                foreach (string text in texts)
                    Put(buffer, text);
                break;
            case byte[] numbers: PutNumbers<byte>(buffer, numbers); break;
            case sbyte[] numbers: PutNumbers<sbyte>(buffer, numbers); break;
            case ushort[] numbers: PutNumbers<ushort>(buffer, numbers); break;
            case short[] numbers: PutNumbers<short>(buffer, numbers); break;
            case uint[] numbers: PutNumbers<uint>(buffer, numbers); break;
            case int[] numbers: PutNumbers<int>(buffer, numbers); break;
            case float[] numbers: PutNumbers<float>(buffer, numbers); break;
            case bool[] numbers: PutNumbers<bool>(buffer, numbers); break;
            case ulong[] numbers: PutNumbers<ulong>(buffer, numbers); break;
            case long[] numbers: PutNumbers<long>(buffer, numbers); break;
            case double[] numbers: PutNumbers<double>(buffer, numbers); break;
        }
    }

    private static void PutContent(ArrayBufferWriter<byte> buffer, object content)
    {
        switch (content)
        {
            case string text: Put(buffer, text); break;
            case byte number: PutNumbers<byte>(buffer, [number]); break;
            case sbyte number: PutNumbers<sbyte>(buffer, [number]); break;
            case ushort number: PutNumbers<ushort>(buffer, [number]); break;
            case short number: PutNumbers<short>(buffer, [number]); break;
            case uint number: Put(buffer, number); break;
            case int number: PutNumbers<int>(buffer, [number]); break;
            case float number: PutNumbers<float>(buffer, [number]); break;
            case bool truth: PutNumbers<bool>(buffer, [truth]); break;
            case ulong number: Put(buffer, number); break;
            case long number: PutNumbers<long>(buffer, [number]); break;
            case double number: PutNumbers<double>(buffer, [number]); break;
        }
    }

    // The processors this runs on are little-endian, as the format is.
    private static void PutNumbers<T>(ArrayBufferWriter<byte> buffer, ReadOnlySpan<T> numbers) where T : unmanaged => buffer.Write(MemoryMarshal.AsBytes(numbers));

    private static void Put(ArrayBufferWriter<byte> buffer, uint number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(4), number);
        buffer.Advance(4);
    }

    private static void Put(ArrayBufferWriter<byte> buffer, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(buffer.GetSpan(8), number);
        buffer.Advance(8);
    }

    private static void Put(ArrayBufferWriter<byte> buffer, string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        Put(buffer, (ulong)length);
        Encoding.UTF8.GetBytes(text, buffer.GetSpan(length));
        buffer.Advance(length);
    }
}
