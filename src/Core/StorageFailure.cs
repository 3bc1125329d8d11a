namespace OpenEuroLLM.Core;

/// <summary>Turns a failure of the disk into one line for the user: what happened, where, and what to do.</summary>
public static class StorageFailure
{
    private static readonly HashSet<int> _full = [28, 122, unchecked((int)0x80070070), unchecked((int)0x80070027)]; // ENOSPC, EDQUOT, Windows
    private static readonly HashSet<int> _readOnly = [1, 13, 30, unchecked((int)0x80070013)];                        // EPERM, EACCES, EROFS, Windows
    private const int NotAFolder = 20, NotAFolderOnWindows = unchecked((int)0x8007010B);                            // ENOTDIR, ERROR_DIRECTORY

    /// <summary>Whether the exception comes from storage, so that <see cref="Explain"/> can word it.</summary>
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>The user's message for a failed read or write at <paramref name="path"/>.</summary>
    public static UserErrorException Explain(Exception exception, string path)
    {
        string message = exception switch
        {
            IOException io when _full.Contains(io.HResult) => $"{path}: the disk is full; free some space or choose another folder.",
            _ when WrongKind(exception, path) is { } wrong => wrong,
            UnauthorizedAccessException => $"{path}: permission denied; choose a folder you may read and write.",
            IOException io when _readOnly.Contains(io.HResult) => $"{path}: the folder cannot be written; choose a folder you may write to.",
            FileNotFoundException or DirectoryNotFoundException => $"{path}: not found; expected it to exist, check the path.",
            _ => $"{path}: reading or writing failed ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}); check the path and the disk.",
        };
        return new UserErrorException(message, exception);
    }

    /// <summary>What is there, where it is a folder and should be a file or the reverse: the platform then speaks of permissions, or of a path that is not found.</summary>
    private static string? WrongKind(Exception exception, string path)
    {
        if (exception is UnauthorizedAccessException && Quoted(exception.Message) is { } quoted && IsReadableFolder(quoted))
            return $"{quoted}: is a folder; expected a file.";
        if (exception is not (IOException or UnauthorizedAccessException) || exception is FileNotFoundException) return null;
        for (string? at = path; !string.IsNullOrEmpty(at); at = Path.GetDirectoryName(at))
        {
            if (!File.Exists(at)) continue;
            bool expectedFolder = at != path || exception is DirectoryNotFoundException || exception.HResult is NotAFolder or NotAFolderOnWindows;
            return expectedFolder ? $"{at}: is a file; expected a folder." : null;
        }
        return null;
    }

    private static string? Quoted(string message)
    {
        int start = message.IndexOf('\'', StringComparison.Ordinal), end = message.LastIndexOf('\'');
        return end > start + 1 ? message[(start + 1)..end] : null;
    }

    private static bool IsReadableFolder(string path)
    {
        try
        {
            if (!Directory.Exists(path)) return false;
            _ = Directory.EnumerateFileSystemEntries(path).Any();
            return true;
        }
        catch (Exception failure) when (Is(failure))
        {
            return false;
        }
    }
}
