using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads an expression in the language of the reference: Oniguruma with Ruby's rules.</summary>
internal sealed class RegexParser
{
    private const int DeepestGroup = 200;
    private const int MostRepeats = 1000;

    private readonly string _regex;
    private readonly string _where;
    private int _position;
    private int _depth;

    private RegexParser(string regex, string where) => (_regex, _where) = (regex, where);

    /// <exception cref="UserErrorException">It is malformed, or holds what is not supported.</exception>
    public static RegexNode Parse(string regex, string where)
    {
        var parser = new RegexParser(regex, where);
        var node = parser.Alternatives(default);
        return parser._position == regex.Length ? node : throw parser.Refuse("')' closes no group");
    }

    private bool AtEnd => _position >= _regex.Length;

    private RegexNode Alternatives(Options options)
    {
        if (++_depth > DeepestGroup)
            throw Refuse(FormattableString.Invariant($"groups lie deeper than {DeepestGroup}"));
        var alternatives = new List<RegexNode> { Sequence(options) };
        while (Take('|'))
            alternatives.Add(Sequence(options));
        _depth--;
        return alternatives is [var single] ? single : new RegexChoice(alternatives);
    }

    private RegexNode Sequence(Options options)
    {
        var parts = new List<RegexNode>();
        while (!AtEnd && _regex[_position] is not ('|' or ')'))
        {
            if (options.Extended && SkipExtended())
                continue;
            if (Atom(options, out bool isRest) is not { } atom)
                continue;
            parts.Add(isRest ? atom : Quantified(atom, options));
        }
        return parts is [var single] ? single : new RegexSequence(parts);
    }

    private bool SkipExtended()
    {
        if (_regex[_position] == '#')
        {
            while (!AtEnd && _regex[_position] != '\n')
                _position++;
            return true;
        }
        if (!char.IsWhiteSpace(_regex[_position]))
            return false;
        _position++;
        return true;
    }

    /// <summary>One unit; null where it is a comment.</summary>
    /// <param name="isRest">Whether it was <c>(?i)</c>, which holds all that is left of the group.</param>
    private RegexNode? Atom(Options options, out bool isRest)
    {
        isRest = false;
        int start = _position;
        switch (_regex[_position])
        {
            case '(':
                return Group(options, out isRest);
            case '[':
                return new RegexCharacter(new RegexClassReader(this, options.IgnoreCase).Read());
            case '.':
                _position++;
                return new RegexCharacter(options.DotIsAll ? CodePointSet.All : CodePointSet.Of('\n').Complement());
            case '^':
                _position++;
                return new RegexAnchor(RegexAnchorKind.LineStart);
            case '$':
                _position++;
                return new RegexAnchor(RegexAnchorKind.LineEnd);
            case '*' or '+' or '?':
                throw Refuse($"'{_regex[start]}' repeats nothing");
            case '\\':
                return Escape(options);
            default:
                return Literal(Character(), options);
        }
    }

    private static RegexCharacter Literal(int character, Options options) =>
        new(options.IgnoreCase ? CaseFolding.Close(CodePointSet.Of(character)) : CodePointSet.Of(character));

    private RegexNode Quantified(RegexNode atom, Options options)
    {
        while (!AtEnd)
        {
            if (options.Extended && SkipExtended())
                continue;
            int least;
            int? most;
            bool isInterval = false;
            if (Take('*'))
                (least, most) = (0, null);
            else if (Take('+'))
                (least, most) = (1, null);
            else if (Take('?'))
                (least, most) = (0, 1);
            else if (TryInterval(out least, out most))
                isInterval = true;
            else
                return atom;
            if (atom is RegexAnchor or RegexLook)
                throw Refuse("a place is repeated");
            // {2}? is optional and {2}+ repeats in the language of the reference.
            bool isLazy = !(isInterval && least == most) && Take('?');
            bool isPossessive = !isInterval && !isLazy && Take('+');
            atom = new RegexRepeat(atom, least, most, isLazy ? RegexGreed.Lazy : isPossessive ? RegexGreed.Possessive : RegexGreed.Greedy);
        }
        return atom;
    }

