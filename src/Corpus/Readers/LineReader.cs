namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Splits a stream of bytes into lines without decoding them.</summary>
internal sealed class LineReader(Stream stream, int maxLineBytes = LineReader.DefaultMaxLineBytes)
{
    /// <summary>A longer line is taken for a broken file.</summary>
    public const int DefaultMaxLineBytes = 256 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end;
    private bool _ended;

    /// <summary>Number of the line last returned, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Reads the next line, without its line feed (and carriage return); it is valid until the next call.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The line is longer than the limit.</exception>
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
                if (Line == 0 && line.Span.StartsWith("\uFEFF"u8)) line = line[3..];
                _start = next;
                if (any) Line++;
                return any;
            }
            searched = _end - _start;
            Fill();
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        if (_end == _buffer.Length)
        {
            if (_end >= maxLineBytes) throw new InvalidDataException($"line {Line + 1} is longer than {maxLineBytes} bytes");
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, maxLineBytes));
        }
        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
    }
}
