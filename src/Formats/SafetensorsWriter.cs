using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Formats;

/// <summary>Writes a safetensors file: declare every tensor, write the data of each in any order of tensors, finish.</summary>
/// <remarks>The layout is the reference writer's: tensors by descending type (hence alignment), then by name. The caller works inside a
/// folder that becomes visible as a whole, so the file is written in place.</remarks>
public sealed class SafetensorsWriter : IDisposable
{
    private const int PieceElements = 1 << 16;

    private readonly string _path;
    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _written = new(StringComparer.Ordinal);
    private WritableFile? _file;

    /// <summary>Prepares a file; nothing is written before the first tensor's data.</summary>
    /// <param name="path">The file to create or overwrite.</param>
    /// <param name="metadata">Text entries of <c>__metadata__</c>; null gives <c>format=pt</c>, which several loaders demand; empty leaves it out.</param>
    public SafetensorsWriter(string path, IReadOnlyDictionary<string, string>? metadata = null)
    {
        _path = path;
        _metadata = metadata ?? new Dictionary<string, string> { ["format"] = "pt" };
    }

    /// <summary>Announces a tensor.</summary>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="type">The stored element type.</param>
    /// <param name="shape">The extents, row-major; none for a scalar.</param>
    /// <exception cref="ArgumentException">The name is taken, or the shape has no valid size.</exception>
    /// <exception cref="InvalidOperationException">Data was written already.</exception>
    public void Declare(string name, SafetensorsType type, params ReadOnlySpan<long> shape)
    {
        if (_file is not null)
            throw new InvalidOperationException($"Tensor '{name}' is declared after data was written; declare all tensors first.");
        long[] extents = shape.ToArray();
        if (name == SafetensorsHeader.MetadataKey || _tensors.ContainsKey(name))
            throw new ArgumentException($"The name '{name}' is taken.", nameof(name));
        if (extents.Any(extent => extent < 0) || SafetensorsTensor.Measure(type, extents.Select(extent => (ulong)extent)) is not (long elements, long bytes))
            throw new ArgumentException($"The shape [{string.Join(", ", extents)}] of {type} has no valid size.", nameof(shape));
        _tensors.Add(name, new SafetensorsTensor(name, type, extents, elements, 0, bytes));
    }

    /// <summary>Appends stored bytes to a tensor.</summary>
    /// <exception cref="ArgumentException">The tensor is not declared, or would become larger than declared.</exception>
    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        Start();
        var tensor = Declared(name);
        long written = _written[name];
        if (bytes.Length > tensor.SizeBytes - written)
            throw new ArgumentException($"Tensor '{name}' has room for {tensor.SizeBytes - written} bytes more, not {bytes.Length}.", nameof(bytes));
        _file!.Write(bytes, tensor.FileOffset + written);
        _written[name] = written + bytes.Length;
    }

    /// <summary>Appends values to an F32, F16 or BF16 tensor, rounded to its type.</summary>
    /// <exception cref="ArgumentException">The tensor is not declared, has another type, or would become larger than declared.</exception>
    public void WriteFloats(string name, ReadOnlySpan<float> values)
    {
        var type = Declared(name).Type;
        if (type == SafetensorsType.F32)
        {
            Write(name, MemoryMarshal.AsBytes(values));
            return;
        }
        if (type is not (SafetensorsType.F16 or SafetensorsType.BF16))
            throw new ArgumentException($"Tensor '{name}' has type {type}; expected F32, F16 or BF16.", nameof(name));
        ushort[] rounded = ArrayPool<ushort>.Shared.Rent(PieceElements);
        try
        {
            for (; !values.IsEmpty; values = values[Math.Min(values.Length, PieceElements)..])
            {
                var piece = values[..Math.Min(values.Length, PieceElements)];
                var target = rounded.AsSpan(0, piece.Length);
                if (type == SafetensorsType.BF16)
                    HalfPrecision.ToBFloat16(piece, target);
                else
                    HalfPrecision.ToFloat16(piece, target);
                Write(name, MemoryMarshal.AsBytes(target));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(rounded);
        }
    }

    /// <summary>Checks that every tensor is complete and closes the file.</summary>
    /// <exception cref="InvalidOperationException">A tensor lacks data.</exception>
    public void Finish()
    {
        Start();
        foreach (var (name, written) in _written)
            if (written != _tensors[name].SizeBytes)
                throw new InvalidOperationException($"Tensor '{name}' has {written} of its {_tensors[name].SizeBytes} bytes.");
        Dispose();
    }

    /// <summary>Closes the file, complete or not.</summary>
    public void Dispose() => _file?.Dispose();

    private SafetensorsTensor Declared(string name) =>
        _tensors.TryGetValue(name, out var tensor) ? tensor : throw new ArgumentException($"Tensor '{name}' is not declared.", nameof(name));

    private void Start()
    {
        if (_file is not null)
            return;
        var ordered = _tensors.Values.OrderByDescending(tensor => tensor.Type).ThenBy(tensor => tensor.Name, Utf8Order.Instance).ToList();
        byte[] header = BuildHeader(ordered);
        long offset = 8 + header.Length;
        foreach (var tensor in ordered)
        {
            _tensors[tensor.Name] = tensor with { FileOffset = offset };
            _written[tensor.Name] = 0;
            offset = checked(offset + tensor.SizeBytes);
        }
        _file = new WritableFile(_path);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        _file.Write(length, 0);
        _file.Write(header, 8);
    }

    private byte[] BuildHeader(List<SafetensorsTensor> ordered)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, value) in _metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long begin = 0;
            foreach (var tensor in ordered)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsTypes.Name(tensor.Type));
                json.WriteStartArray("shape");
                foreach (long extent in tensor.Shape)
                    json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin = checked(begin + tensor.SizeBytes));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        int padded = (buffer.WrittenCount + 7) / 8 * 8;
        byte[] header = new byte[padded];
        header.AsSpan().Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(header);
        return header;
    }

    /// <summary>The order of names by their UTF-8 bytes, which differs from UTF-16 order beyond U+FFFF.</summary>
    private sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? left, string? right) =>
            Encoding.UTF8.GetBytes(left ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right ?? ""));
    }
}