    /// <summary><c>{n}</c>, <c>{n,}</c>, <c>{n,m}</c> or <c>{,m}</c>; anything else after a brace is text.</summary>
    private bool TryInterval(out int least, out int? most)
    {
        (least, most) = (0, null);
        if (_regex[_position] != '{')
            return false;
        int close = _regex.IndexOf('}', _position);
        if (close < 0)
            return false;
        string[] bounds = _regex[(_position + 1)..close].Split(',');
        if (bounds.Length > 2 || bounds.All(bound => bound.Length == 0) || !bounds.All(bound => bound.All(char.IsAsciiDigit)))
            return false;
        if (bounds.Any(bound => bound.Length > 0 && (!int.TryParse(bound, CultureInfo.InvariantCulture, out int count) || count > MostRepeats)))
            throw Refuse(FormattableString.Invariant($"'{_regex[_position..(close + 1)]}' repeats more than {MostRepeats} times"));
        least = bounds[0].Length == 0 ? 0 : int.Parse(bounds[0], CultureInfo.InvariantCulture);
        most = bounds.Length == 1 ? least : bounds[1].Length == 0 ? null : int.Parse(bounds[1], CultureInfo.InvariantCulture);
        if (most < least)
            throw Refuse($"'{_regex[_position..(close + 1)]}' has its bounds exchanged");
        _position = close + 1;
        return true;
    }

    private RegexNode? Group(Options options, out bool isRest)
    {
        isRest = false;
        int start = _position++;
        if (!Take('?'))
            return Close(Alternatives(options), start);
        if (Take('#'))
        {
            _position = _regex.IndexOf(')', _position) is >= 0 and int end ? end + 1 : throw Refuse("a comment is not closed", start);
            return null;
        }
        if (Take(':'))
            return Close(Alternatives(options), start);
        if (Take('>'))
            return Close(new RegexAtomic(Alternatives(options)), start);
        if (Take('='))
            return Close(new RegexLook(Alternatives(options), Ahead: true, Negative: false), start);
        if (Take('!'))
            return Close(new RegexLook(Alternatives(options), Ahead: true, Negative: true), start);
        if (Take("<="))
            return Close(new RegexLook(Alternatives(options), Ahead: false, Negative: false), start);
        if (Take("<!"))
            return Close(new RegexLook(Alternatives(options), Ahead: false, Negative: true), start);
        if (Take('<'))
        {
            _position = _regex.IndexOf('>', _position) is >= 0 and int end ? end + 1 : throw Refuse("the name of a group is not closed", start);
            return Close(Alternatives(options), start);
        }
        return OptionGroup(options, start, out isRest);
    }

