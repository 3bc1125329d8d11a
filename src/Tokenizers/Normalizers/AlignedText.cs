using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>UTF-8 text on its way through a tokenizer: each byte knows which bytes of the source it came from. A slice shares the memory of the
/// text it was cut from; a rewritten text has its own.</summary>
internal sealed class AlignedText
{
    /// <summary>How much longer than its source a text may become: no normalizer that helps anyone does more, and a hostile one must not fill the memory.</summary>
    private const int LongestGrowth = 64, LongestAddition = 1024;

    private byte[] _bytes;
    private int _offset;            // of the text in the bytes and their alignment
    private int[]? _starts;         // of each byte in the source; null: as they stand, moved by the shift
    private int[]? _ends;
    private int _shift;
    private readonly long _longest;     // that it may become, by the source alone: steps in a row must not multiply it

    /// <param name="source">The text.</param>
    /// <param name="sourceStart">Where it lies in the whole source.</param>
    public AlignedText(ReadOnlySpan<byte> source, int sourceStart = 0)
    {
        _bytes = source.ToArray();
        Length = source.Length;
        _shift = SourceStart = sourceStart;
        _longest = (long)LongestGrowth * Length + LongestAddition;
    }

    private AlignedText(AlignedText text, int from, int to)
    {
        (_bytes, _offset, _starts, _ends, _shift) = (text._bytes, text._offset + from, text._starts, text._ends, text._shift);
        Length = to - from;
        (SourceStart, int end) = text.SourceOf(from, to);
        _longest = Math.Max((long)LongestGrowth * (end - SourceStart), Length) + LongestAddition;
    }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_offset, Length);

    public int Length { get; private set; }

    /// <summary>Where the text lay in the source when it was cut; what has been added or removed since does not move it.</summary>
    public int SourceStart { get; }

    /// <summary>The same text with a U+FFFD for each byte that is no part of valid UTF-8.</summary>
    public static AlignedText Repaired(ReadOnlySpan<byte> source, int sourceStart = 0)
    {
        var text = new AlignedText(source, sourceStart);
        if (System.Text.Unicode.Utf8.IsValid(source))
            return text;
        var edit = text.BeginEdit();
        for (int position = 0; position < source.Length;)
        {
            int length = Characters.Read(source, position, out int value);
            if (value < 0)
                edit.Append("\uFFFD"u8, position, position + length);
            else
                edit.Keep(position, position + length);
            position += length;
        }
        edit.Commit();
        return text;
    }

    /// <summary>The bytes of the source that a range came from; of an empty range the place.</summary>
    public (int Start, int End) SourceOf(int from, int to)
    {
        if (_starts is null)
            return (_shift + _offset + from, _shift + _offset + Math.Max(from, to));
        if (from < to)
            return (_starts[_offset + from], _ends![_offset + to - 1]);
        int place = from < Length ? _starts[_offset + from] : Length > 0 ? _ends![_offset + Length - 1] : SourceStart;
        return (place, place);
    }

    /// <summary>A part of the text, with its alignment.</summary>
    public AlignedText Slice(int from, int to) => new(this, from, to);

    /// <summary>Begins a new form of this text; what is appended to it, in order, replaces the old one in the end.</summary>
    public Edit BeginEdit() => new(this);

    public override string ToString() => Encoding.UTF8.GetString(Bytes);

    /// <summary>The next form of a text, written from its beginning to its end.</summary>
    internal sealed class Edit(AlignedText text)
    {
        private byte[] _bytes = new byte[text.Length + 16];
        private int[] _starts = new int[text.Length + 16];
        private int[] _ends = new int[text.Length + 16];
        private int _length;

        /// <summary>Appends bytes that stand for a range of the old text; an empty range stands for the place before it.</summary>
        public void Append(ReadOnlySpan<byte> bytes, int from, int to)
        {
            Reserve(bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(_length));
            var (start, end) = text.SourceOf(from, to);
            _starts.AsSpan(_length, bytes.Length).Fill(start);
            _ends.AsSpan(_length, bytes.Length).Fill(end);
            _length += bytes.Length;
        }

        /// <summary>Appends one character in the place of a range of the old text.</summary>
        public void Append(Rune character, int from, int to)
        {
            Span<byte> bytes = stackalloc byte[4];
            Append(bytes[..character.EncodeToUtf8(bytes)], from, to);
        }

        /// <summary>Appends a range of the old text as it is.</summary>
        public void Keep(int from, int to)
        {
            if (to <= from)
                return;
            Reserve(to - from);
            text.Bytes[from..to].CopyTo(_bytes.AsSpan(_length));
            if (text._starts is null)
            {
                int start = text._shift + text._offset + from;
                for (int i = 0; i < to - from; i++)
                    (_starts[_length + i], _ends[_length + i]) = (start + i, start + i + 1);
            }
            else
            {
                text._starts.AsSpan(text._offset + from, to - from).CopyTo(_starts.AsSpan(_length));
                text._ends.AsSpan(text._offset + from, to - from).CopyTo(_ends.AsSpan(_length));
            }
            _length += to - from;
        }

        /// <summary>Puts the new form in the place of the old one.</summary>
        public void Commit() => (text._bytes, text._offset, text._starts, text._ends, text.Length) = (_bytes, 0, _starts, _ends, _length);

        private void Reserve(int more)
        {
            if ((long)_length + more <= _bytes.Length)
                return;
            if ((long)_length + more > text._longest)
                throw new UserErrorException($"The tokenizer's normalizer or pre-tokenizer makes more than {text._longest} bytes of {text.Length}; expected at most {LongestGrowth} times as many. " +
                    "Remove the step that lets the text grow.");
            int capacity = (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, (long)_length + more));
            Array.Resize(ref _bytes, capacity);
            Array.Resize(ref _starts, capacity);
            Array.Resize(ref _ends, capacity);
        }
    }
}
