using System.Buffers;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Rewrites text as SentencePiece does: at every place the longest rule, spaces as <c>▁</c> with a dummy one before or behind the text, extra ones
/// left out, a byte that is no part of valid UTF-8 as U+FFFD. Text of user-defined pieces stays as it is.</summary>
internal sealed class SentencePieceNormalizer : INormalizer
{
    private const byte Space = (byte)' ';

    private readonly CharacterMap? _map;
    private readonly ByteTrie? _untouched;
    private readonly PlainPairs _plain;
    private readonly SentencePieceNormalization _settings;
    private readonly bool _dummyPrefix;
    private readonly bool _dummySuffix;
    private readonly byte[] _mark;                      // what a space becomes

    /// <param name="settings">The rules.</param>
    /// <param name="whitespaceAsSuffix">Whether the dummy space stands behind the text.</param>
    /// <param name="untouched">Texts that no rule rewrites, or null.</param>
    /// <param name="where">The model's name, for messages.</param>
    /// <exception cref="UserErrorException">The character map is damaged.</exception>
    public SentencePieceNormalizer(SentencePieceNormalization settings, bool whitespaceAsSuffix, ByteTrie? untouched, string where)
    {
        _settings = settings;
        _map = settings.CharacterMap.Length > 0 ? CharacterMap.Parse(settings.CharacterMap, where) : null;
        _untouched = untouched is { LongestKey: > 0 } ? untouched : null;
        _plain = new PlainPairs(_map, _untouched);
        (_dummyPrefix, _dummySuffix) = (settings.AddDummyPrefix && !whitespaceAsSuffix, settings.AddDummyPrefix && whitespaceAsSuffix);
        _mark = settings.EscapeWhitespaces ? "▁"u8.ToArray() : [Space];
    }

    /// <summary>The rules, or null.</summary>
    public CharacterMap? Map => _map;

    public void Normalize(AlignedText text)
    {
        var edit = text.BeginEdit();
        Write(text.Bytes, new EditTarget(edit));
        edit.Commit();
    }

    /// <summary>The same without places.</summary>
    public void Normalize(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> normalized) => Write(text, new BufferTarget(normalized));

    private void Write<T>(ReadOnlySpan<byte> source, T target)
        where T : ITarget
    {
        int start = 0;
        if (_settings.RemoveExtraWhitespaces)
            while (start < source.Length && Next(source[start..], out int length) is [Space])
                start += length;
        if (start == source.Length)
            return;
        // Marks are held back until something follows: at the end of the text they may have to go.
        var marks = new List<(int From, int To)>();
        if (_dummyPrefix)
            marks.Add((start, start));
        bool afterSpace = _settings.RemoveExtraWhitespaces;
        while (start < source.Length)
        {
            int plain = _plain.End(source, start);
            if (plain > start)
            {
                Flush(target, marks);
                target.Keep(source, start, plain);
                start = plain;
                afterSpace = false;
                continue;
            }
            var next = Next(source[start..], out int length);
            while (afterSpace && next is [Space, ..])
                next = next[1..];
            if (next.Length > 0)
            {
                Write(next, start, start + length, marks, target);
                afterSpace = _settings.RemoveExtraWhitespaces && next[^1] == Space;
            }
            start += length;
        }
        if (_settings.RemoveExtraWhitespaces)
            marks.Clear();
        if (_dummySuffix)
            marks.Add((source.Length, source.Length));
        Flush(target, marks);
    }

    private void Write<T>(ReadOnlySpan<byte> next, int from, int to, List<(int From, int To)> marks, T target)
        where T : ITarget
    {
        while (next.Length > 0)
        {
            if (next[0] == Space || next.StartsWith(_mark))
            {
                marks.Add((from, to));
                next = next[(next[0] == Space ? 1 : _mark.Length)..];
                continue;
            }
            Flush(target, marks);
            int length = 1;
            while (length < next.Length && next[length] != Space && next[length] != _mark[0])
                length++;
            target.Append(next[..length], from, to);
            next = next[length..];
        }
    }

    private void Flush<T>(T target, List<(int From, int To)> marks)
        where T : ITarget
    {
        if (marks.Count == 0)
            return;
        foreach (var (from, to) in marks)
            target.Append(_mark, from, to);
        marks.Clear();
    }

    /// <summary>What the first character or rule becomes, and how many bytes it takes.</summary>
    private ReadOnlySpan<byte> Next(ReadOnlySpan<byte> rest, out int length)
    {
        if (_untouched is not null)
        {
            length = _untouched.LongestPrefix(rest).Length;
            if (length > 0)
                return rest[..length];
        }
        if (_map is not null && _map.TryLongestMatch(rest, out length, out var replacement))
            return replacement;
        if (Rune.DecodeFromUtf8(rest, out _, out length) == OperationStatus.Done)
            return rest[..length];
        length = 1;
        return "\uFFFD"u8;
    }

    /// <summary>Where normalized text goes.</summary>
    private interface ITarget
    {
        void Append(ReadOnlySpan<byte> bytes, int from, int to);

        void Keep(ReadOnlySpan<byte> source, int from, int to);
    }

    private readonly struct EditTarget(AlignedText.Edit edit) : ITarget
    {
        public void Append(ReadOnlySpan<byte> bytes, int from, int to) => edit.Append(bytes, from, to);

        public void Keep(ReadOnlySpan<byte> source, int from, int to) => edit.Keep(from, to);
    }

    private readonly struct BufferTarget(ArrayBufferWriter<byte> buffer) : ITarget
    {
        public void Append(ReadOnlySpan<byte> bytes, int from, int to) => buffer.Write(bytes);

        public void Keep(ReadOnlySpan<byte> source, int from, int to) => buffer.Write(source[from..to]);
    }
}
