using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Tests.Rights;

/// <summary>A file system that does nothing more after so many changes, as for a process that was killed.</summary>
internal sealed class FailingFiles(int changes) : IFileSystem
{
    private readonly PhysicalFileSystem _files = PhysicalFileSystem.Instance;
    private int _left = changes;

    public bool HasFailed => _left < 0;

    public bool FileExists(string path) => _files.FileExists(path);

    public bool DirectoryExists(string path) => _files.DirectoryExists(path);

    public Stream OpenRead(string path) => _files.OpenRead(path);

    public Stream CreateFile(string path) => Change(() => _files.CreateFile(path));

    public void FlushToDisk(Stream stream) => Change(() => _files.FlushToDisk(stream));

    public void FlushDirectory(string path) => Change(() => _files.FlushDirectory(path));

    public void Move(string source, string destination) => Change(() => _files.Move(source, destination));

    public bool TryExchange(string first, string second) => Change(() => _files.TryExchange(first, second));

    public void LinkOrCopy(string source, string destination) => Change(() => _files.LinkOrCopy(source, destination));

    public void Delete(string path) => Change(() => _files.Delete(path));

    public void CreateDirectory(string path) => Change(() => _files.CreateDirectory(path));

    public IEnumerable<string> EnumerateFiles(string directory, bool recursive) => _files.EnumerateFiles(directory, recursive);

    public IEnumerable<string> EnumerateDirectories(string directory) => _files.EnumerateDirectories(directory);

    public long FileLength(string path) => _files.FileLength(path);

    public long FreeBytes(string path) => _files.FreeBytes(path);

    private void Change(Action action) => Change(() =>
    {
        action();
        return true;
    });

    private T Change<T>(Func<T> action) => --_left < 0 ? throw new IOException("the process is gone") : action();
}
