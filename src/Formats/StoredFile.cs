using Microsoft.Win32.SafeHandles;

namespace OpenEuroLLM.Formats;

/// <summary>A file that tensors lie in: open for reading in pieces, and mapped into memory when someone asks for bytes as they lie.</summary>
internal sealed class StoredFile(string path, SafeFileHandle handle) : IDisposable
{
    private readonly Lock _mapping = new();
    private MappedFile? _mapped;

    public string Path => path;

    public void Read(Span<byte> destination, long offset) => ReadableFile.ReadExactly(handle, path, destination, offset);

    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        lock (_mapping)
            _mapped ??= MappedFile.Open(path);
        return _mapped.Span(offset, length);
    }

    public void Dispose()
    {
        handle.Dispose();
        _mapped?.Dispose();
    }
}
