using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests;

/// <summary>The machine's own files, until the disk is full.</summary>
internal sealed class FailingFiles : IFileSystem
{
    private readonly PhysicalFileSystem _files = PhysicalFileSystem.Instance;
    private readonly Lock _gate = new();

    /// <summary>Files that can still be created.</summary>
    public int WritesLeft { get; set; } = int.MaxValue;

    /// <summary>Told of every file created.</summary>
    public Action<string>? OnCreate { get; init; }

    public Stream CreateFile(string path)
    {
        lock (_gate)
        {
            OnCreate?.Invoke(path);
            if (WritesLeft <= 0) throw new IOException("No space left on device", 28);
            WritesLeft--;
        }
        return _files.CreateFile(path);
    }

    public bool FileExists(string path) => _files.FileExists(path);

    public bool DirectoryExists(string path) => _files.DirectoryExists(path);

    public Stream OpenRead(string path) => _files.OpenRead(path);

    public void FlushToDisk(Stream stream) => stream.Flush();

    public void FlushDirectory(string path) { }

    public void Move(string from, string to) => _files.Move(from, to);

    public bool TryExchange(string first, string second) => _files.TryExchange(first, second);

    public void LinkOrCopy(string source, string destination) => _files.LinkOrCopy(source, destination);

    public void Delete(string path) => _files.Delete(path);

    public void CreateDirectory(string path) => _files.CreateDirectory(path);

    public IEnumerable<string> EnumerateFiles(string directory, bool recursive) => _files.EnumerateFiles(directory, recursive);

    public IEnumerable<string> EnumerateDirectories(string directory) => _files.EnumerateDirectories(directory);

    public long FileLength(string path) => _files.FileLength(path);

    public long FreeBytes(string path) => _files.FreeBytes(path);
}
