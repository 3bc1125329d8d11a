using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>Cuts a template into words. A line break behind a tag and white space between a line's start and a tag are dropped, as chat templates
/// are always read; <c>-</c> drops all white space, <c>+</c> keeps it.</summary>
internal sealed class TemplateLexer
{
    private const string Operators = "+-*/%~[](){}=<>.:|,;!";

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private readonly StringBuilder _text = new();
    private int _at, _line = 1, _textLine = 1;
    private bool _lineStarts = true;   // the last tag ended with a line break that was dropped, or nothing was read yet

    private TemplateLexer(string source) => _source = source;

    /// <exception cref="TemplateException">The template is malformed.</exception>
    public static List<TemplateToken> Read(string template)
    {
        string source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (source.EndsWith('\n')) source = source[..^1];
        var lexer = new TemplateLexer(source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (true)
        {
            int tag = NextTag();
            if (tag < 0)
            {
                AddText(_source[_at..]);
                FlushText();
                _tokens.Add(new TemplateToken(TemplateTokenKind.End, "", _line));
                return;
            }
            char kind = _source[tag + 1];
            char sign = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
            AddText(Before(_source[_at..tag], sign, kind != '{'));
            Advance(tag + (sign is '-' or '+' ? 3 : 2));
            if (kind == '#') SkipComment();
            else if (kind == '%' && RawBegins() is int raw and >= 0) ReadRaw(raw);
            else
            {
                FlushText();
                _tokens.Add(new TemplateToken(kind == '{' ? TemplateTokenKind.PrintBegin : TemplateTokenKind.TagBegin, "", _line));
                ReadWords(kind == '{');
            }
            _lineStarts = _source[_at - 1] == '\n';
        }
    }

    private int NextTag()
    {
        for (int at = _at; (at = _source.IndexOf('{', at)) >= 0 && at + 1 < _source.Length; at++)
            if (_source[at + 1] is '{' or '%' or '#') return at;
        return -1;
    }

    // Text in front of a tag, without what the tag takes away.
    private string Before(string text, char sign, bool isBlock)
    {
        if (sign == '-') return text.TrimEnd(PythonText.WhiteSpace);
        if (sign == '+' || !isBlock) return text;
        int lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarts) && PythonText.IsWhiteSpace(text.AsSpan(lineStart)) ? text[..lineStart] : text;
    }

    private void AddText(string text)
    {
        if (_text.Length == 0) _textLine = _line;
        _text.Append(text);
    }

    private void FlushText()
    {
        if (_text.Length > 0) _tokens.Add(new TemplateToken(TemplateTokenKind.Text, _text.ToString(), _textLine));
        _text.Clear();
    }

    private void Advance(int to)
    {
        _line += _source.AsSpan(_at, to - _at).Count('\n');
        _at = to;
    }

    // The position behind the end of a tag at this place, or -1.
    private int TagEnd(int at, char kind)
    {
        int end = at;
        bool strips = false, keeps = false;
        if (end < _source.Length && _source[end] == '-') (strips, end) = (true, end + 1);
        else if (end < _source.Length && _source[end] == '+' && kind != '}') (keeps, end) = (true, end + 1);
        if (end + 1 >= _source.Length || _source[end] != kind || _source[end + 1] != '}') return -1;
        end += 2;
        if (strips) while (end < _source.Length && PythonText.IsWhiteSpace(_source[end])) end++;
        else if (!keeps && kind != '}' && end < _source.Length && _source[end] == '\n') end++;
        return end;
    }

    private void SkipComment()
    {
        int begun = _line;
        for (int at = _at; at < _source.Length; at++)
        {
            if (_source[at] is not ('#' or '-' or '+') || TagEnd(at, '#') is not (var end and >= 0)) continue;
            Advance(end);
            return;
        }
        throw new TemplateException("a comment '{#' has no end; expected '#}'", begun);
    }

