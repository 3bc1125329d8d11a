using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests.Erasure;

/// <summary>The machine's own files up to one operation, at which the process is gone: it and all after it fail.</summary>
/// <param name="left">Operations until then.</param>
/// <param name="exchanges">Whether two folders can be exchanged in one step.</param>
internal sealed class FailingSteps(int left, bool exchanges = true) : IFileSystem
{
    private readonly PhysicalFileSystem _files = PhysicalFileSystem.Instance;
    private readonly Lock _gate = new();
    private int _left = left;

    public bool IsDead => _left < 0;

    public bool FileExists(string path) => _files.FileExists(path);

    public bool DirectoryExists(string path) => _files.DirectoryExists(path);

    public Stream OpenRead(string path) => _files.OpenRead(path);

    public Stream CreateFile(string path)
    {
        Step();
        return _files.CreateFile(path);
    }

    public void FlushToDisk(Stream stream)
    {
        Step();
        stream.Flush();
    }

    public void FlushDirectory(string path) => Step();

    public void Move(string source, string destination)
    {
        Step();
        _files.Move(source, destination);
    }

    public bool TryExchange(string first, string second)
    {
        if (!exchanges) return false;
        Step();
        return _files.TryExchange(first, second);
    }

    public void LinkOrCopy(string source, string destination)
    {
        Step();
        _files.LinkOrCopy(source, destination);
    }

    public void Delete(string path)
    {
        Step();
        _files.Delete(path);
    }

    public void CreateDirectory(string path)
    {
        Step();
        _files.CreateDirectory(path);
    }

    public IEnumerable<string> EnumerateFiles(string directory, bool recursive) => _files.EnumerateFiles(directory, recursive);

    public IEnumerable<string> EnumerateDirectories(string directory) => _files.EnumerateDirectories(directory);

    public long FileLength(string path) => _files.FileLength(path);

    public long FreeBytes(string path) => _files.FreeBytes(path);

    private void Step()
    {
        lock (_gate)
        {
            if (--_left < 0) throw new IOException("the process is gone");
        }
    }
}
