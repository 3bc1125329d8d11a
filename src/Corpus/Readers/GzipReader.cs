using System.IO.Compression;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Reads gzip to its very end, one member or several. The platform's reader takes a file that is cut short, or followed by other
/// bytes, for a shorter one; so a member of our own is read behind the file's last, and only when that one comes out whole was
/// the file whole too.</summary>
internal sealed class GzipReader : ForwardStream
{
    private static readonly byte[] Mark = "This is the end of the file, and it was whole."u8.ToArray();
    private static readonly byte[] MarkMember = Pack(Mark);

    private readonly FileThenMark _packed;
    private readonly GZipStream _unpacked;
    private readonly byte[] _buffer = new byte[(1 << 16) + Mark.Length];
    private int _start, _end;
    private bool _ended;

    public GzipReader(Stream file)
    {
        _packed = new FileThenMark(file);
        _unpacked = new GZipStream(_packed, CompressionMode.Decompress);
    }

    /// <exception cref="InvalidDataException">The data is damaged or cut short.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_end - _start <= Mark.Length && !_ended) Fill();   // as many bytes as the mark has are always held back
        int read = Math.Min(buffer.Length, _end - _start - Mark.Length);
        if (read <= 0) return 0;
        _buffer.AsSpan(_start, read).CopyTo(buffer);
        _start += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _unpacked.Dispose();
        base.Dispose(disposing);
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int read;
        try
        {
            read = _unpacked.Read(_buffer, _end, _buffer.Length - _end);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException("the gzip data is not valid", error);   // the platform's words are about archives
        }
        _end += read;
        if (read > 0) return;
        _ended = true;
        if (_packed.FileIsEmpty || !_buffer.AsSpan(_start, _end - _start).SequenceEqual(Mark))
            throw new InvalidDataException("the gzip data ends too early or other bytes follow it");
    }

    private static byte[] Pack(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var packing = new GZipStream(packed, CompressionLevel.SmallestSize)) packing.Write(content);
        return packed.ToArray();
    }

    private sealed class FileThenMark(Stream file) : ForwardStream
    {
        private int _markRead;
        private bool _fileEnded;

        public bool FileIsEmpty { get; private set; } = true;

        public override int Read(Span<byte> buffer)
        {
            int read = _fileEnded ? 0 : file.Read(buffer);
            if (read > 0)
            {
                FileIsEmpty = false;
                return read;
            }
            _fileEnded = true;
            read = Math.Min(buffer.Length, MarkMember.Length - _markRead);
            MarkMember.AsSpan(_markRead, read).CopyTo(buffer);
            _markRead += read;
            return read;
        }
    }
}
