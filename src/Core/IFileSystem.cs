namespace OpenEuroLLM.Core;

/// <summary>The file operations that crash safety depends on, as a seam: a test can let any one of them fail.</summary>
/// <remarks>Failures are the platform's own <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>;
/// <see cref="StorageFailure"/> turns them into messages for the user.</remarks>
public interface IFileSystem
{
    /// <summary>Whether a file (not a folder) is there.</summary>
    bool FileExists(string path);

    /// <summary>Whether a folder is there.</summary>
    bool DirectoryExists(string path);

    /// <summary>Opens a file for sequential reading.</summary>
    Stream OpenRead(string path);

    /// <summary>Creates a file, or empties the one that is there.</summary>
    Stream CreateFile(string path);

    /// <summary>Waits until everything written to an open file is on the disk (fsync).</summary>
    void FlushToDisk(Stream stream);

    /// <summary>Waits until the names in a folder are on the disk (fsync of the folder; nothing where the platform has no such call).</summary>
    void FlushDirectory(string path);

    /// <summary>Renames a file, replacing one that is there, or a folder, whose new name must be free.</summary>
    void Move(string source, string destination);

    /// <summary>Gives two folders each other's name, so that at every moment each name leads to one of the two.</summary>
    /// <returns>False, with nothing done, where the system or the disk cannot do that in one step.</returns>
    bool TryExchange(string first, string second);

    /// <summary>Gives a file a second name, or copies it where the disk has no second names. The two must not be written to afterwards.</summary>
    void LinkOrCopy(string source, string destination);

    /// <summary>Deletes a file, or a folder with everything in it; nothing happens when neither is there.</summary>
    void Delete(string path);

    /// <summary>Creates a folder and its missing parents.</summary>
    void CreateDirectory(string path);

    /// <summary>The files of a folder as full paths, in ordinal order.</summary>
    IEnumerable<string> EnumerateFiles(string directory, bool recursive);

    /// <summary>The folders directly in a folder as full paths, in ordinal order.</summary>
    IEnumerable<string> EnumerateDirectories(string directory);

    /// <summary>Length of a file in bytes.</summary>
    long FileLength(string path);

    /// <summary>Bytes still free for this user on the disk that holds the folder.</summary>
    long FreeBytes(string path);
}
