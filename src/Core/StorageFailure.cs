namespace OpenEuroLLM.Core;

/// <summary>Turns a failure of the disk into one line for the user: what happened, where, and what to do.</summary>
public static class StorageFailure
{
    private static readonly HashSet<int> _full = [28, 122, unchecked((int)0x80070070), unchecked((int)0x80070027)]; // ENOSPC, EDQUOT, Windows
    private static readonly HashSet<int> _readOnly = [1, 13, 30, unchecked((int)0x80070013)];                        // EPERM, EACCES, EROFS, Windows

    /// <summary>Whether the exception comes from storage, so that <see cref="Explain"/> can word it.</summary>
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>The user's message for a failed read or write at <paramref name="path"/>.</summary>
    public static UserErrorException Explain(Exception exception, string path)
    {
        string message = exception switch
        {
            IOException io when _full.Contains(io.HResult) => $"{path}: the disk is full; free some space or choose another folder.",
            UnauthorizedAccessException => $"{path}: permission denied; choose a folder you may read and write.",
            IOException io when _readOnly.Contains(io.HResult) => $"{path}: the folder cannot be written; choose a folder you may write to.",
            FileNotFoundException or DirectoryNotFoundException => $"{path}: not found; expected it to exist, check the path.",
            _ => $"{path}: reading or writing failed ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}); check the path and the disk.",
        };
        return new UserErrorException(message, exception);
    }
}
