using System.Globalization;

namespace OpenEuroLLM.Corpus.Measures;

/// <summary>The words, lines and paragraphs of a text, as the quality filters see them. Words are what stands between white space; a line that is empty or
/// blank is none; paragraphs are parted by blank lines.</summary>
internal sealed class TextShape
{
    [ThreadStatic]
    private static TextShape? _current;

    private string _text = "";
    private readonly List<Span> _words = [];
    private readonly List<Span> _lines = [];
    private readonly List<Span> _paragraphs = [];
    private (double Parts, double Characters)? _repeatedLines;

    private TextShape()
    {
    }

    /// <summary>The shape of a text. It is kept for the thread's next call, so that several filters in a row measure once.</summary>
    public static TextShape Of(string text)
    {
        TextShape shape = _current ??= new TextShape();
        if (!ReferenceEquals(shape._text, text)) shape.Measure(text);
        return shape;
    }

    public IReadOnlyList<Span> Words => _words;

    public IReadOnlyList<Span> Lines => _lines;

    public IReadOnlyList<Span> Paragraphs => _paragraphs;

    /// <summary>UTF-16 units of all words together.</summary>
    public int WordCharacters { get; private set; }

    /// <summary>Words with at least one letter.</summary>
    public int AlphabeticWords { get; private set; }

    /// <summary>UTF-16 units of the words without the punctuation around them.</summary>
    public int CoreCharacters { get; private set; }

    /// <summary>Number signs and ellipses.</summary>
    public int Symbols { get; private set; }

    /// <summary>The shares of lines that repeat an earlier line, by number and by characters; measured when first asked for.</summary>
    public (double Parts, double Characters) RepeatedLines => _repeatedLines ??= Repetition.Of(_text, _lines);

    private void Measure(string text)
    {
        _text = text;
        _words.Clear();
        _lines.Clear();
        _paragraphs.Clear();
        _repeatedLines = null;
        (WordCharacters, AlphabeticWords, CoreCharacters, Symbols) = (0, 0, 0, 0);
        int paragraphStart = -1, paragraphEnd = 0;
        for (int start = 0; start < text.Length;)
        {
            int length = text.AsSpan(start).IndexOf('\n');
            int end = length < 0 ? text.Length : start + length;
            (int first, int last) = (start, end);
            while (first < last && char.IsWhiteSpace(text[first])) first++;
            while (last > first && char.IsWhiteSpace(text[last - 1])) last--;
            if (first == last)
            {
                EndParagraph();
            }
            else
            {
                _lines.Add(new Span(first, last));
                if (paragraphStart < 0) paragraphStart = first;
                paragraphEnd = last;
                MeasureWords(text, first, last);
            }
            start = end + 1;
        }
        EndParagraph();

        void EndParagraph()
        {
            if (paragraphStart >= 0) _paragraphs.Add(new Span(paragraphStart, paragraphEnd));
            paragraphStart = -1;
        }
    }

    private void MeasureWords(string text, int start, int end)
    {
        for (int i = start; i < end;)
        {
            while (i < end && char.IsWhiteSpace(text[i])) i++;
            int first = i, core = -1, coreEnd = 0;
            bool letters = false;
            for (; i < end && !char.IsWhiteSpace(text[i]); i++)
            {
                char character = text[i];
                if (character is '#' or '…' || (character == '.' && i + 2 < end && text[i + 1] == '.' && text[i + 2] == '.' && (i == 0 || text[i - 1] != '.'))) Symbols++;
                bool letter = IsLetter(character);
                letters |= letter;
                if (!letter && !char.IsDigit(character)) continue;
                if (core < 0) core = i;
                coreEnd = i + 1;
            }
            if (i == first) break;
            _words.Add(new Span(first, i));
            WordCharacters += i - first;
            if (core >= 0) CoreCharacters += coreEnd - core;
            if (letters) AlphabeticWords++;
        }
    }

    private static bool IsLetter(char character) => char.IsAscii(character)
        ? char.IsAsciiLetter(character)
        : char.IsLetter(character) || CharUnicodeInfo.GetUnicodeCategory(character) == UnicodeCategory.NonSpacingMark || char.IsSurrogate(character);

    /// <summary>A part of the text.</summary>
    internal readonly record struct Span(int Start, int End)
    {
        public int Length => End - Start;

        public ReadOnlySpan<char> In(string text) => text.AsSpan(Start, Length);
    }
}
