using System.Buffers.Binary;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats;

/// <summary>An open safetensors file: its header is checked completely, its data is read in pieces or mapped as it lies.</summary>
public sealed class SafetensorsFile : TensorFile
{
    private readonly StoredFile _file;

    private SafetensorsFile(
        StoredFile file, IReadOnlyDictionary<string, SafetensorsTensor> tensors, IReadOnlyDictionary<string, string> metadata) : base([file])
    {
        _file = file;
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; }

    /// <summary>The text entries of <c>__metadata__</c>; empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header: sizes, names, types, shapes, and that the tensors tile the data exactly.</summary>
    /// <exception cref="UserErrorException">The file is missing, truncated or malformed; the message names the place.</exception>
    public static SafetensorsFile Open(string path)
    {
        var handle = ReadableFile.Open(path);
        try
        {
            long length = RandomAccess.GetLength(handle);
            if (length < 8)
                throw new UserErrorException($"{path}: the file has {length} bytes; a safetensors file has at least 8. Is it truncated, or another kind of file?");
            Span<byte> start = stackalloc byte[8];
            ReadableFile.ReadExactly(handle, path, start, 0);
            ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(start);
            if (headerLength > SafetensorsHeader.MaximumBytes)
                throw new UserErrorException($"{path}: the header length is {headerLength}; expected at most {SafetensorsHeader.MaximumBytes}. Is it really a safetensors file?");
            if (8 + (long)headerLength > length)
                throw new UserErrorException($"{path}: the header should end at byte {8 + headerLength}, but the file has {length} bytes; it is truncated, fetch or write it again.");
            byte[] header = new byte[(int)headerLength];
            ReadableFile.ReadExactly(handle, path, header, 8);
            var (tensors, metadata) = SafetensorsHeader.Parse(path, header, length);
            return new SafetensorsFile(new StoredFile(path, handle), tensors, metadata);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The tensor with a name.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public SafetensorsTensor Tensor(string name) =>
        Tensors.TryGetValue(name, out var tensor) ? tensor
            : throw new UserErrorException($"{Path}: tensor '{name}' is missing; the file has {Tensors.Count} tensors.");

    /// <summary>Reads a whole F32, F16 or BF16 tensor as float32; see <see cref="TensorFile.ReadFloats(string, long, Span{float})"/>.</summary>
    /// <exception cref="ArgumentException">The destination does not have as many elements as the tensor.</exception>
    public void ReadFloats(string name, Span<float> destination)
    {
        long elements = Tensor(name).Elements;
        if (destination.Length != elements)
            throw new ArgumentException($"The destination has {destination.Length} elements; tensor '{name}' has {elements}.", nameof(destination));
        ReadFloats(name, 0, destination);
    }

    private protected override Place PlaceOf(string name)
    {
        var tensor = Tensor(name);
        return new Place(_file, tensor.FileOffset, tensor.SizeBytes, tensor.Elements);
    }

    private protected override BlockFormat FormatOf(string name)
    {
        var type = Tensor(name).Type;
        return SafetensorsTypes.Format(type) ?? throw new UserErrorException($"{Path}: tensor '{name}' has type {SafetensorsTypes.Name(type)}; expected F32, F16 or BF16.");
    }
}
