using System.Globalization;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Something of an archive that was passed over.</summary>
/// <param name="Offset">Where it lies in the file: the record's place, or the start of its packed member.</param>
/// <param name="Reason">The name it is counted under.</param>
internal readonly record struct ArchiveDamage(long Offset, string Reason);

/// <summary>Reads the records of a web archive (<c>.warc</c>, <c>.wet</c>, the older <c>.arc</c>; plain, gzip or Zstandard) in their order. What is damaged is passed over
/// and told: reading goes on at the next record that begins as it should.</summary>
/// <remarks>Only whole records are given: one whose length does not lead to the next record, or that is cut short, counts as damage. Sources: ISO 28500
/// (WARC 1.0 and 1.1), the WARC-Zstandard proposal 1.0, and the description of ARC 1.0.</remarks>
internal sealed class WarcReader : IDisposable
{
    /// <summary>Reason of bytes where a record should begin.</summary>
    public const string NoRecord = "no-record";

    /// <summary>Reason of a record whose header lines are too long or too many.</summary>
    public const string HeaderTooLong = "header-too-long";

    /// <summary>Reason of a record whose length is missing, no number, or does not lead to the next record.</summary>
    public const string WrongLength = "wrong-length";

    /// <summary>Reason of a record longer than allowed.</summary>
    public const string TooLarge = "too-large";

    /// <summary>How far before a range its first record is looked for: a place chosen blindly could lie in a record that holds an archive itself, and
    /// a reader that comes from before such a record is not misled.</summary>
    private const long RunUp = 8 << 20;

    private const int ProbeBytes = 16;
    private const int ShortestBeginning = 6;

    private readonly Members _members;
    private readonly ArchiveLimits _limits;
    private readonly bool _packed;
    private readonly long _from;
    private readonly Action<ArchiveDamage>? _damage;
    private readonly byte[] _data;
    private byte[] _block = new byte[1 << 16];
    private int _start, _end;
    private long _to, _recordStart, _consumed, _lastTold = -1;
    private bool _isArc, _inMember, _ended, _quiet, _lastWasWhole = true;
    private Resume _resume, _broken;

    /// <summary>Where reading goes on.</summary>
    private enum Resume
    {
        /// <summary>Where it stands.</summary>
        Here,

        /// <summary>At the next record in the rest of the member.</summary>
        InMember,

        /// <summary>At the next member that begins with a record.</summary>
        NextMember,
    }

    /// <summary>Opens an archive.</summary>
    /// <param name="file">The file; disposed of by the owner.</param>
    /// <param name="packing">How it is packed.</param>
    /// <param name="damage">Told of what is passed over.</param>
    /// <param name="limits">What is read at most.</param>
    /// <param name="from">Only records are given that begin (packed: whose member begins) here or later.</param>
    /// <param name="to">Only records are given that begin before.</param>
    public WarcReader(Stream file, Packing packing, Action<ArchiveDamage>? damage = null, ArchiveLimits? limits = null, long from = 0, long to = long.MaxValue)
    {
        _limits = limits ?? ArchiveLimits.Default;
        _members = Members.Open(packing, file, _limits);
        _packed = packing != Packing.None;
        _data = new byte[Math.Max(1 << 17, _limits.HeaderBytes + (1 << 16))];
        (_from, _to, _damage) = (from, to, damage);
        if (from > 0 || to < long.MaxValue)
        {
            if (!file.CanSeek) throw new ArgumentException("A range can only be read of a file that can be set back.", nameof(file));
            if (_packed) EnterRange();
        }
    }

    /// <summary>How far the file is read, in its own bytes.</summary>
    public long Position => _members.Position;

    /// <summary>The records in their order; each is valid until the next is asked for.</summary>
    public IEnumerable<WarcRecord> Records()
    {
        while (TryRead() is { } record) yield return record;
    }

