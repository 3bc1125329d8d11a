using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary>One file on its way to the disk: appended to what an interrupted run left, hashed as it passes.</summary>
internal sealed class FetchBlob : IFetchTarget, IDisposable
{
    private readonly FetchFile file;
    private readonly FileStream stream;
    private readonly Action<long> arrived;
    private HubHash hash;

    /// <summary>Opens the unfinished file and hashes what is there.</summary>
    /// <param name="file">What it is to become.</param>
    /// <param name="path">The unfinished file.</param>
    /// <param name="begun">How much of it counts.</param>
    /// <param name="arrived">Told how many bytes came, below 0 when some are taken back.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    public FetchBlob(FetchFile file, string path, long begun, Action<long> arrived, CancellationToken cancellation)
    {
        (this.file, this.arrived) = (file, arrived);
        stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1);
        hash = new HubHash(file.Hash, file.Bytes);
        try
        {
            stream.SetLength(begun);
            hash.Append(stream, begun, cancellation);
        }
        catch
        {
            Dispose();
            throw;
        }
        Resumed = begun > 0;
    }

    /// <summary>Bytes there.</summary>
    public long Length => stream.Position;

    /// <summary>Whether bytes of an earlier run are among them.</summary>
    public bool Resumed { get; private set; }

    /// <summary>Whether all bytes are there and have the hash.</summary>
    public bool IsWhole() => stream.Position == file.Bytes && hash.Matches();

    public void Begin(long at)
    {
        if (at == stream.Position) return;
        if (at != 0) throw new ArgumentOutOfRangeException(nameof(at), at, "a file is continued where it ends, or begun anew");
        arrived(-stream.Position);
        stream.SetLength(0);
        hash.Dispose();
        hash = new HubHash(file.Hash, file.Bytes);
        Resumed = false;
    }

    public void Take(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        hash.Append(bytes);
        arrived(bytes.Length);
    }

    public void Dispose()
    {
        stream.Dispose();
        hash.Dispose();
    }
}
