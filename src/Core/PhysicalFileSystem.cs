using System.Runtime.InteropServices;

namespace OpenEuroLLM.Core;

/// <summary>The machine's own file system.</summary>
public sealed partial class PhysicalFileSystem : IFileSystem
{
    private const int BufferBytes = 1 << 16;
    private const int CurrentFolder = -100;                                          // AT_FDCWD
    private const uint ExchangeFlag = 2;                                             // RENAME_EXCHANGE
    private const int InvalidArgument = 22, NoSuchCall = 38, NotSupported = 95;      // what file systems say that cannot exchange

    /// <summary>The one instance.</summary>
    public static PhysicalFileSystem Instance { get; } = new();

    private PhysicalFileSystem() { }

    /// <inheritdoc/>
    public bool FileExists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public bool DirectoryExists(string path) => Directory.Exists(path);

    /// <inheritdoc/>
    public Stream OpenRead(string path) =>
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);

    /// <inheritdoc/>
    public Stream CreateFile(string path) => new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, BufferBytes);

    /// <inheritdoc/>
    public void FlushToDisk(Stream stream)
    {
        stream.Flush();
        if (stream is not FileStream file) return;
        if (file.CanWrite || !OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(file.SafeFileHandle);
            return;
        }

        // Windows flushes only through a handle that may write.
        using var handle = File.OpenHandle(file.Name, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <inheritdoc/>
    public void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) return; // NTFS orders its own metadata and has no call for this
        int descriptor = Open(path, 0);
        if (descriptor < 0) throw Failure(path);
        try
        {
            if (FileSynchronize(descriptor) != 0) throw Failure(path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <inheritdoc/>
    public void Move(string source, string destination)
    {
        if (Directory.Exists(source)) Directory.Move(source, destination);
        else File.Move(source, destination, overwrite: true);
    }

    /// <inheritdoc/>
    public bool TryExchange(string first, string second)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            if (RenameBoth(CurrentFolder, first, CurrentFolder, second, ExchangeFlag) == 0) return true;
        }
        catch (EntryPointNotFoundException)
        {
            return false;   // a C library without the call
        }
        return Marshal.GetLastPInvokeError() is InvalidArgument or NoSuchCall or NotSupported ? false : throw Failure(first);
    }

    /// <inheritdoc/>
    public void LinkOrCopy(string source, string destination)
    {
        if (OperatingSystem.IsWindows() || Link(source, destination) != 0) File.Copy(source, destination);
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else if (File.Exists(path)) File.Delete(path);
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public IEnumerable<string> EnumerateFiles(string directory, bool recursive)
    {
        var files = new List<string>(recursive ? FilesBelow(directory) : Directory.GetFiles(directory));
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    // A link may lead back to where it came from: each folder is entered once, by its own name before that of a link.
    private static List<string> FilesBelow(string directory)
    {
        var files = new List<string>();
        var links = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var entered = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<(string Path, string Real)>();
        waiting.Push((directory, Target(new DirectoryInfo(directory))));
        while (true)
        {
            while (waiting.TryPop(out var folder))
            {
                if (!entered.Add(folder.Real)) continue;
                files.AddRange(Directory.GetFiles(folder.Path));
                foreach (string path in Directory.GetDirectories(folder.Path))
                {
                    var info = new DirectoryInfo(path);
                    if (info.LinkTarget is null) waiting.Push((path, Path.Combine(folder.Real, info.Name)));
                    else links[path] = Target(info);
                }
            }
            if (links.Count == 0) return files;
            (string link, string real) = links.First();
            links.Remove(link);
            waiting.Push((link, real));
        }
    }

    private static string Target(DirectoryInfo folder) =>
        Path.TrimEndingDirectorySeparator(folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName);

    /// <inheritdoc/>
    public IEnumerable<string> EnumerateDirectories(string directory)
    {
        string[] folders = Directory.GetDirectories(directory);
        Array.Sort(folders, StringComparer.Ordinal);
        return folders;
    }

    /// <inheritdoc/>
    public long FileLength(string path) => new FileInfo(path).Length;

    /// <inheritdoc/>
    public long FreeBytes(string path) => new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;

    private static IOException Failure(string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameBoth(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string oldPath, string newPath);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSynchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
