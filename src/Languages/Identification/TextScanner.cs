using System.Runtime.CompilerServices;
using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Letters of a text by script, and what of it is no word.</summary>
internal struct TextCounts
{
    public int Latin, Cyrillic, Greek, Georgian, OtherScript, Digits, Signs, Broken;

    public readonly int Letters => Latin + Cyrillic + Greek + Georgian + OtherScript;
}

/// <summary>Walks through UTF-8 and gives one word after the other as <see cref="LetterCodes"/>, with an anchor before and after it. An apostrophe
/// or hyphen ends a word and belongs to it: <c>l'</c>, <c>il-</c>. Any bytes are accepted.</summary>
internal ref struct TextScanner(ReadOnlySpan<byte> text, Span<byte> buffer)
{
    /// <summary>What the buffer must hold: a longer run of letters counts as several words.</summary>
    public const int BufferBytes = 66;

    private const int LongestWord = BufferBytes - 2;

    private readonly ReadOnlySpan<byte> _text = text;
    private readonly Span<byte> _buffer = buffer;
    private int _position;

    /// <summary>What was seen so far.</summary>
    public TextCounts Counts;

    /// <summary>Whether the word has a capital after a small letter, as names in code do.</summary>
    public bool IsMixedCase { get; private set; }

    /// <summary>The word with its anchors.</summary>
    public ReadOnlySpan<byte> Word { get; private set; }

    /// <summary>Whether the word is of Cyrillic letters; otherwise it is of Latin ones.</summary>
    public bool IsCyrillic { get; private set; }

    /// <summary>Goes on to the next word of Latin or Cyrillic letters.</summary>
    public bool MoveNext()
    {
        var text = _text;
        var table = LetterCodes.Table;
        int position = _position, length = 0;
        bool cyrillic = false, mixed = false, small = false;
        while (position < text.Length)
        {
            int character = text[position], start = position;
            if (character < 0x80) position++;
            else if ((character & 0xE0) == 0xC0 && position + 1 < text.Length && (text[position + 1] & 0xC0) == 0x80)
            {
                character = ((character & 0x1F) << 6) | (text[position + 1] & 0x3F);
                position += 2;
            }
            else character = DecodeRare(ref position);

            byte code = character < table.Length ? table[character] : LetterCodes.Of(character);
            if (LetterCodes.IsLatin(code) || LetterCodes.IsCyrillic(code))
            {
                bool isCyrillic = code >= LetterCodes.FirstCyrillic;
                if (length > 0 && (isCyrillic != cyrillic || length >= LongestWord))
                {
                    position = start;
                    break;
                }

                mixed |= small && character is >= 'A' and <= 'Z';
                small = character is >= 'a' and <= 'z';
                cyrillic = isCyrillic;
                _buffer[1 + length++] = code;
                continue;
            }

            if (code == LetterCodes.Mark)
            {
                if (length > 0) _buffer[length] = LetterCodes.Compose(_buffer[length], character);
                continue;
            }

            if (length > 0)
            {
                if (code == LetterCodes.MiddleDot && length < LongestWord)
                {
                    _buffer[1 + length++] = code;
                    continue;
                }

                if ((code == LetterCodes.Apostrophe || (code == LetterCodes.Hyphen && StartsLetter(position))) && length < LongestWord) _buffer[1 + length++] = code;
                else position = start;
                break;
            }

            Count(code);
        }

        _position = position;
        if (length == 0) return false;
        (IsCyrillic, IsMixedCase) = (cyrillic, mixed);
        if (cyrillic) Counts.Cyrillic += length;
        else Counts.Latin += length;
        _buffer[0] = _buffer[length + 1] = LetterCodes.Anchor;
        Word = _buffer[..(length + 2)];
        return true;
    }

    private readonly bool StartsLetter(int position) => position < _text.Length && (_text[position] >= 0xC3 || char.IsAsciiLetter((char)_text[position]));

    private void Count(byte code)
    {
        switch (code)
        {
            case LetterCodes.Greek: Counts.Greek++; break;
            case LetterCodes.Georgian: Counts.Georgian++; break;
            case LetterCodes.OtherScript: Counts.OtherScript++; break;
            case LetterCodes.Digit: Counts.Digits++; break;
            case LetterCodes.Sign: Counts.Signs++; break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int DecodeRare(ref int position)
    {
        if (Rune.DecodeFromUtf8(_text[position..], out var rune, out int bytes) != System.Buffers.OperationStatus.Done) Counts.Broken++;
        position += bytes;
        return rune.Value;
    }
}
