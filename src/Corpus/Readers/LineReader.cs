namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Splits a stream of bytes into lines without decoding them.</summary>
/// <param name="stream">The bytes.</param>
/// <param name="maxLineBytes">A longer line is taken for a broken one.</param>
/// <param name="offset">Place of the stream's first byte in its file.</param>
internal sealed class LineReader(Stream stream, int maxLineBytes = LineReader.DefaultMaxLineBytes, long offset = 0)
{
    /// <summary>The longest line where nothing else is said.</summary>
    public const int DefaultMaxLineBytes = 256 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private long _bufferStart = offset;
    private int _start, _end;
    private bool _ended;

    /// <summary>Number of the line last read, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Place of the line last read.</summary>
    public long Start { get; private set; }

    /// <summary>Place of the next line.</summary>
    public long Next => _bufferStart + _start;

    /// <summary>Reads the next line, without its line feed (and carriage return); it is valid until the next call.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The line is longer than the limit; the next call reads the one after it.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = _start;
        while (true)
        {
            int found = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (found >= 0 || _ended)
            {
                int stop = found >= 0 ? searched + found : _end;
                int next = found >= 0 ? stop + 1 : _end;
                bool any = next > _start;
                int length = stop - _start;
                if (length > 0 && _buffer[stop - 1] == '\r') length--;
                line = _buffer.AsMemory(_start, length);
                if (Line == 0 && Next == 0 && line.Span.StartsWith("\uFEFF"u8)) line = line[3..];
                Start = Next;
                _start = next;
                if (any) Line++;
                return any;
            }
            searched = _end - _start;
            if (searched >= maxLineBytes)
            {
                SkipLine();
                throw new InvalidDataException($"the line is longer than {maxLineBytes} bytes");
            }
            Fill();
        }
    }

    /// <summary>Passes over a line, however long.</summary>
    /// <returns>False at the end.</returns>
    public bool SkipLine()
    {
        Start = Next;
        bool any = false;
        while (true)
        {
            int found = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            any |= _end > _start;
            _start = found >= 0 ? _start + found + 1 : _end;
            if (found >= 0 || _ended) break;
            Fill();
        }
        if (any) Line++;
        return any;
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _bufferStart += _start;
        _end -= _start;
        _start = 0;
        if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, maxLineBytes));
        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
    }
}
