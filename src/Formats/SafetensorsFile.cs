using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>An open safetensors file: its header is checked completely, its data is read in pieces or mapped as it lies.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int PieceBytes = 1 << 18;

    private readonly SafeFileHandle _handle;
    private readonly Lock _mapping = new();
    private MappedFile? _mapped;

    private SafetensorsFile(
        string path, SafeFileHandle handle, IReadOnlyDictionary<string, SafetensorsTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Path = path;
        _handle = handle;
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The path given to <see cref="Open"/>.</summary>
    public string Path { get; }

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
            return new SafetensorsFile(path, handle, tensors, metadata);
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

    /// <summary>Reads stored bytes of a tensor.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="offset">The first byte wanted, counted from the tensor's start.</param>
    /// <param name="destination">Receives exactly its own length of bytes.</param>
    /// <exception cref="UserErrorException">There is no such tensor, or the file became shorter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The piece does not lie inside the tensor.</exception>
    public void Read(string name, long offset, Span<byte> destination)
    {
        var tensor = Tensor(name);
        RequireInside(offset, destination.Length, tensor.SizeBytes);
        ReadableFile.ReadExactly(_handle, Path, destination, tensor.FileOffset + offset);
    }

    /// <summary>Reads a whole F32, F16 or BF16 tensor as float32; see <see cref="ReadFloats(string, long, Span{float})"/>.</summary>
    /// <exception cref="ArgumentException">The destination does not have as many elements as the tensor.</exception>
    public void ReadFloats(string name, Span<float> destination)
    {
        long elements = Tensor(name).Elements;
        if (destination.Length != elements)
            throw new ArgumentException($"The destination has {destination.Length} elements; tensor '{name}' has {elements}.", nameof(destination));
        ReadFloats(name, 0, destination);
    }

    /// <summary>Reads a piece of an F32, F16 or BF16 tensor as float32, exactly.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="firstElement">The first element wanted.</param>
    /// <param name="destination">Receives as many elements as it holds.</param>
    /// <exception cref="UserErrorException">There is no such tensor, it has another type, or the file became shorter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The piece does not lie inside the tensor.</exception>
    public void ReadFloats(string name, long firstElement, Span<float> destination)
    {
        var tensor = Tensor(name);
        if (tensor.Type is not (SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16))
            throw new UserErrorException($"{Path}: tensor '{name}' has type {SafetensorsTypes.Name(tensor.Type)}; expected F32, F16 or BF16.");
        RequireInside(firstElement, destination.Length, tensor.Elements);
        int elementBytes = SafetensorsTypes.Bits(tensor.Type) / 8;
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int pieceElements = PieceBytes / elementBytes;
            for (int done = 0; done < destination.Length; done += pieceElements)
            {
                var target = destination[done..Math.Min(destination.Length, done + pieceElements)];
                var bytes = piece.AsSpan(0, target.Length * elementBytes);
                ReadableFile.ReadExactly(_handle, Path, bytes, tensor.FileOffset + ((firstElement + done) * elementBytes));
                HalfPrecision.Widen(tensor.Type, bytes, target);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>Stored bytes of a tensor as they lie in the memory-mapped file, valid until the file is disposed.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="offset">The first byte wanted, counted from the tensor's start.</param>
    /// <param name="length">How many bytes; a span holds at most 2 GiB, so larger tensors are taken in pieces.</param>
    /// <exception cref="UserErrorException">There is no such tensor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The piece does not lie inside the tensor.</exception>
    public ReadOnlySpan<byte> Bytes(string name, long offset, int length)
    {
        var tensor = Tensor(name);
        RequireInside(offset, length, tensor.SizeBytes);
        lock (_mapping)
            _mapped ??= MappedFile.Open(Path);
        return _mapped.Span(tensor.FileOffset + offset, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _handle.Dispose();
        _mapped?.Dispose();
    }

    private static void RequireInside(long offset, long length, long size)
    {
        if (offset < 0 || length < 0 || offset > size || length > size - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} from {offset} do not lie inside a tensor of {size}.");
    }
}