    private RegexNode OptionGroup(Options options, int start, out bool isRest)
    {
        isRest = false;
        bool on = true;
        for (; !AtEnd; _position++)
        {
            switch (_regex[_position])
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    options = options with { IgnoreCase = on };
                    break;
                case 'm':
                    options = options with { DotIsAll = on };
                    break;
                case 'x':
                    options = options with { Extended = on };
                    break;
                case ':':
                    _position++;
                    return Close(Alternatives(options), start);
                case ')':
                    _position++;
                    isRest = true;   // a(?i)b|c means a(?i:b|c)
                    return Alternatives(options);
                default:
                    throw Refuse($"the group '{_regex[start..(_position + 1)]}' is not supported; known: (?: (?> (?= (?! (?<= (?<! (?# and the options i, m, x", start);
            }
        }
        throw Refuse("a group is not closed", start);
    }

    private T Close<T>(T node, int start) where T : RegexNode => Take(')') ? node : throw Refuse("a group is not closed", start);

    private RegexNode Escape(Options options)
    {
        int start = _position;
        char kind = _position + 1 < _regex.Length ? _regex[_position + 1] : throw Refuse("'\\' escapes nothing");
        RegexAnchorKind? anchor = kind switch
        {
            'A' => RegexAnchorKind.TextStart,
            'z' => RegexAnchorKind.TextEnd,
            'Z' => RegexAnchorKind.TextEndOrLastBreak,
            'b' => RegexAnchorKind.WordBoundary,
            'B' => RegexAnchorKind.NoWordBoundary,
            _ => null,
        };
        if (anchor is { } place)
        {
            _position += 2;
            return new RegexAnchor(place);
        }
        switch (kind)
        {
            case 'R':
                _position += 2;
                var breaks = CodePointSet.Union(CodePointSet.Range('\n', '\r'), CodePointSet.Of(0x85, 0x2028, 0x2029));
                return new RegexAtomic(new RegexChoice([new RegexSequence([new RegexCharacter(CodePointSet.Of('\r')), new RegexCharacter(CodePointSet.Of('\n'))]), new RegexCharacter(breaks)]));
            case 'N':
                _position += 2;
                return new RegexCharacter(CodePointSet.Of('\n').Complement());
            case 'O':
                _position += 2;
                return new RegexCharacter(CodePointSet.All);
            case >= '1' and <= '9' or 'k' or 'g':
                throw Refuse($"'\\{kind}' refers back to a group, which is not supported", start);
            case 'X' or 'K' or 'G' or 'y' or 'Y':
                throw Refuse($"'\\{kind}' is not supported", start);
        }
        return ClassEscape() is { } set ? new RegexCharacter(set) : Literal(EscapedCharacter(), options);
    }

    /// <summary>The set of <c>\s</c>, <c>\p{..}</c> and the like at the position; null where an escaped character stands there.</summary>
    /// <param name="inClass">Whether it stands in brackets, where the reference's <c>\w</c> is <c>[[:word:]]</c>.</param>
    internal CodePointSet? ClassEscape(bool inClass = false)
    {
        char kind = _position + 1 < _regex.Length ? _regex[_position + 1] : throw Refuse("'\\' escapes nothing");
        CodePointSet? set = char.ToLowerInvariant(kind) switch
        {
            's' => UnicodeSets.Space,
            'd' => UnicodeSets.Digit,
            'w' => inClass ? UnicodeSets.Bracket("word") : UnicodeSets.WordCharacter,
            'h' => UnicodeSets.HexDigit,
            _ => null,
        };
        if (set is not null)
        {
            _position += 2;
            return char.IsAsciiLetterUpper(kind) ? set.Complement() : set;
        }
        if (kind is not ('p' or 'P'))
            return null;
        int open = _position + 2;
        int close = open < _regex.Length && _regex[open] == '{' ? _regex.IndexOf('}', open) : -1;
        if (close < 0)
            throw Refuse($"'\\{kind}' has no name in braces");
        string name = _regex[(open + 1)..close];
        bool negated = name.StartsWith('^');
        set = UnicodeSets.Property(negated ? name[1..] : name)
            ?? throw Refuse($"the property '{name}' is unknown; expected a general category (L, Lu, ...), a script (Latin, Han, ...) or a class (Alpha, Space, ...)");
        _position = close + 1;
        return negated != (kind == 'P') ? set.Complement() : set;
    }

    /// <summary>The character that is written with a backslash at the position.</summary>
    internal int EscapedCharacter()
    {
        int start = _position;
        _position++;
        int character = Character();
        switch (character)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 'f':
                return '\f';
            case 'v':
                return '\v';
            case 'a':
                return 7;
            case 'e':
                return 0x1B;
            case 'u':
                return Code(4, 4, 16, start);
            case 'x' when Take('{'):
                int value = Code(1, 8, 16, start);
                return Take('}') ? value : throw Refuse("'\\x{' is not closed", start);
            case 'x':
                value = Code(1, 2, 16, start);
                return value < 0x80 ? value : throw Refuse("a byte beyond 7F is no character; write \\u00E9 or \\x{E9}", start);
            case '0':
                return Code(0, 2, 8, start);
            case 'c' or 'C' or 'M':
                throw Refuse($"the control character '\\{(char)character}' is not supported; write \\x01", start);
            default:
                return character;
        }
    }

    private int Code(int least, int most, int radix, int start)
    {
        int value = 0;
        int digits = 0;
        for (; digits < most && !AtEnd && char.IsAsciiHexDigit(_regex[_position]) && Convert.ToInt32(_regex[_position].ToString(), 16) < radix; digits++)
        {
            value = value * radix + Convert.ToInt32(_regex[_position++].ToString(), 16);
            if (value > 0x10FFFF)
                break;
        }
        return digits >= least && Rune.IsValid(value) ? value : throw Refuse($"'{_regex[start.._position]}' is no character", start);
    }

    /// <summary>The character at the position, which may be two UTF-16 units.</summary>
    internal int Character()
    {
        if (AtEnd)
            throw Refuse("'\\' escapes nothing");
        if (!Rune.TryGetRuneAt(_regex, _position, out var rune))
            throw Refuse("half a surrogate pair is no character");
        _position += rune.Utf16SequenceLength;
        return rune.Value;
    }

    internal bool Take(char wanted)
    {
        if (AtEnd || _regex[_position] != wanted)
            return false;
        _position++;
        return true;
    }

    internal bool Take(string wanted)
    {
        if (string.CompareOrdinal(_regex, _position, wanted, 0, wanted.Length) != 0)
            return false;
        _position += wanted.Length;
        return true;
    }

    internal char? Peek(int ahead = 0) => _position + ahead < _regex.Length ? _regex[_position + ahead] : null;

    /// <summary>The text up to a mark, which is passed; null where it does not follow.</summary>
    internal string? TakeUntil(string mark)
    {
        int end = _regex.IndexOf(mark, _position, StringComparison.Ordinal);
        if (end < 0)
            return null;
        string text = _regex[_position..end];
        _position = end + mark.Length;
        return text;
    }

    internal UserErrorException Refuse(string what, int? at = null)
    {
        string shown = _regex.Length <= 200 ? _regex : _regex[..200] + "…";
        return new UserErrorException(FormattableString.Invariant($"{_where}: the expression '{shown.ReplaceLineEndings(" ")}' cannot be used: {what} (at character {at ?? _position})."));
    }

    private readonly record struct Options(bool IgnoreCase, bool DotIsAll, bool Extended);
}
