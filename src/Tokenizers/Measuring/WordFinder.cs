using System.Buffers;
using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Finds the words of UTF-8 text: longest runs of letters, marks and numbers. Spaces, punctuation and symbols part them, and so does a byte that is
/// no part of valid UTF-8.</summary>
internal ref struct WordFinder(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _position;

    /// <summary>Code points passed so far; at the end those of the whole text.</summary>
    public long Characters { get; private set; }

    /// <summary>The next word.</summary>
    /// <returns>False when there is none left.</returns>
    public bool TryNext(out int start, out int end)
    {
        start = end = -1;
        while (_position < _text.Length)
        {
            bool inWord = IsInWord(out int length);
            if (inWord && start < 0)
                start = _position;
            else if (!inWord && start >= 0)
            {
                end = _position;
                return true;
            }
            _position += length;
            Characters++;
        }
        end = _position;
        return start >= 0;
    }

    private readonly bool IsInWord(out int length)
    {
        byte first = _text[_position];
        if (first < 0x80)
        {
            length = 1;
            return char.IsAsciiLetterOrDigit((char)first);
        }
        if (Rune.DecodeFromUtf8(_text[_position..], out Rune rune, out length) != OperationStatus.Done)
        {
            length = 1;
            return false;
        }
        return Rune.GetUnicodeCategory(rune) <= UnicodeCategory.OtherNumber;    // letters, marks and numbers come first
    }
}
