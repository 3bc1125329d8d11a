using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Receives words with their sums in order.</summary>
internal delegate void WordReceiver(ReadOnlySpan<byte> word, WordSum sum);

/// <summary>Words that did not fit into memory: sorted runs in a folder of files, joined in the end. A run has a section per language.</summary>
/// <param name="folder">Made when the first run is written, and removed with all runs in the end.</param>
internal sealed class WordRuns(string folder) : IDisposable
{
    private const int MostRuns = 48;          // so many are read at the same time, each through a buffer
    private const int BufferBytes = 1 << 16;

    private readonly Lock _gate = new();
    private readonly List<Run> _runs = [];
    private int _files;

    /// <summary>Runs written from memory so far.</summary>
    public int Written { get; private set; }

    /// <summary>Writes counted words as a run.</summary>
    public void Write(IReadOnlyDictionary<string, WordCounter> languages)
    {
        var run = Create();
        using (var writer = new Writer(run))
        {
            foreach (var (language, words) in languages.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                writer.Begin(language);
                foreach (int number in words.Sorted())
                    writer.Add(words.Word(number), words.Sum(number));
            }
        }
        lock (_gate)
        {
            _runs.Add(run);
            Written++;
        }
    }

    /// <summary>Joins all runs to one: equal words of a language become one word.</summary>
    /// <param name="joined">Told of each word that is written in the last pass.</param>
    /// <param name="progress">Told of bytes done and of all bytes.</param>
    /// <param name="cancellation">Stops between languages and now and then within one.</param>
    public void Join(Action<ReadOnlySpan<byte>, WordSum> joined, Action<long, long> progress, CancellationToken cancellation)
    {
        while (_runs.Count > MostRuns)
        {
            var some = _runs[..MostRuns];
            _runs.RemoveRange(0, MostRuns);
            _runs.Add(Join(some, (_, _) => { }, (_, _) => { }, cancellation));
        }
        var all = _runs.ToList();
        _runs.Clear();
        _runs.Add(Join(all, joined, progress, cancellation));
    }

    /// <summary>The languages of the joined run.</summary>
    public IEnumerable<string> Languages => _runs.Count == 0 ? [] : _runs[0].Sections.Keys;

    /// <summary>Reads a language of the joined run.</summary>
    public void Read(string language, WordReceiver receive)
    {
        using var reader = new Reader(_runs[0], language);
        while (reader.Next())
            receive(reader.Word, reader.Sum);
    }

