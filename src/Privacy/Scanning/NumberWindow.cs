namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>How two words of a number are joined.</summary>
internal enum Gap : byte
{
    None,
    Space,
    Hyphen,
    Dot,
    Slash,
    Plus,

    /// <summary>A hyphen or slash between spaces.</summary>
    Spaced,

    /// <summary>Something with a bracket: only telephone numbers have it.</summary>
    Bracket,
}

/// <summary>The digits and capitals from a place on, without what separates them, with the place of each: as far as a number may reach.</summary>
internal sealed class NumberWindow
{
    /// <summary>The most symbols: the longest account number has 31, and a few words more show where it ends.</summary>
    public const int Most = 48;

    /// <summary>More invisible characters than this in a row end a number: looking further would let each start read the whole text.</summary>
    private const int MostInvisible = 16;

    private readonly char[] _symbols = new char[Most];
    private readonly int[] _starts = new int[Most], _ends = new int[Most];
    private readonly Gap[] _gaps = new Gap[Most];
    private readonly bool[] _ended = new bool[Most + 1];

    /// <summary>How many symbols there are.</summary>
    public int Count { get; private set; }

    /// <summary>Characters looked at so far, over all windows: what shows that the work grows with the text only.</summary>
    public long Steps { get; private set; }

    /// <summary>The symbols: ASCII digits and capitals.</summary>
    public ReadOnlySpan<char> Symbols => _symbols.AsSpan(0, Count);

    /// <summary>Whether a word ends after so many symbols.</summary>
    public bool EndsAfter(int count) => _ended[count];

    /// <summary>Where a symbol begins in the text.</summary>
    public int StartOf(int symbol) => _starts[symbol];

    /// <summary>Where a symbol ends in the text.</summary>
    public int EndOf(int symbol) => _ends[symbol];

    /// <summary>What stands before a symbol.</summary>
    public Gap GapBefore(int symbol) => _gaps[symbol];

    /// <summary>The lengths of the words of the first symbols, as the data files write them ("3 3 3").</summary>
    public bool HasGroups(int count, ReadOnlySpan<byte> lengths)
    {
        int group = 0, length = 0;
        for (int i = 0; i < count; i++)
        {
            if (i > 0 && _gaps[i] != Gap.None)
            {
                if (group >= lengths.Length || lengths[group++] != length) return false;
                length = 0;
            }
            length++;
        }
        return group == lengths.Length - 1 && lengths[group] == length;
    }

    /// <summary>The number of gaps among the first symbols.</summary>
    public int Gaps(int count)
    {
        int gaps = 0;
        for (int i = 1; i < count; i++)
            if (_gaps[i] != Gap.None) gaps++;
        return gaps;
    }

    /// <summary>Reads from a place where a word begins.</summary>
    public void Read(string text, int start)
    {
        Count = 0;
        Array.Clear(_ended);
        int at = start, wordStart = 0, invisible = 0;
        bool raised = false;
        Gap gap = Gap.None;
        while (at < text.Length)
        {
            SymbolKind kind = SymbolTable.At(text, at, out char value, out int units);
            Steps++;
            if (kind == SymbolKind.Invisible)
            {
                if (++invisible > MostInvisible) break;
                at += units;
                continue;
            }
            invisible = 0;
            if (kind == SymbolKind.RaisedDigit)
            {
                bool begins = Count == wordStart;
                if (!begins && !raised) break;   // a footnote
                raised = true;
                kind = SymbolKind.Digit;
            }
            else if (raised && kind is SymbolKind.Digit) break;
            if (kind is SymbolKind.Digit or SymbolKind.Letter)
            {
                // Words of small letters follow numbers as text does.
                if (Count == wordStart && Count > 0 && kind == SymbolKind.Letter && char.IsLower(text, at)) break;
                if (Count == Most)
                {
                    Count = wordStart;   // the word goes on beyond what is read
                    return;
                }
                _symbols[Count] = value;
                _starts[Count] = at;
                _ends[Count] = at + units;
                _gaps[Count] = gap;
                gap = Gap.None;
                Count++;
                at += units;
                continue;
            }
            if (kind == SymbolKind.ForeignLetter)
            {
                Count = wordStart;
                return;
            }
            if (Count == wordStart) break;   // a gap after a gap
            raised = false;
            _ended[Count] = true;
            wordStart = Count;
            gap = ReadGap(text, at, kind, out int length);
            if (gap == Gap.None) return;
            at += length;
        }
        if (Count > wordStart) _ended[Count] = true;
    }

    private Gap ReadGap(string text, int at, SymbolKind first, out int length)
    {
        int begin = at;
        bool space = false, bracket = false;
        Gap sign = Gap.None;
        SymbolKind kind = first;
        for (int seen = 0; seen < 5; seen++)
        {
            switch (kind)
            {
                case SymbolKind.Space when !space || bracket || sign != Gap.None: space = true; break;
                case SymbolKind.Hyphen when sign == Gap.None: sign = Gap.Hyphen; break;
                case SymbolKind.Dot when sign == Gap.None && !space: sign = Gap.Dot; break;
                case SymbolKind.Slash when sign == Gap.None: sign = Gap.Slash; break;
                case SymbolKind.Plus when sign == Gap.None && !space: sign = Gap.Plus; break;
                case SymbolKind.Open or SymbolKind.Close when sign is Gap.None or Gap.Slash or Gap.Hyphen: bracket = true; break;
                default:
                    length = at - begin;
                    if (kind is not (SymbolKind.Digit or SymbolKind.Letter or SymbolKind.RaisedDigit) || length == 0) return Gap.None;
                    if (bracket) return Gap.Bracket;
                    if (sign == Gap.None) return Gap.Space;
                    if (!space) return sign;
                    // "12. 5" begins a sentence; "030/ 12 34" is one number.
                    return sign is Gap.Hyphen or Gap.Slash ? Gap.Spaced : Gap.None;
            }
            SymbolTable.At(text, at, out _, out int units);
            at += units;
            Steps++;
            if (at >= text.Length) break;
            kind = SymbolTable.At(text, at, out _, out _);
        }
        length = 0;
        return Gap.None;
    }
}
