using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Reads the regular part of ECMAScript's patterns (Unicode mode): characters, classes, groups, alternatives, repetitions, and anchors
/// at the ends of the outermost alternatives. What needs memory or looks around is refused.</summary>
internal sealed class PatternParser
{
    private const int MaxNesting = 50;

    private readonly int[] _pattern;
    private readonly PatternStates _states;
    private readonly Action<int> _spend;
    private readonly string _pointer;
    private int _at;

    private PatternParser(string pattern, PatternStates states, Action<int> spend, string pointer)
    {
        (_pattern, _states, _spend, _pointer) = ([.. pattern.EnumerateRunes().Select(rune => rune.Value)], states, spend, pointer);
    }

    /// <summary>The texts in which the pattern is found; as in JSON Schema, anywhere unless it is anchored.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="most">Most states of the outcome.</param>
    /// <param name="spend">Counts steps.</param>
    /// <param name="pointer">Where the pattern stands.</param>
    /// <exception cref="SchemaException">It is malformed, too large, or not regular.</exception>
    public static CharacterAutomaton Parse(string pattern, int most, Action<int> spend, string pointer)
    {
        spend(pattern.Length);
        var states = new PatternStates(most, spend, pointer);
        var parser = new PatternParser(pattern, states, spend, pointer);
        int start = states.Add(), end = states.Add();
        do
        {
            int from = states.Add(), to = states.Add();
            states.Skip(start, from);
            states.Skip(to, end);
            if (!parser.Take('^')) states.Connect(from, from, CharacterSet.All);
            to = parser.Sequence(from, to, 0, outermost: true, out bool anchored);
            if (!anchored) states.Connect(to, to, CharacterSet.All);
        }
        while (parser.Take('|'));
        if (parser._at < parser._pattern.Length) throw parser.Error("a ')' has no '('");
        return states.Determine(start, end);
    }

    private int Sequence(int from, int to, int nesting, bool outermost, out bool anchored)
    {
        anchored = false;
        int at = from;
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            if (outermost && _pattern[_at] == '$' && (_at + 1 == _pattern.Length || _pattern[_at + 1] == '|'))
            {
                _at++;
                anchored = true;
                break;
            }

            at = Repeated(at, nesting);
        }

