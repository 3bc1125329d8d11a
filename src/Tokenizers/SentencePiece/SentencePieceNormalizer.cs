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
    private readonly SentencePieceNormalization _settings;
    private readonly bool _dummyPrefix;
    private readonly bool _dummySuffix;
    private readonly byte[] _mark;                      // what a space becomes
    private readonly SearchValues<byte> _unsafe;        // bytes at which a run of plain text can end

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
        (_dummyPrefix, _dummySuffix) = (settings.AddDummyPrefix && !whitespaceAsSuffix, settings.AddDummyPrefix && whitespaceAsSuffix);
        _mark = settings.EscapeWhitespaces ? "▁"u8.ToArray() : [Space];
        _unsafe = SearchValues.Create([.. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => !IsPlain(value))]);
    }

    public SentencePieceNormalization Settings => _settings;

    public void Normalize(AlignedText text)
    {
        var source = text.Bytes;
        int start = 0;
        if (_settings.RemoveExtraWhitespaces)
            while (start < source.Length && Next(source[start..], out int length) is [Space])
                start += length;
        var edit = text.BeginEdit();
        if (start < source.Length)
            Write(source, start, edit);
        edit.Commit();
    }

    /// <summary>Whether a byte is a character of its own that stays as it is, whatever follows.</summary>
    private bool IsPlain(byte value)
    {
        int node = _untouched?.Root ?? 0;
        return value < 0x80 && value != Space && (_map is null || _map.Untouched([value]) == 1) && (_untouched is null || !_untouched.TryStep(ref node, value, out _));
    }

    private void Write(ReadOnlySpan<byte> source, int start, AlignedText.Edit edit)
    {
        // Marks are held back until something follows: at the end of the text they may have to go.
        var marks = new List<(int From, int To)>();
        if (_dummyPrefix)
            marks.Add((start, start));
        bool afterSpace = _settings.RemoveExtraWhitespaces;
        while (start < source.Length)
        {
            int plain = source[start..].IndexOfAny(_unsafe);
            plain = plain < 0 ? source.Length - start : plain;
            if (plain > 0)
            {
                Flush(edit, marks);
                edit.Keep(start, start + plain);
                start += plain;
                afterSpace = false;
                continue;
            }
            var next = Next(source[start..], out int length);
            while (afterSpace && next is [Space, ..])
                next = next[1..];
            if (next.Length > 0)
            {
                Write(next, start, start + length, marks, edit);
                afterSpace = _settings.RemoveExtraWhitespaces && next[^1] == Space;
            }
            start += length;
        }
        if (_settings.RemoveExtraWhitespaces)
            marks.Clear();
        if (_dummySuffix)
            marks.Add((source.Length, source.Length));
        Flush(edit, marks);
    }

    private void Write(ReadOnlySpan<byte> next, int from, int to, List<(int From, int To)> marks, AlignedText.Edit edit)
    {
        while (next.Length > 0)
        {
            if (next[0] == Space || next.StartsWith(_mark))
            {
                marks.Add((from, to));
                next = next[(next[0] == Space ? 1 : _mark.Length)..];
                continue;
            }
            Flush(edit, marks);
            int length = 1;
            while (length < next.Length && next[length] != Space && next[length] != _mark[0])
                length++;
            edit.Append(next[..length], from, to);
            next = next[length..];
        }
    }

    private void Flush(AlignedText.Edit edit, List<(int From, int To)> marks)
    {
        foreach (var (from, to) in marks)
            edit.Append(_mark, from, to);
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
}