    private int RawBegins()
    {
        int at = SkipWhiteSpace(_at);
        if (string.CompareOrdinal(_source, at, "raw", 0, 3) != 0) return -1;
        at = SkipWhiteSpace(at + 3);
        bool strips = at < _source.Length && _source[at] == '-';
        if (strips) at++;
        if (string.CompareOrdinal(_source, at, "%}", 0, 2) != 0) return -1;
        return strips ? SkipWhiteSpace(at + 2) : at + 2;
    }

    private void ReadRaw(int from)
    {
        int begun = _line;
        Advance(from);
        _lineStarts = _source[_at - 1] == '\n';
        for (int at = _at; (at = _source.IndexOf("{%", at, StringComparison.Ordinal)) >= 0; at += 2)
        {
            int word = at + 2;
            char sign = word < _source.Length ? _source[word] : ' ';
            if (sign is '-' or '+') word++;
            word = SkipWhiteSpace(word);
            if (string.CompareOrdinal(_source, word, "endraw", 0, 6) != 0 || TagEnd(SkipWhiteSpace(word + 6), '%') is not (var end and >= 0)) continue;
            AddText(Before(_source[_at..at], sign, isBlock: true));
            Advance(end);
            return;
        }
        throw new TemplateException("a block 'raw' has no end; expected '{% endraw %}'", begun);
    }

    private int SkipWhiteSpace(int at)
    {
        while (at < _source.Length && PythonText.IsWhiteSpace(_source[at])) at++;
        return at;
    }

    private void ReadWords(bool isPrint)
    {
        int begun = _line;
        var open = new Stack<char>();
        while (true)
        {
            Advance(SkipWhiteSpace(_at));
            if (_at >= _source.Length) throw new TemplateException($"a tag '{(isPrint ? "{{" : "{%")}' has no end; expected '{(isPrint ? "}}" : "%}")}'", begun);
            if (open.Count == 0 && TagEnd(_at, isPrint ? '}' : '%') is var end and >= 0)
            {
                _tokens.Add(new TemplateToken(isPrint ? TemplateTokenKind.PrintEnd : TemplateTokenKind.TagEnd, "", _line));
                Advance(end);
                return;
            }
            char first = _source[_at];
            if (first is '\'' or '"') ReadString(first);
            else if (char.IsAsciiDigit(first)) ReadNumber();
            else if (char.IsLetter(first) || first == '_') ReadName();
            else ReadOperator(open);
        }
    }

    private void ReadName()
    {
        int end = _at;
        while (end < _source.Length && (char.IsLetterOrDigit(_source[end]) || _source[end] == '_')) end++;
        _tokens.Add(new TemplateToken(TemplateTokenKind.Name, _source[_at..end], _line));
        _at = end;
    }

    private void ReadOperator(Stack<char> open)
    {
        ReadOnlySpan<string> doubles = ["//", "**", "==", "!=", ">=", "<="];
        foreach (string pair in doubles)
        {
            if (string.CompareOrdinal(_source, _at, pair, 0, 2) != 0) continue;
            _tokens.Add(new TemplateToken(TemplateTokenKind.Operator, pair, _line));
            _at += 2;
            return;
        }
        char found = _source[_at];
        if (!Operators.Contains(found) || found == '!') throw new TemplateException($"unexpected character '{found}'", _line);
        if (found is '(' or '[' or '{') open.Push(found == '(' ? ')' : found == '[' ? ']' : '}');
        else if (found is ')' or ']' or '}' && (open.Count == 0 || open.Pop() != found)) throw new TemplateException($"unexpected '{found}': nothing is open that it closes", _line);
        _tokens.Add(new TemplateToken(TemplateTokenKind.Operator, found.ToString(), _line));
        _at++;
    }

