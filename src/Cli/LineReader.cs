using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Cli;

/// <summary>The lines of a file or of standard input, in bounded memory: of a longer line the beginning is given and the rest passed over.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>What is kept of a line.</summary>
    public const int MostBytes = 1 << 26;

    private readonly Stream _stream;
    private readonly string _where;
    private readonly int _most;
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end, _lineStart, _lineEnd;

    /// <param name="path">A file, unpacked where its name ends in .gz or .zst; null for standard input.</param>
    /// <param name="most">What is kept of a line.</param>
    public LineReader(string? path, int most = MostBytes)
    {
        (_where, _most) = (path ?? "standard input", most);
        _stream = path is null ? Console.OpenStandardInput() : Guard(() => UnpackedFile.Open(path));
    }

    /// <summary>The line without its line feed; valid until the next call of <see cref="MoveNext"/>.</summary>
    public ReadOnlySpan<byte> Line => _buffer.AsSpan(_lineStart, _lineEnd - _lineStart);

    /// <summary>The same, without the byte-order mark that a file may begin with.</summary>
    public ReadOnlySpan<byte> LineWithoutMark => Number == 1 && Line.StartsWith("\uFEFF"u8) ? Line[3..] : Line;

    /// <summary>Which line it is; the first is 1.</summary>
    public long Number { get; private set; }

    /// <summary>Whether the line goes on beyond what was kept of it.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Goes to the next line.</summary>
    public bool MoveNext()
    {
        IsCut = false;
        int searched = _start;
        while (true)
        {
            int feed = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                Take(searched + feed, searched + feed + 1);
                return true;
            }

            searched = _end;
            if (_end - _start >= _most)
            {
                IsCut = true;
                return SkipRest();
            }

            if (Fill(ref searched)) continue;
            if (_end == _start) return false;
            Take(_end, _end);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private void Take(int end, int next)
    {
        (_lineStart, _lineEnd) = (_start, Math.Min(end, _start + _most));
        IsCut = end > _lineEnd;
        _start = next;
        Number++;
    }

    private bool Fill(ref int searched)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (searched, _end, _start) = (searched - _start, _end - _start, 0);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min(_buffer.Length * 2L, Array.MaxLength));
        int read = Guard(() => _stream.Read(_buffer, _end, _buffer.Length - _end));
        _end += read;
        return read > 0;
    }

    // The kept beginning stays at the front of the buffer; what follows is read over the place behind it.
    private bool SkipRest()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        int kept = _end - _start;
        if (_buffer.Length < kept + (1 << 15)) Array.Resize(ref _buffer, kept + (1 << 16));
        (_lineStart, _lineEnd) = (0, Math.Min(kept, _most));
        Number++;
        while (true)
        {
            int read = Guard(() => _stream.Read(_buffer, kept, _buffer.Length - kept));
            if (read == 0)
            {
                _start = _end = kept;
                return true;
            }

            int feed = _buffer.AsSpan(kept, read).IndexOf((byte)'\n');
            if (feed < 0) continue;
            (_start, _end) = (kept + feed + 1, kept + read);
            return true;
        }
    }

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException damage)
        {
            throw new UserErrorException($"{_where}: the packed data are damaged or cut short ({damage.Message.TrimEnd('.')}); fetch it again.", damage);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, _where);
        }
    }
}