    /// <summary>Reads the next record, or null at the end of the file or range.</summary>
    public WarcRecord? TryRead()
    {
        while (!_ended)
        {
            try
            {
                _broken = Resume.NextMember;
                if (!Resynchronise() || !BeginRecord() || _recordStart >= _to) break;
                WarcRecord? record = ReadRecord();
                _lastWasWhole = true;
                if (record is not null) return record;
            }
            catch (DamagedDataException error)
            {
                bool isSecond = _packed && _broken == Resume.NextMember && _lastTold == _recordStart;   // what is wrong with a member shows in its record first
                if (!isSecond) Tell(error.Reason);
                _resume = _broken;
            }
        }
        _ended = true;
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _members.Dispose();

    /// <summary>A packed range is entered some way before it. One that is not packed is walked to from the beginning, from record to record without reading their blocks.</summary>
    private void EnterRange()
    {
        _quiet = true;
        bool divisible = IsDivisible();
        _quiet = false;
        if (!divisible && _from > 0)
        {
            _ended = true;   // all of it belongs to the first range
            return;
        }
        if (!divisible) _to = long.MaxValue;
        _members.Seek(Math.Max(0, _from - RunUp));
        (_start, _end, _inMember) = (0, 0, false);
        _resume = _from > RunUp ? Resume.NextMember : Resume.Here;
    }

    /// <summary>Whether every record has a member of its own, as far as the first record tells.</summary>
    private bool IsDivisible()
    {
        try
        {
            if (!BeginRecord()) return false;
            ReadRecord();
            return _start == _end;
        }
        catch (DamagedDataException)
        {
            return true;
        }
    }

    private void Tell(string reason)
    {
        _lastTold = _recordStart;
        if (!_quiet && _recordStart >= _from && _recordStart < _to) _damage?.Invoke(new ArchiveDamage(_recordStart, reason));
    }

    /// <summary>Goes to the beginning of the next record; false at the end of the file.</summary>
    private bool BeginRecord()
    {
        while (true)
        {
            while (_start < _end && _data[_start] is (byte)'\r' or (byte)'\n') Consume(1);
            if (_start < _end) break;
            if (Fill()) continue;
            if (!NextMember()) return false;
        }
        _recordStart = _packed ? _members.MemberStart : _consumed;
        return true;
    }

    private WarcRecord? ReadRecord()
    {
        Require(ProbeBytes);
        while (_end - _start < ShortestBeginning && "WARC/"u8.StartsWith(_data.AsSpan(_start, Math.Min(5, _end - _start)))) ReadOn();
        ReadOnlySpan<byte> beginning = _data.AsSpan(_start, Math.Min(ProbeBytes, _end - _start));
        bool isArc = !beginning.StartsWith("WARC/"u8);
        if (isArc)
        {
            _isArc |= beginning.StartsWith("filedesc://"u8);
            if (!_isArc || !ArcHeader.MayBegin(beginning)) throw Wrong(NoRecord, "no record begins here");
        }
        int header = isArc ? FindLineEnd() : FindHeaderEnd();
        ReadOnlySpan<byte> lines = _data.AsSpan(_start, header);
        List<HeaderField>? fields = isArc ? ArcHeader.Parse(HeaderLines.TakeLine(ref lines)) : ParseFields(lines);
        if (fields is null) throw Wrong(isArc ? NoRecord : HeaderTooLong, "the header lines are too many");
        Consume(header);
        if (!long.TryParse(HeaderLines.Find(fields, "Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out long length))
            throw Wrong(WrongLength, "the record has no length");
        WarcRecordType type = TypeOf(HeaderLines.Find(fields, "WARC-Type"));
        bool kept = length <= _limits.RecordBytes && _recordStart >= _from;
        if (kept) ReadBlock((int)length);
        else SkipBlock(length);
        CheckEnd();
        if (length > _limits.RecordBytes) Tell(TooLarge);
        if (!kept) return null;
        if (isArc && type == WarcRecordType.Response && !_block.AsSpan(0, (int)length).StartsWith("HTTP/"u8)) type = WarcRecordType.Resource;
        return new WarcRecord(type, fields, _recordStart, _block.AsMemory(0, (int)length));
    }

    private List<HeaderField>? ParseFields(ReadOnlySpan<byte> lines)
    {
        HeaderLines.TakeLine(ref lines);
        return HeaderLines.Parse(lines, _limits.Headers);
    }

    private int FindHeaderEnd()
    {
        int searched = 0;
        while (true)
        {
            ReadOnlySpan<byte> data = _data.AsSpan(_start, Math.Min(_end - _start, _limits.HeaderBytes));
            if (HeaderLines.FindEnd(data, searched) is { } end) return end;
            searched = data.Length;
            if (searched == _limits.HeaderBytes) throw Wrong(HeaderTooLong, "the header lines do not end");
            ReadOn();
        }
    }

    private int FindLineEnd()
    {
        while (true)
        {
            ReadOnlySpan<byte> data = _data.AsSpan(_start, Math.Min(_end - _start, _limits.HeaderBytes));
            int end = data.IndexOf((byte)'\n');
            if (end >= 0) return end + 1;
            if (data.Length == _limits.HeaderBytes) throw Wrong(HeaderTooLong, "the header line does not end");
            ReadOn();
        }
    }

    private void ReadBlock(int length)
    {
        int done = Math.Min(length, _end - _start);
        EnsureBlock(0, done);
        _data.AsSpan(_start, done).CopyTo(_block);
        Consume(done);
        while (done < length)
        {
            EnsureBlock(done, Math.Min(length, done + (1 << 16)));
            int read = _members.Read(_block.AsSpan(done, Math.Min(length, _block.Length) - done));
            if (read == 0)
            {
                GoOnInNextMember();
                read = Math.Min(length - done, _end - _start);
                EnsureBlock(done, done + read);
                _data.AsSpan(_start, read).CopyTo(_block.AsSpan(done));
                _start += read;
            }
            done += read;
            _consumed += read;
        }
    }

    /// <summary>The block grows with what is there, never with what is claimed.</summary>
    private void EnsureBlock(int used, int wanted)
    {
        if (wanted <= _block.Length) return;
        byte[] larger = new byte[Math.Min(Math.Max(wanted, 2L * _block.Length), Math.Max(wanted, _limits.RecordBytes))];
        _block.AsSpan(0, used).CopyTo(larger);
        _block = larger;
    }

    private void SkipBlock(long length)
    {
        int atHand = (int)Math.Min(length, _end - _start);
        Consume(atHand);
        length -= atHand;
        while (length > 0)
        {
            long skipped = _members.Skip(length, _data);
            (_start, _end) = (0, 0);
            _consumed += skipped;
            length -= skipped;
            if (length == 0) break;
            GoOnInNextMember();
            atHand = (int)Math.Min(length, _end - _start);
            Consume(atHand);
            length -= atHand;
        }
    }

    /// <summary>Behind the block come line ends, then the next record or the end of the member. Anything else says that the length is wrong.</summary>
    private void CheckEnd()
    {
        while (true)
        {
            while (_start < _end && _data[_start] is (byte)'\r' or (byte)'\n') Consume(1);
            if (_start < _end) break;
            if (!Fill()) return;
        }
        Require(ProbeBytes);
        ReadOnlySpan<byte> next = _data.AsSpan(_start, Math.Min(ProbeBytes, _end - _start));
        bool isCutShort = next.Length < ShortestBeginning && "WARC/"u8.StartsWith(next[..Math.Min(5, next.Length)]);
        if (!isCutShort && !IsBeginning(next)) throw Wrong(WrongLength, "the record is longer or shorter than it says");
    }

    private bool IsBeginning(ReadOnlySpan<byte> beginning) => (beginning.StartsWith("WARC/"u8) && beginning.Length > 5 && char.IsAsciiDigit((char)beginning[5])) || (_isArc && ArcHeader.MayBegin(beginning));

    /// <summary>After damage, goes to the next record that begins as it should; false when there is none.</summary>
    private bool Resynchronise()
    {
        (Resume resume, _resume) = (_resume, Resume.Here);
        if (resume == Resume.InMember)
        {
            if (!_packed && _lastWasWhole)   // what a wrong length has swallowed is searched, but no byte more than twice
            {
                _members.Seek(_recordStart + 1);
                (_start, _end, _consumed) = (0, 0, _recordStart + 1);
            }
            _lastWasWhole = false;
            FindInMember();   // at the end of the member the next one begins
        }
        else if (resume == Resume.NextMember)
        {
            (_start, _end, _inMember) = (0, 0, false);
            return _packed && _members.Resynchronise(IsBeginning);
        }
        return true;
    }

    private void FindInMember()
    {
        while (true)
        {
            int found = _data.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (found < 0)
            {
                Consume(_end - _start);
                if (!Fill()) return;
                continue;
            }
            Consume(found + 1);
            Require(ProbeBytes);
            if (IsBeginning(_data.AsSpan(_start, Math.Min(ProbeBytes, _end - _start)))) return;
        }
    }

    private bool NextMember()
    {
        if (_inMember && !_packed) return false;
        _consumed = 0;
        _recordStart = _members.Position;
        return _inMember = _members.TryBegin();
    }

    /// <summary>A record may go on in the next member, unless that one begins with a record itself.</summary>
    private void GoOnInNextMember()
    {
        Compact();
        int tail = _end;
        if (_packed && (_inMember = _members.TryBegin()))
        {
            while (_end - tail < ProbeBytes && Fill())
            {
            }
        }
        if (_end == tail) throw Wrong(DamagedDataException.CutShort, "the file ends within a record");
        if (!IsBeginning(_data.AsSpan(tail, Math.Min(ProbeBytes, _end - tail)))) return;
        _start = tail;
        throw Wrong(WrongLength, "the record is shorter than it says", Resume.Here);
    }

    private DamagedDataException Wrong(string reason, string message, Resume resume = Resume.InMember)
    {
        _broken = resume;
        return new DamagedDataException(reason, message);
    }

    private void ReadOn()
    {
        if (!Fill()) GoOnInNextMember();
    }

    private void Require(int count)
    {
        while (_end - _start < count && Fill())
        {
        }
    }

    private void Consume(int count)
    {
        _start += count;
        _consumed += count;
    }

    private bool Fill()
    {
        if (!_inMember) return false;
        Compact();
        int read = _members.Read(_data.AsSpan(_end));
        _end += read;
        return read > 0;
    }

    private void Compact()
    {
        _data.AsSpan(_start, _end - _start).CopyTo(_data);
        (_start, _end) = (0, _end - _start);
    }

    private static WarcRecordType TypeOf(string? type) => type?.Trim().ToUpperInvariant() switch
    {
        "WARCINFO" => WarcRecordType.WarcInfo,
        "REQUEST" => WarcRecordType.Request,
        "RESPONSE" => WarcRecordType.Response,
        "RESOURCE" => WarcRecordType.Resource,
        "METADATA" => WarcRecordType.Metadata,
        "REVISIT" => WarcRecordType.Revisit,
        "CONVERSION" => WarcRecordType.Conversion,
        "CONTINUATION" => WarcRecordType.Continuation,
        _ => WarcRecordType.Other,
    };
}
