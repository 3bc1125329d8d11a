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
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserErrorException($"{path}: there is no such file.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path}: cannot be read: {error.Message.ReplaceLineEndings(" ")}", error);
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
                throw new UserErrorException($"{path}: cannot be read at byte {offset}: {error.Message.ReplaceLineEndings(" ")}", error);
            }
            if (read == 0)
                throw new UserErrorException($"{path}: the file ends at byte {offset}; expected {destination.Length} bytes more. It was cut while in use.");
            destination = destination[read..];
            offset += read;
        }
    }
}
