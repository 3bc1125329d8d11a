using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>A new file written at positions, with failures (no permission, disk full) in the user's words.</summary>
internal sealed class WritableFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;

    public WritableFile(string path)
    {
        _path = path;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, _path);
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, _path);
        }
    }

    public void Dispose() => _handle.Dispose();
}
