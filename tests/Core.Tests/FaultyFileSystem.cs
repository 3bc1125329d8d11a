namespace OpenEuroLLM.Core.Tests;

/// <summary>The real file system until the operation number <paramref name="failAt"/>, which throws instead of being done,
/// as do all after it when <paramref name="dead"/> (a process that was killed there).</summary>
internal sealed class FaultyFileSystem(int failAt, Func<Exception> failure, bool dead = false) : IFileSystem
{
    private readonly PhysicalFileSystem _inner = PhysicalFileSystem.Instance;

    public int Operations { get; private set; }

    public bool FileExists(string path) => _inner.FileExists(path);
    public bool DirectoryExists(string path) => _inner.DirectoryExists(path);
    public Stream OpenRead(string path) { Step(); return _inner.OpenRead(path); }
    public Stream CreateFile(string path) { Step(); return new Watched(this, _inner.CreateFile(path)); }
    public void FlushToDisk(Stream stream) { Step(); _inner.FlushToDisk(stream is Watched watched ? watched.Inner : stream); }
    public void FlushDirectory(string path) { Step(); _inner.FlushDirectory(path); }
    public void Move(string source, string destination) { Step(); _inner.Move(source, destination); }
    public bool TryExchange(string first, string second) { Step(); return _inner.TryExchange(first, second); }
    public void LinkOrCopy(string source, string destination) { Step(); _inner.LinkOrCopy(source, destination); }
    public void Delete(string path) { Step(); _inner.Delete(path); }
    public void CreateDirectory(string path) { Step(); _inner.CreateDirectory(path); }
    public IEnumerable<string> EnumerateFiles(string directory, bool recursive) { Step(); return _inner.EnumerateFiles(directory, recursive); }
    public IEnumerable<string> EnumerateDirectories(string directory) { Step(); return _inner.EnumerateDirectories(directory); }
    public long FileLength(string path) { Step(); return _inner.FileLength(path); }
    public long FreeBytes(string path) => _inner.FreeBytes(path);

    private void Step()
    {
        Operations++;
        if (Operations == failAt || (dead && Operations > failAt)) throw failure();
    }

    /// <summary>Half of what is written arrives before a failing write, as on a full disk.</summary>
    private sealed class Watched(FaultyFileSystem owner, Stream inner) : Stream
    {
        public Stream Inner => inner;
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => inner.Position = value; }
        public override void Flush() => inner.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count)
        {
            inner.Write(buffer, offset, count / 2);
            owner.Step();
            inner.Write(buffer, offset + count / 2, count - count / 2);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
