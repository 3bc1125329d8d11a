using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>Opening and exact positional reading, with failures in the user's words.</summary>
internal static class ReadableFile
{
    public static SafeFileHandle Open(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    public static void ReadExactly(SafeFileHandle handle, string path, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, destination, offset);
            }
            catch (IOException error)
            {
                throw StorageFailure.Explain(error, path);
            }
            if (read == 0)
                throw new UserErrorException($"{path}: the file ends at byte {offset}; expected {destination.Length} bytes more. It was cut while in use.");
            destination = destination[read..];
            offset += read;
        }
    }
}
