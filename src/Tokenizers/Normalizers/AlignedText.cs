namespace OpenEuroLLM.Tokenizers;

/// <summary>UTF-8 text on its way through a tokenizer: each byte knows which bytes of the source it came from.</summary>
internal sealed class AlignedText
{
    private byte[] _bytes;
    private int[]? _starts;         // of each byte in the source; null without alignment
    private int[]? _ends;

    /// <param name="source">The text.</param>
    /// <param name="sourceStart">Where it lies in the whole source.</param>
    /// <param name="aligned">Whether places in the source will be asked for.</param>
    public AlignedText(ReadOnlySpan<byte> source, int sourceStart = 0, bool aligned = true)
    {
        _bytes = source.ToArray();
        Length = source.Length;
        if (!aligned)
            return;
        _starts = new int[Length];
        _ends = new int[Length];
        for (int i = 0; i < Length; i++)
            (_starts[i], _ends[i]) = (sourceStart + i, sourceStart + i + 1);
    }

    private AlignedText(byte[] bytes, int[]? starts, int[]? ends)
    {
        (_bytes, _starts, _ends) = (bytes, starts, ends);
        Length = bytes.Length;
    }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public int Length { get; private set; }

    public bool IsAligned => _starts is not null;

    /// <summary>The bytes of the source that a range came from, at least one byte long in the text.</summary>
    public (int Start, int End) SourceOf(int from, int to)
    {
        if (_starts is null)
            return (0, 0);
        if (from >= to)
            return from < Length ? (_starts[from], _starts[from]) : Length > 0 ? (_ends![Length - 1], _ends[Length - 1]) : (0, 0);
        return (_starts[from], _ends![to - 1]);
    }

    /// <summary>A part of the text, with its alignment.</summary>
    public AlignedText Slice(int from, int to) => new(_bytes[from..to], _starts?[from..to], _ends?[from..to]);

    /// <summary>Begins a new form of this text; see <see cref="Edit.Append"/>.</summary>
    public Edit BeginEdit() => new(this);

    /// <summary>The next form of a text, written from its beginning to its end.</summary>
    internal sealed class Edit(AlignedText text)
    {
        private byte[] _bytes = new byte[text.Length + 16];
        private int[]? _starts = text.IsAligned ? new int[text.Length + 16] : null;
        private int[]? _ends = text.IsAligned ? new int[text.Length + 16] : null;
        private int _length;

        /// <summary>Appends bytes that stand for a range of the old text; an empty range stands for the place before it.</summary>
        public void Append(ReadOnlySpan<byte> bytes, int from, int to)
        {
            Reserve(bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(_length));
            if (_starts is not null)
            {
                var (start, end) = text.SourceOf(from, to);
                _starts.AsSpan(_length, bytes.Length).Fill(start);
                _ends.AsSpan(_length, bytes.Length).Fill(end);
            }
            _length += bytes.Length;
        }

        /// <summary>Appends a range of the old text as it is.</summary>
        public void Keep(int from, int to)
        {
            Reserve(to - from);
            text._bytes.AsSpan(from..to).CopyTo(_bytes.AsSpan(_length));
            if (_starts is not null)
            {
                text._starts.AsSpan(from..to).CopyTo(_starts.AsSpan(_length));
                text._ends.AsSpan(from..to).CopyTo(_ends.AsSpan(_length));
            }
            _length += to - from;
        }

        /// <summary>Puts the new form in the place of the old one.</summary>
        public void Commit() => (text._bytes, text._starts, text._ends, text.Length) = (_bytes, _starts, _ends, _length);

        private void Reserve(int more)
        {
            if (_length + more <= _bytes.Length)
                return;
            int capacity = checked((int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, (long)_length + more)));
            Array.Resize(ref _bytes, capacity);
            if (_starts is not null)
            {
                Array.Resize(ref _starts, capacity);
                Array.Resize(ref _ends, capacity);
            }
        }
    }
}