        _states.Skip(at, to);
        return to;
    }

    // What is repeated is read again for every copy, so that a copy has states of its own.
    private int Repeated(int from, int nesting)
    {
        int place = _at;
        int first = _states.Add();
        Atom(from, first, nesting);
        int behind = _at;
        var (least, most) = Count();
        int after = _at;
        if (least == 1 && most == 1) return first;
        if (most < least) throw Error($"the repetition {{{least},{most}}} is upside down");
        int at = from;
        if (least == 0)
        {
            // The copy that was read already is one of the optional ones, or the loop.
            int start = _states.Add(), inside = _states.Add(), end = _states.Add();
            _states.Skip(from, start);
            if (most != 0) Copy(start, inside);
            if (most is null) _states.Skip(inside, start);
            _states.Skip(start, end);
            if (most is null) return Done(end);
            if (most == 0) return Done(end);
            _states.Skip(inside, end);
            at = inside;
            for (int i = 1; i < most; i++)
            {
                int next = _states.Add();
                Copy(at, next);
                _states.Skip(next, end);
                at = next;
            }

            return Done(end);
        }

        for (int i = 0; i < least; i++)
        {
            int next = _states.Add();
            Copy(at, next);
            at = next;
        }

        if (most is null)
        {
            int loop = _states.Add(), inside = _states.Add();
            _states.Skip(at, loop);
            Copy(loop, inside);
            _states.Skip(inside, loop);
            return Done(loop);
        }

        int close = _states.Add();
        _states.Skip(at, close);
        for (int i = least; i < most; i++)
        {
            int next = _states.Add();
            Copy(at, next);
            _states.Skip(next, close);
            at = next;
        }

        return Done(close);

        void Copy(int start, int end)
        {
            _at = place;
            Atom(start, end, nesting);
            if (_at != behind) throw Error("the pattern cannot be read twice");
        }

        int Done(int end)
        {
            _at = after;
            return end;
        }
    }

    private void Atom(int from, int to, int nesting)
    {
        _spend(8);
        int found = _pattern[_at++];
        switch (found)
        {
            case '(':
                if (nesting == MaxNesting) throw Error($"groups lie more than {MaxNesting} deep");
                if (Take('?') && !Take(':')) throw Error("lookaround and named groups are not supported; only ( and (?: are");
                do
                {
                    int start = _states.Add();
                    _states.Skip(from, start);
                    Sequence(start, to, nesting + 1, outermost: false, out _);
                }
                while (Take('|'));
                if (!Take(')')) throw Error("a '(' has no ')'");
                return;
            case '[':
                _states.Connect(from, to, Class());
                return;
            case '.':
                _states.Connect(from, to, CharacterSet.Dot);
                return;
            case '\\':
                _states.Connect(from, to, Escape(inClass: false));
                return;
            case '^' or '$':
                throw Error($"'{(char)found}' is supported at the ends of the whole pattern, or of its outermost alternatives, only");
            case '*' or '+' or '?' or '{' or '}' or ']':
                throw Error($"'{(char)found}' has nothing that it could belong to; write \\{(char)found} for the character");
            default:
                _states.Connect(from, to, CharacterSet.Of(found));
                return;
        }
    }

    // A lazy mark changes which match is found, not whether there is one.
    private (int Least, int? Most) Count()
    {
        (int, int?) count = (1, 1);
        if (Take('*')) count = (0, null);
        else if (Take('+')) count = (1, null);
        else if (Take('?')) count = (0, 1);
        else if (Take('{'))
        {
            int least = Number();
            int? most = least;
            if (Take(',')) most = _at < _pattern.Length && _pattern[_at] != '}' ? Number() : null;
            if (!Take('}')) throw Error("a repetition has no '}'");
            count = (least, most);
        }
        else
        {
            return count;
        }

        Take('?');
        return count;
    }

    private int Number()
    {
        int value = 0, start = _at;
        while (_at < _pattern.Length && _pattern[_at] is >= '0' and <= '9')
        {
            _spend(1);
            value = value * 10 + _pattern[_at++] - '0';
            if (value > 10_000) throw Error("a repetition is larger than 10000");
        }

        return _at > start ? value : throw Error("a repetition has no number");
    }

    private CharacterSet Class()
    {
        bool negated = Take('^');
        var ranges = new List<(int Low, int High)>();
        while (!Take(']'))
        {
            if (_at == _pattern.Length) throw Error("a '[' has no ']'");
            var first = ClassAtom();
            if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                if (_at == _pattern.Length) throw Error("a '[' has no ']'");
                var last = ClassAtom();
                if (first.Single is not int low || last.Single is not int high || high < low) throw Error("a range in a class is upside down or not between characters");
                ranges.Add((low, high));
            }
            else
            {
                _spend(first.Ranges.Count);
                ranges.AddRange(first.Ranges);
            }
        }

        var set = CharacterSet.Of(ranges);
        return negated ? set.Not() : set;
    }

    private CharacterSet ClassAtom()
    {
        _spend(8);
        int found = _pattern[_at++];
        return found == '\\' ? Escape(inClass: true) : CharacterSet.Of(found);
    }

    private CharacterSet Escape(bool inClass)
    {
        if (_at == _pattern.Length) throw Error("a '\\' stands at the end");
        int found = _pattern[_at++];
        switch (found)
        {
            case 'd': return CharacterSet.Digit;
            case 'D': return CharacterSet.Digit.Not();
            case 'w': return CharacterSet.Word;
            case 'W': return CharacterSet.Word.Not();
            case 's': return CharacterSet.Space;
            case 'S': return CharacterSet.Space.Not();
            case 'n': return CharacterSet.Of('\n');
            case 'r': return CharacterSet.Of('\r');
            case 't': return CharacterSet.Of('\t');
            case 'f': return CharacterSet.Of('\f');
            case 'v': return CharacterSet.Of('\v');
            case 'b' when inClass: return CharacterSet.Of('\b');
            case 'x': return CharacterSet.Of(Hex(2));
            case 'u': return CharacterSet.Of(CodePoint());
        }

        if (Rune.IsValid(found) && (found >= 0x80 || !char.IsAsciiLetterOrDigit((char)found))) return CharacterSet.Of(found);
        throw Error($"'\\{new Rune(found)}' is not supported; supported are \\d \\w \\s \\D \\W \\S \\n \\r \\t \\f \\v \\xHH \\uHHHH and escaped punctuation");
    }

    private int CodePoint()
    {
        int value = Take('{') ? Braced() : Hex(4);
        if (value is >= 0xD800 and <= 0xDBFF && Take('\\') && Take('u'))
        {
            int low = Hex(4);
            if (low is >= 0xDC00 and <= 0xDFFF) return 0x10000 + ((value - 0xD800) << 10) + low - 0xDC00;
        }

        return Rune.IsValid(value) ? value : throw Error("an escape is no character");
    }

    private int Braced()
    {
        int length = 0;
        while (_at + length < _pattern.Length && _pattern[_at + length] != '}' && length < 7) length++;
        int value = Hex(length);
        return Take('}') ? value : throw Error("'\\u{' has no '}'");
    }

    private int Hex(int digits)
    {
        int value = 0;
        if (digits is 0 or > 6 || _at + digits > _pattern.Length) throw Error("an escape lacks hexadecimal digits");
        for (int i = 0; i < digits; i++)
        {
            int found = _pattern[_at++];
            if (found >= 0x80 || !char.IsAsciiHexDigit((char)found)) throw Error("an escape lacks hexadecimal digits");
            value = value * 16 + int.Parse([(char)found], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return value;
    }

    private bool Take(char expected)
    {
        if (_at >= _pattern.Length || _pattern[_at] != expected) return false;
        _at++;
        return true;
    }

    private SchemaException Error(string what) => new(_pointer, $"in the pattern, before character {_at}: {what}.");
}
