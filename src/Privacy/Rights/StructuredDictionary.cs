namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Reads a dictionary of structured fields (RFC 9651, section 4.2.2): all of its grammar, so that what is no dictionary is known to be none; kept are only the values
/// that are tokens, which is all that statements of rights use.</summary>
internal ref struct StructuredDictionary
{
    private const int MostMembers = 1024;

    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private StructuredDictionary(ReadOnlySpan<char> text) => _text = text;

    /// <summary>The members in their order: each key with its last value, null for a value that is no token; null when the text is no dictionary.</summary>
    public static List<KeyValuePair<string, string?>>? Parse(ReadOnlySpan<char> text)
    {
        var reader = new StructuredDictionary(text.Trim(' '));
        return reader.Members();
    }

    private List<KeyValuePair<string, string?>>? Members()
    {
        var members = new List<KeyValuePair<string, string?>>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        while (_at < _text.Length)
        {
            if (!TryKey(out string? key)) return null;
            string? token = null;
            if (Peek() == '=')
            {
                _at++;
                if (!(Peek() == '(' ? InnerList() : BareItem(out token))) return null;
            }
            if (!Parameters()) return null;
            var member = KeyValuePair.Create(key!, token);
            if (places.TryGetValue(key!, out int place)) members[place] = member;
            else if (members.Count == MostMembers) return null;
            else
            {
                places[key!] = members.Count;
                members.Add(member);
            }
            SkipBlanks();
            if (_at == _text.Length) return members;
            if (_text[_at++] != ',') return null;
            SkipBlanks();
            if (_at == _text.Length) return null;   // a comma at the end
        }
        return members;
    }

    private readonly char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private void SkipBlanks()
    {
        while (Peek() is ' ' or '\t') _at++;
    }

    private bool TryKey(out string? key)
    {
        int start = _at;
        key = null;
        if (!(char.IsAsciiLetterLower(Peek()) || Peek() == '*')) return false;
        while (char.IsAsciiLetterLower(Peek()) || char.IsAsciiDigit(Peek()) || Peek() is '_' or '-' or '.' or '*') _at++;
        key = _text[start.._at].ToString();
        return true;
    }

    private bool Parameters()
    {
        while (Peek() == ';')
        {
            _at++;
            while (Peek() == ' ') _at++;
            if (!TryKey(out _)) return false;
            if (Peek() != '=') continue;
            _at++;
            if (!BareItem(out _)) return false;
        }
        return true;
    }

    private bool InnerList()
    {
        _at++;
        while (_at < _text.Length)
        {
            while (Peek() == ' ') _at++;
            if (Peek() == ')')
            {
                _at++;
                return true;
            }
            if (!BareItem(out _) || !Parameters() || Peek() is not (' ' or ')')) return false;
        }
        return false;
    }

    private bool BareItem(out string? token)
    {
        token = null;
        switch (Peek())
        {
            case '-' or (>= '0' and <= '9'):
                return Number();
            case '"':
                return QuotedText();
            case ':':
                return Bytes();
            case '?':
                _at++;
                bool known = Peek() is '0' or '1';
                _at++;
                return known;
            case '@':
                _at++;
                int start = _at;
                return Number() && !_text[start.._at].Contains('.');
            case '%':
                return DisplayText();
            case var first when char.IsAsciiLetter(first) || first == '*':
                return Token(out token);
            default:
                return false;
        }
    }

    private bool Token(out string token)
    {
        int start = _at++;
        while (char.IsAsciiLetterOrDigit(Peek()) || "!#$%&'*+-.^_`|~:/".Contains(Peek(), StringComparison.Ordinal)) _at++;
        token = _text[start.._at].ToString();
        return true;
    }

    private bool Number()
    {
        if (Peek() == '-') _at++;
        int start = _at;
        while (char.IsAsciiDigit(Peek())) _at++;
        int whole = _at - start;
        if (Peek() != '.') return whole is > 0 and <= 15;
        _at++;
        int point = _at;
        while (char.IsAsciiDigit(Peek())) _at++;
        return whole is > 0 and <= 12 && _at - point is > 0 and <= 3;
    }

    private bool QuotedText()
    {
        for (_at++; _at < _text.Length; _at++)
        {
            char letter = _text[_at];
            if (letter == '"')
            {
                _at++;
                return true;
            }
            if (letter is < ' ' or > '~') return false;
            if (letter != '\\') continue;
            _at++;
            if (Peek() is not ('"' or '\\')) return false;
        }
        return false;
    }

    private bool Bytes()
    {
        for (_at++; _at < _text.Length; _at++)
        {
            if (_text[_at] == ':')
            {
                _at++;
                return true;
            }
            if (!char.IsAsciiLetterOrDigit(_text[_at]) && _text[_at] is not ('+' or '/' or '=')) return false;
        }
        return false;
    }

    private bool DisplayText()
    {
        _at++;
        if (Peek() != '"') return false;
        for (_at++; _at < _text.Length; _at++)
        {
            char letter = _text[_at];
            if (letter == '"')
            {
                _at++;
                return true;
            }
            if (letter is < ' ' or > '~') return false;
            if (letter != '%') continue;
            if (_at + 2 >= _text.Length || !IsSmallHexadecimal(_text[_at + 1]) || !IsSmallHexadecimal(_text[_at + 2])) return false;
            _at += 2;
        }
        return false;
    }

    private static bool IsSmallHexadecimal(char letter) => char.IsAsciiDigit(letter) || letter is >= 'a' and <= 'f';
}
