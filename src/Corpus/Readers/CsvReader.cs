using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Reads rows of fields parted by a byte; a field in quotation marks may hold the byte, line ends, and quotation marks doubled. Source: RFC 4180; more leniently, a quotation mark
/// within a field that does not begin with one stands for itself, and a line may end in a line feed alone.</summary>
internal sealed class CsvReader(Stream stream, byte separator, int maxRowBytes = CsvReader.DefaultMaxRowBytes)
{
    /// <summary>The longest row: a longer one mostly has a quotation mark that is never closed.</summary>
    public const int DefaultMaxRowBytes = 16 << 20;

    private const byte Quote = (byte)'"';

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly List<byte> _field = [];
    private int _start, _end;
    private bool _begun;

    /// <summary>Number of the line that the row last read begins on, from 1.</summary>
    public long Line { get; private set; }

    private long _nextLine = 1;

    /// <summary>Reads the next row; an empty line is none.</summary>
    /// <returns>Null at the end.</returns>
    /// <exception cref="InvalidDataException">The row is longer than the limit; reading goes on at the next line.</exception>
    /// <exception cref="DamagedDataException">The file is damaged.</exception>
    public List<byte[]>? Read()
    {
        SkipMark();
        while (true)
        {
            int first = Peek();
            if (first < 0) return null;
            if (first is not ('\n' or '\r')) break;
            Take();
            if (first == '\n') _nextLine++;
        }
        Line = _nextLine;
        var row = new List<byte[]>();
        int length = 0;
        while (true)
        {
            bool more = ReadField(ref length);
            row.Add([.. _field]);
            if (!more) return row;
        }
    }

    /// <summary>Reads a field with what ends it; false when the row ends with it.</summary>
    private bool ReadField(ref int length)
    {
        _field.Clear();
        bool quoted = Peek() == Quote;
        if (quoted) Take();
        while (true)
        {
            int next = Peek();
            if (next < 0) return false;
            Take();
            if (next == '\n') _nextLine++;
            if (quoted && next == Quote)
            {
                if (Peek() == Quote) Take();
                else
                {
                    quoted = false;
                    continue;
                }
            }
            else if (!quoted && next == separator) return true;
            else if (!quoted && next == '\n')
            {
                if (_field.Count > 0 && _field[^1] == '\r') _field.RemoveAt(_field.Count - 1);
                return false;
            }
            if (++length > maxRowBytes)
            {
                SkipLine();
                throw new InvalidDataException($"the row is longer than {maxRowBytes} bytes; a quotation mark may not be closed");
            }
            _field.Add((byte)next);
        }
    }

    private void SkipLine()
    {
        while (Peek() is var next && next >= 0)
        {
            Take();
            if (next != '\n') continue;
            _nextLine++;
            return;
        }
    }

    private void SkipMark()
    {
        if (_begun) return;
        _begun = true;
        Peek();
        if (_buffer.AsSpan(_start, _end - _start).StartsWith("\uFEFF"u8)) _start += 3;
    }

    private int Peek()
    {
        if (_start == _end)
        {
            (_start, _end) = (0, stream.Read(_buffer, 0, _buffer.Length));
            if (_end == 0) return -1;
        }
        return _buffer[_start];
    }

    private void Take() => _start++;
}
