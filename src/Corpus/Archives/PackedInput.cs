namespace OpenEuroLLM.Corpus.Archives;

/// <summary>A file read through a window whose place in the file is always known, and that can be set back where the file allows it.</summary>
internal sealed class PackedInput(Stream file, int bufferBytes = 1 << 17)
{
    /// <summary>Consumed bytes that stay in the window, so that a consumer can take them back.</summary>
    private const int KeptBytes = 8;

    private readonly byte[] _buffer = new byte[bufferBytes];
    private long _bufferStart;
    private bool _ended;

    /// <summary>The window; what is not yet consumed lies from <see cref="Start"/> to <see cref="End"/>.</summary>
    public byte[] Buffer => _buffer;

    /// <summary>First byte of the window that is not consumed; a consumer moves it on.</summary>
    public int Start { get; set; }

    /// <summary>End of the bytes in the window.</summary>
    public int End { get; private set; }

    /// <summary>Place in the file of the next byte to be consumed.</summary>
    public long Position => _bufferStart + Start;

    /// <summary>Whether <see cref="Seek"/> can go anywhere.</summary>
    public bool CanSeek => file.CanSeek;

    /// <summary>The bytes at hand.</summary>
    public ReadOnlySpan<byte> Available => _buffer.AsSpan(Start, End - Start);

    /// <summary>Reads more behind what is not yet consumed.</summary>
    /// <returns>False at the end of the file, or when the window is full.</returns>
    public bool Fill()
    {
        if (_ended) return false;
        int dropped = Math.Max(0, Start - KeptBytes);
        if (dropped > 0)
        {
            _buffer.AsSpan(dropped, End - dropped).CopyTo(_buffer);
            _bufferStart += dropped;
            (Start, End) = (Start - dropped, End - dropped);
        }
        if (End == _buffer.Length) return false;
        int read = file.Read(_buffer, End, _buffer.Length - End);
        _ended = read == 0;
        End += read;
        return read > 0;
    }

    /// <summary>Reads on until at least so many bytes are at hand, if the file has them.</summary>
    public bool Require(int count)
    {
        while (End - Start < count)
            if (!Fill()) return false;
        return true;
    }

    /// <summary>Goes to a place of the file; beyond its end, to its end.</summary>
    public void Seek(long position)
    {
        if (position >= _bufferStart && position <= _bufferStart + End)
        {
            Start = (int)(position - _bufferStart);
            return;
        }
        _bufferStart = file.Seek(Math.Min(position, file.Length), SeekOrigin.Begin);
        (Start, End, _ended) = (0, 0, false);
    }
}
