using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Inference;

/// <summary>Reads calls in Python's notation: names with named arguments that are literals. Nothing is ever evaluated.</summary>
internal sealed class PythonCalls
{
    private const int MostDepth = 32;

    private readonly string _text;
    private int _at, _depth;

    private PythonCalls(string text) => _text = text;

    /// <summary>The calls, at least one; null when the text is anything else.</summary>
    public static IReadOnlyList<AnswerPart.Called>? Read(string text)
    {
        try
        {
            return new PythonCalls(text.Trim()).ReadAll();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private List<AnswerPart.Called> ReadAll()
    {
        var calls = new List<AnswerPart.Called>();
        bool isList = Skip('[');
        while (true)
        {
            SkipSpace();
            if (isList && Skip(']'))
            {
                SkipSpace();
                isList = false;
            }
            if (_at == _text.Length) break;
            calls.Add(ReadCall());
            SkipSpace();
            while (_at < _text.Length && _text[_at] is ',' or ';') _at++;
        }
        if (calls.Count == 0 || isList) throw new FormatException();
        return calls;
    }

    private AnswerPart.Called ReadCall()
    {
        string name = Name(withDots: true);
        Expect('(');
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            json.WriteStartObject();
            while (!Skip(')'))
            {
                if (seen.Count > 0)
                {
                    Expect(',');
                    if (Skip(')')) break;
                }
                string key = Name(withDots: false);
                if (!seen.Add(key)) throw new FormatException();
                Expect('=');
                json.WritePropertyName(key);
                WriteValue(json);
            }
            json.WriteEndObject();
        }
        return AnswerCalls.IsName(name) ? new AnswerPart.Called(null, name, Encoding.UTF8.GetString(buffer.ToArray())) : throw new FormatException();
    }

    private void WriteValue(Utf8JsonWriter json)
    {
        SkipSpace();
        if (_at == _text.Length || ++_depth > MostDepth) throw new FormatException();
        char first = _text[_at];
        if (first is '\'' or '"') json.WriteStringValue(Text(first));
        else if (first is '[' or '(') WriteList(json, first == '[' ? ']' : ')');
        else if (first == '{') WriteMap(json);
        else if (char.IsAsciiDigit(first) || first is '-' or '+' or '.') WriteNumber(json);
        else
        {
            switch (Name(withDots: false))
            {
                case "True" or "true": json.WriteBooleanValue(true); break;
                case "False" or "false": json.WriteBooleanValue(false); break;
                case "None" or "null": json.WriteNullValue(); break;
                default: throw new FormatException();
            }
        }
        _depth--;
    }

    private void WriteList(Utf8JsonWriter json, char close)
    {
        _at++;
        json.WriteStartArray();
        for (int i = 0; !Skip(close); i++)
        {
            if (i > 0)
            {
                Expect(',');
                if (Skip(close)) break;
            }
            WriteValue(json);
        }
        json.WriteEndArray();
    }

    private void WriteMap(Utf8JsonWriter json)
    {
        _at++;
        json.WriteStartObject();
        for (int i = 0; !Skip('}'); i++)
        {
            if (i > 0)
            {
                Expect(',');
                if (Skip('}')) break;
            }
            SkipSpace();
            if (_at == _text.Length || _text[_at] is not ('\'' or '"')) throw new FormatException();
            json.WritePropertyName(Text(_text[_at]));
            Expect(':');
            WriteValue(json);
        }
        json.WriteEndObject();
    }

    private void WriteNumber(Utf8JsonWriter json)
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '.' or '-' or '+' or '_')) _at++;
        string number = _text[start.._at].Replace("_", "", StringComparison.Ordinal);
        if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)) json.WriteNumberValue(whole);
        else if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real)) json.WriteRawValue(PythonText.Number(real));
        else throw new FormatException();
    }

    private string Text(char quote)
    {
        _at++;
        var text = new StringBuilder();
        while (true)
        {
            if (_at == _text.Length) throw new FormatException();
            char next = _text[_at++];
            if (next == quote) break;
            if (next == '\\' && _at < _text.Length)
            {
                char escaped = _text[_at++];
                if (escaped is 'u' or 'x' && Hexadecimal(escaped == 'u' ? 4 : 2) is char value) text.Append(value);
                else if (escaped is 'n' or 't' or 'r') text.Append(escaped switch { 'n' => '\n', 't' => '\t', _ => '\r' });
                else if (escaped is '\\' or '\'' or '"') text.Append(escaped);
                else text.Append('\\').Append(escaped);
            }
            else
            {
                text.Append(next);
            }
        }
        string read = text.ToString();
        for (int i = 0; i < read.Length; i += Rune.TryGetRuneAt(read, i, out var rune) ? rune.Utf16SequenceLength : throw new FormatException())
        {
        }
        return read;
    }

    private char? Hexadecimal(int digits)
    {
        if (_at + digits > _text.Length || !ushort.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value)) return null;
        _at += digits;
        return (char)value;
    }

    private string Name(bool withDots)
    {
        SkipSpace();
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '_' or '-' || (withDots && _text[_at] == '.'))) _at++;
        return _at > start && !char.IsAsciiDigit(_text[start]) ? _text[start.._at] : throw new FormatException();
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++;
    }

    private bool Skip(char wanted)
    {
        SkipSpace();
        bool found = _at < _text.Length && _text[_at] == wanted;
        if (found) _at++;
        return found;
    }

    private void Expect(char wanted)
    {
        if (!Skip(wanted)) throw new FormatException();
    }
}