    private void ReadNumber()
    {
        int end = _at;
        // A number behind a dot is an index (items.0.name), so it has no fraction.
        bool isIndex = _tokens[^1].Is(".") && _source[_at - 1] == '.';
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'o' or 'b')
            throw new TemplateException("numbers in hexadecimal, octal or binary form are not supported", _line);
        end = Digits(end);
        bool isFloat = false;
        if (!isIndex)
        {
            if (end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1])) (isFloat, end) = (true, Digits(end + 1));
            int exponent = end + 1;
            if (end < _source.Length && _source[end] is 'e' or 'E')
            {
                if (exponent < _source.Length && _source[exponent] is '+' or '-') exponent++;
                if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent])) (isFloat, end) = (true, Digits(exponent));
            }
        }
        string text = _source[_at..end], plain = text.Replace("_", "", StringComparison.Ordinal);
        _at = end;
        if (isFloat)
        {
            _tokens.Add(new TemplateToken(TemplateTokenKind.Float, text, _line, double.Parse(plain, NumberStyles.Float, CultureInfo.InvariantCulture)));
            return;
        }
        if (!long.TryParse(plain, NumberStyles.None, CultureInfo.InvariantCulture, out long value)) throw new TemplateException("a whole number beyond 64 bits", _line);
        if (plain.Length > 1 && plain[0] == '0' && value != 0) throw new TemplateException($"the number {text} begins with 0", _line);
        _tokens.Add(new TemplateToken(TemplateTokenKind.Integer, text, _line, value));
    }

    private int Digits(int at)
    {
        while (at < _source.Length && (char.IsAsciiDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1])))) at++;
        return at;
    }

    private void ReadString(char quote)
    {
        int begun = _line, at = _at + 1;
        var text = new StringBuilder();
        while (true)
        {
            if (at >= _source.Length) throw new TemplateException($"a text has no end; expected {quote}", begun);
            if (_source[at] == quote) break;
            if (_source[at] != '\\') text.Append(_source[at++]);
            else at = ReadEscape(at + 1, text, begun);
        }
        string value = text.ToString();
        for (int i = 0; i < value.Length; i += char.IsSurrogate(value[i]) ? 2 : 1)
            if (char.IsSurrogate(value[i]) && !(i + 1 < value.Length && char.IsSurrogatePair(value[i], value[i + 1]))) throw new TemplateException("a text holds half a surrogate pair", begun);
        _tokens.Add(new TemplateToken(TemplateTokenKind.String, value, begun));
        Advance(at + 1);
    }

    // What stands behind a backslash, as Python reads it; an unknown escape stays as it is.
    private int ReadEscape(int at, StringBuilder text, int line)
    {
        if (at >= _source.Length) throw new TemplateException("a text has no end", line);
        char kind = _source[at++];
        switch (kind)
        {
            case '\n': return at;
            case '\\' or '\'' or '"': text.Append(kind); return at;
            case 'n': text.Append('\n'); return at;
            case 't': text.Append('\t'); return at;
            case 'r': text.Append('\r'); return at;
            case 'b': text.Append('\b'); return at;
            case 'f': text.Append('\f'); return at;
            case 'v': text.Append('\v'); return at;
            case 'a': text.Append('\a'); return at;
            case 'x' or 'u' or 'U':
                int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
                if (at + digits > _source.Length || !uint.TryParse(_source.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) || value > 0x10FFFF)
                    throw new TemplateException($"the escape '\\{kind}' is not followed by {digits} hexadecimal digits of a character", line);
                if (value < 0x10000) text.Append((char)value);
                else text.Append(char.ConvertFromUtf32((int)value));
                return at + digits;
            case 'N': throw new TemplateException("characters by name (\\N{...}) are not supported", line);
            case >= '0' and <= '7':
                int octal = kind - '0';
                for (int i = 0; i < 2 && at < _source.Length && _source[at] is >= '0' and <= '7'; i++) octal = octal * 8 + _source[at++] - '0';
                text.Append((char)octal);
                return at;
            default: text.Append('\\').Append(kind); return at;
        }
    }
}
