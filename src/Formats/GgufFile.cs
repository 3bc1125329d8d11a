using System.Buffers;
using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>An open GGUF file, version 2 or 3: its header is checked completely, its data is read in pieces or mapped as it lies.</summary>
public sealed class GgufFile : IDisposable
{
    private const int PieceBytes = 1 << 18;

    private readonly SafeFileHandle _handle;
    private readonly Lock _mapping = new();
    private readonly Dictionary<string, GgufValue> _values;
    private readonly Dictionary<string, GgufTensor> _byName;
    private MappedFile? _mapped;

    private GgufFile(string path, SafeFileHandle handle, GgufHeader header)
    {
        Path = path;
        _handle = handle;
        Version = (int)header.FileVersion;
        Alignment = header.Alignment;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
        _values = new(header.Metadata, StringComparer.Ordinal);
        _byName = header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The path given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>2 or 3; they differ in nothing that is read here.</summary>
    public int Version { get; }

    /// <summary>Every tensor begins at a multiple of this many bytes.</summary>
    public int Alignment { get; }

    /// <summary>The metadata in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, GgufValue>> Metadata { get; }

    /// <summary>The tensors in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Opens a file and checks its header: counts, texts, names, types, shapes, and that the tensors follow each other without holes.</summary>
    /// <exception cref="UserErrorException">The file is missing, truncated or malformed; the message names the place.</exception>
    public static GgufFile Open(string path)
    {
        var handle = ReadableFile.Open(path);
        try
        {
            return new GgufFile(path, handle, new GgufHeader(handle, path));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A text from a file as messages show it: one line, not too long.</summary>
    public static string Shown(string text) => GgufText.Short(text);

    /// <summary>A metadata value, or null when there is none.</summary>
    public GgufValue? Value(string key) => _values.GetValueOrDefault(key);

    /// <summary>A whole number of any width.</summary>
    /// <param name="key">The metadata key.</param>
    /// <param name="least">Smallest value expected.</param>
    /// <param name="most">Largest value expected.</param>
    /// <param name="absent">What a missing key means; null when it may not be missing.</param>
    /// <exception cref="UserErrorException">It is missing, no whole number, or out of range.</exception>
    public int Integer(string key, int least, int most, int? absent = null)
    {
        var value = Value(key);
        if (value is null && absent is int given)
            return given;
        return value?.Integer is long found && found >= least && found <= most ? (int)found
            : throw new UserErrorException($"{Path}: {key} is {value?.ToString() ?? "missing"}; expected a whole number from {least} to {most}.");
    }

    /// <summary>A number above 0.</summary>
    /// <inheritdoc cref="Integer"/>
    public double Number(string key, double? absent = null)
    {
        var value = Value(key);
        if (value is null && absent is double given)
            return given;
        return value?.Number is double found && found > 0 && double.IsFinite(found) ? found
            : throw new UserErrorException($"{Path}: {key} is {value?.ToString() ?? "missing"}; expected a number above 0.");
    }

    /// <summary>A text, or null when the key is missing.</summary>
    /// <exception cref="UserErrorException">The value is no text.</exception>
    public string? Text(string key) => Value(key) is not { } value ? null
        : value.Content as string ?? throw new UserErrorException($"{Path}: {key} is {value}; expected a text.");

    /// <summary>The tensor with a name, or null when there is none.</summary>
    public GgufTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The tensor with a name.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public GgufTensor Tensor(string name) => Find(name)
        ?? throw new UserErrorException($"{Path}: tensor '{name}' is missing; the file has {Tensors.Count} tensors.");

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

    /// <summary>Reads a piece of a tensor as numbers.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="firstElement">The first element wanted, at the beginning of a block.</param>
    /// <param name="destination">Receives as many elements as it holds, a whole number of blocks.</param>
    /// <exception cref="UserErrorException">There is no such tensor, its type is not decoded here, or the file became shorter.</exception>
    /// <exception cref="ArgumentException">The piece does not lie inside the tensor, or cuts a block.</exception>
    public void ReadFloats(string name, long firstElement, Span<float> destination)
    {
        var tensor = Tensor(name);
        var format = tensor.Type.Format ?? throw new UserErrorException($"{Path}: tensor '{name}' has the type {tensor.Type.Name}, which is not decoded here.");
        RequireInside(firstElement, destination.Length, tensor.Elements);
        long offset = format.RowBytes(firstElement);
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int pieceElements = PieceBytes / format.BlockBytes * format.BlockElements;
            for (int done = 0; done < destination.Length; done += pieceElements)
            {
                var target = destination[done..Math.Min(destination.Length, done + pieceElements)];
                var bytes = piece.AsSpan(0, (int)format.RowBytes(target.Length));
                ReadableFile.ReadExactly(_handle, Path, bytes, tensor.FileOffset + offset + format.RowBytes(done));
                format.Decode(bytes, target);
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
