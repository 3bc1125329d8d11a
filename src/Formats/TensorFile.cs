using System.Buffers;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats;

/// <summary>An open file of named tensors whose header was checked: data is read in pieces, as it is stored or as numbers, or mapped as it lies.</summary>
public abstract class TensorFile : IDisposable
{
    private const int PieceBytes = 1 << 18;

    private readonly IReadOnlyList<StoredFile> _files;

    private protected TensorFile(IReadOnlyList<StoredFile> files)
    {
        Path = files[0].Path;
        _files = files;
    }

    /// <summary>The path that was opened; of a model in several files that of the first.</summary>
    public string Path { get; }

    /// <summary>Reads stored bytes of a tensor.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="offset">The first byte wanted, counted from the tensor's start.</param>
    /// <param name="destination">Receives exactly its own length of bytes.</param>
    /// <exception cref="UserErrorException">There is no such tensor, or the file became shorter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The piece does not lie inside the tensor.</exception>
    public void Read(string name, long offset, Span<byte> destination)
    {
        var place = PlaceOf(name);
        RequireInside(offset, destination.Length, place.SizeBytes);
        place.File.Read(destination, place.FileOffset + offset);
    }

    /// <summary>Reads a piece of a tensor as numbers.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="firstElement">The first element wanted, at the beginning of a block where its type has blocks.</param>
    /// <param name="destination">Receives as many elements as it holds, a whole number of blocks.</param>
    /// <exception cref="UserErrorException">There is no such tensor, its type is not decoded here, or the file became shorter.</exception>
    /// <exception cref="ArgumentException">The piece does not lie inside the tensor, or cuts a block.</exception>
    public void ReadFloats(string name, long firstElement, Span<float> destination)
    {
        var place = PlaceOf(name);
        var format = FormatOf(name);
        RequireInside(firstElement, destination.Length, place.Elements);
        long offset = format.RowBytes(firstElement);
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int pieceElements = PieceBytes / format.BlockBytes * format.BlockElements;
            for (int done = 0; done < destination.Length; done += pieceElements)
            {
                var target = destination[done..Math.Min(destination.Length, done + pieceElements)];
                var bytes = piece.AsSpan(0, (int)format.RowBytes(target.Length));
                place.File.Read(bytes, place.FileOffset + offset + format.RowBytes(done));
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
        var place = PlaceOf(name);
        RequireInside(offset, length, place.SizeBytes);
        return place.File.Bytes(place.FileOffset + offset, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Where a tensor lies.</summary>
    /// <exception cref="UserErrorException">There is none with this name.</exception>
    private protected abstract Place PlaceOf(string name);

    /// <summary>How a tensor's numbers are decoded.</summary>
    /// <exception cref="UserErrorException">They are not decoded here.</exception>
    private protected abstract BlockFormat FormatOf(string name);

    private static void RequireInside(long offset, long length, long size)
    {
        if (offset < 0 || length < 0 || offset > size || length > size - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} from {offset} do not lie inside a tensor of {size}.");
    }

    /// <summary>A tensor's file, its first byte there, its bytes and its numbers.</summary>
    private protected readonly record struct Place(StoredFile File, long FileOffset, long SizeBytes, long Elements);
}