    public void Dispose()
    {
        if (_files > 0 && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        _files = 0;
    }

    private Run Create()
    {
        lock (_gate)
        {
            if (_files++ == 0)
                Guard(() => Directory.CreateDirectory(folder));
            return new Run(Path.Combine(folder, FormattableString.Invariant($"words-{_files}.run")));
        }
    }

    private Run Join(List<Run> runs, Action<ReadOnlySpan<byte>, WordSum> joined, Action<long, long> progress, CancellationToken cancellation)
    {
        var target = Create();
        long total = runs.Sum(run => run.Bytes);
        long before = 0;
        using (var writer = new Writer(target))
        {
            foreach (string language in runs.SelectMany(run => run.Sections.Keys).Distinct().Order(StringComparer.Ordinal))
            {
                cancellation.ThrowIfCancellationRequested();
                writer.Begin(language);
                var readers = runs.Where(run => run.Sections.ContainsKey(language)).Select(run => new Reader(run, language)).ToArray();
                try
                {
                    JoinSection(readers, writer, joined, done => progress(before + done, total), cancellation);
                    before += readers.Sum(reader => reader.Done);
                }
                finally
                {
                    foreach (var reader in readers)
                        reader.Dispose();
                }
            }
        }
        foreach (var run in runs)
            Guard(() => File.Delete(run.Path));
        return target;
    }

    private static void JoinSection(
        Reader[] readers, Writer writer, Action<ReadOnlySpan<byte>, WordSum> joined, Action<long> progress, CancellationToken cancellation)
    {
        var order = Comparer<Reader>.Create((x, y) => x.Word.SequenceCompareTo(y.Word));
        var queue = new PriorityQueue<Reader, Reader>(order);
        foreach (var reader in readers)
            if (reader.Next())
                queue.Enqueue(reader, reader);
        byte[] word = new byte[BpeTrainer.LongestWordBytes];
        for (int written = 0; queue.TryPeek(out var first, out _); written++)
        {
            int length = first.Word.Length;
            if (length > word.Length)
                throw new InvalidDataException("A counted word is longer than the longest.");
            first.Word.CopyTo(word);
            var sum = default(WordSum);
            while (queue.TryPeek(out var reader, out _) && reader.Word.SequenceEqual(word.AsSpan(0, length)))
            {
                sum += reader.Sum;
                queue.Dequeue();   // before its word changes, by which it was put in order
                if (reader.Next())
                    queue.Enqueue(reader, reader);
            }
            writer.Add(word.AsSpan(0, length), sum);
            joined(word.AsSpan(0, length), sum);
            if (written % (1 << 16) == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress(readers.Sum(reader => reader.Done));
            }
        }
    }

    private void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, folder);
        }
    }

    private sealed class Run(string path)
    {
        public string Path { get; } = path;

        public long Bytes { get; set; }

        public SortedDictionary<string, (long Start, long Words)> Sections { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>An entry is: bytes shared with the word before, further bytes, those, and the three sums; numbers in groups of seven bits.</summary>
    private sealed class Writer(Run run) : IDisposable
    {
        private readonly FileStream _file = Open(run.Path, FileMode.Create, FileAccess.Write);
        private readonly byte[] _buffer = new byte[BufferBytes];
        private readonly byte[] _previous = new byte[BpeTrainer.LongestWordBytes];
        private int _previousLength;
        private int _used;
        private long _flushed;
        private string _language = "";

        public void Begin(string language)
        {
            _language = language;
            _previousLength = 0;
            run.Sections.Add(language, (_flushed + _used, 0));
        }

        public void Add(ReadOnlySpan<byte> word, WordSum sum)
        {
            if (_used + word.Length + 64 > _buffer.Length)
                Flush();
            int shared = word.CommonPrefixLength(_previous.AsSpan(0, _previousLength));
            Number((ulong)shared);
            Number((ulong)(word.Length - shared));
            word[shared..].CopyTo(_buffer.AsSpan(_used));
            _used += word.Length - shared;
            Number((ulong)sum.Count);
            Number((ulong)sum.Weight);
            Number((ulong)sum.Measured);
            word.CopyTo(_previous);
            _previousLength = word.Length;
            var (start, words) = run.Sections[_language];
            run.Sections[_language] = (start, words + 1);
        }

        public void Dispose()
        {
            try
            {
                Flush();
                _file.Dispose();
            }
            catch (Exception error) when (StorageFailure.Is(error))
            {
                throw StorageFailure.Explain(error, run.Path);
            }
            run.Bytes = _flushed;
        }

        private void Number(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _buffer[_used++] = (byte)(value | 0x80);
            _buffer[_used++] = (byte)value;
        }

        private void Flush()
        {
            try
            {
                int used = _used;
                _used = 0;    // a second attempt while failing would fail again
                _file.Write(_buffer, 0, used);
                _flushed += used;
            }
            catch (Exception error) when (StorageFailure.Is(error))
            {
                throw StorageFailure.Explain(error, run.Path);
            }
        }
    }

    private sealed class Reader : IDisposable
    {
        private readonly Run _run;
        private readonly FileStream _file;
        private readonly byte[] _buffer = new byte[BufferBytes];
        private readonly byte[] _word = new byte[BpeTrainer.LongestWordBytes];
        private int _length;
        private int _start;
        private int _end;
        private long _left;

        public Reader(Run run, string language)
        {
            _run = run;
            (long start, _left) = run.Sections[language];
            _file = Open(run.Path, FileMode.Open, FileAccess.Read);
            _file.Position = start;
        }

        public ReadOnlySpan<byte> Word => _word.AsSpan(0, _length);

        public WordSum Sum { get; private set; }

        public long Done { get; private set; }

        public bool Next()
        {
            if (_left-- <= 0)
                return false;
            int shared = (int)Number();
            int more = (int)Number();
            _length = checked(shared + more);
            for (int i = shared; i < _length; i++)
                _word[i] = Byte();
            Sum = new WordSum((long)Number(), (long)Number(), (long)Number());
            return true;
        }

        public void Dispose() => _file.Dispose();

        private ulong Number()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte part = Byte();
                value |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80)
                    return value;
            }
        }

        private byte Byte()
        {
            if (_start == _end)
                Fill();
            return _buffer[_start++];
        }

        private void Fill()
        {
            try
            {
                _end = _file.Read(_buffer);
            }
            catch (Exception error) when (StorageFailure.Is(error))
            {
                throw StorageFailure.Explain(error, _run.Path);
            }
            _start = 0;
            Done += _end;
            if (_end == 0)
                throw new UserErrorException($"{_run.Path}: the file of counted words was cut short while it was read; train again.");
        }
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access)
    {
        try
        {
            return new FileStream(path, mode, access, FileShare.Read, bufferSize: 0);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
