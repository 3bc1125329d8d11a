using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Text that is no language, made up: code, markup, data, numbers, addresses, random characters, and text that was decoded wrongly.</summary>
internal static class NonLanguageText
{
    private const int Lines = 6_000;

    private static readonly string[] _names =
    [
        "index", "value", "count", "name", "result", "buffer", "item", "node", "key", "user", "data", "list", "size", "offset", "length", "path", "file", "token", "config",
        "request", "response", "handler", "stream", "reader", "writer", "total", "width", "height", "color", "margin", "padding", "header", "footer", "button", "input", "table",
        "row", "column", "id", "url", "src", "href", "class", "div", "span", "args", "tmp", "ptr", "str", "num", "max", "min", "foo", "bar", "err", "ctx", "cfg", "idx", "len",
    ];

    private static readonly string[] _types = ["int", "string", "var", "bool", "double", "float", "char", "void", "byte", "long", "auto", "const", "let", "uint", "object", "Task"];

    private static readonly string[] _calls = ["get", "set", "add", "parse", "read", "write", "append", "push", "print", "println", "printf", "toString", "equals", "map", "filter", "split", "join", "open", "close"];

    /// <summary>Lines of it.</summary>
    /// <param name="random">Decides every character.</param>
    public static string Latin(CounterRandom random)
    {
        var text = new StringBuilder();
        var draws = new Draws(random.Substream("no language"));
        for (int line = 0; line < Lines; line++) text.Append(Line(draws)).Append('\n');
        return text.ToString();
    }

    /// <summary>UTF-8 that was read as Windows-1252, or with <paramref name="cyrillic"/> as Windows-1251.</summary>
    public static string Misread(string text, bool cyrillic)
    {
        var result = new StringBuilder(text.Length * 2);
        foreach (byte value in Encoding.UTF8.GetBytes(text))
            result.Append(value < 0x80 ? (char)value : cyrillic ? Windows1251(value) : Windows1252(value));
        return result.ToString();
    }

    private static char Windows1251(byte value) => value switch
    {
        >= 0xC0 => (char)(0x410 + value - 0xC0),
        >= 0xA0 => "\u00A0ЎўЈ¤Ґ¦§Ё©Є«¬\u00AD®Ї°±Ііґµ¶·ё№є»јЅѕї"[value - 0xA0],
        _ => "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u0098™љ›њќћџ"[value - 0x80],
    };

    private static char Windows1252(byte value) =>
        value >= 0xA0 ? (char)value : "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ"[value - 0x80];

    private static string Line(Draws draws) => draws.Below(12) switch
    {
        0 => $"{draws.Of(_types)} {Name(draws)} = {Value(draws)};",
        1 => $"{(draws.Below(2) == 0 ? "if" : "while")} ({Name(draws)} {draws.Of(["==", "!=", "<", ">", "<=", ">="])} {Value(draws)}) {{ {Name(draws)}.{draws.Of(_calls)}({Name(draws)}); }}",
        2 => $"<{draws.Of(_names)} {draws.Of(_names)}=\"{Name(draws)}\" {draws.Of(_names)}='{Number(draws)}'></{draws.Of(_names)}>",
        3 => $"{{\"{Name(draws)}\": {Value(draws)}, \"{Name(draws)}\": [{Number(draws)}, {Number(draws)}], \"{Name(draws)}\": {draws.Of(["null", "true", "false"])}}}",
        4 => $".{draws.Of(_names)}-{draws.Of(_names)} {{ {draws.Of(_names)}: {draws.Below(100)}px; {draws.Of(_names)}: #{draws.Below(0xFFFFFF):x6}; }}",
        5 => string.Join(draws.Of([" ", "\t", ", ", ";", " | "]), Enumerable.Range(0, 3 + draws.Below(10)).Select(_ => Number(draws))),
        6 => $"{draws.Of(["https://www.", "http://", "ftp://", ""])}{draws.Of(_names)}{draws.Below(99)}.{draws.Of(["com", "org", "net", "eu", "io", "de", "fr"])}/{draws.Of(_names)}/{draws.Of(_names)}?{draws.Of(_names)}={draws.Below(9999)}&{draws.Of(_names)}={Random(draws, 6)}",
        7 => Random(draws, 20 + draws.Below(60)),
        8 => $"{draws.Of(["public", "private", "static", "export", "async", "def", "fn", "func", "function"])} {draws.Of(_types)} {Name(draws)}({draws.Of(_types)} {Name(draws)}) {{ return {Name(draws)}{draws.Of([" + ", " * ", " && ", ".", "->"])}{Name(draws)}; }}",
        9 => $"{draws.Below(2030)}-{1 + draws.Below(12):00}-{1 + draws.Below(28):00}T{draws.Below(24):00}:{draws.Below(60):00}:{draws.Below(60):00}Z [{draws.Of(["INFO", "WARN", "ERROR", "DEBUG"])}] {Name(draws)}.{Name(draws)}: 0x{draws.Below(0xFFFFFF):X}",
        10 => $"SELECT {Name(draws)}, {Name(draws)} FROM {Name(draws)} WHERE {Name(draws)} = {Value(draws)};",
        _ => $"#{draws.Of(["include", "define", "import", "endif", "pragma"])} <{draws.Of(_names)}/{draws.Of(_names)}.h> // {Name(draws)}[{Name(draws)}]++",
    };

    private static string Name(Draws draws)
    {
        string first = draws.Of(_names), second = draws.Of(_names);
        return draws.Below(5) switch
        {
            0 => first,
            1 => first + char.ToUpperInvariant(second[0]) + second[1..],
            2 => first + "_" + second,
            3 => char.ToUpperInvariant(first[0]) + first[1..] + char.ToUpperInvariant(second[0]) + second[1..],
            _ => first + draws.Below(10).ToString(CultureInfo.InvariantCulture),
        };
    }

    private static string Value(Draws draws) => draws.Below(4) switch
    {
        0 => Number(draws),
        1 => "\"" + Name(draws) + "\"",
        2 => draws.Of(["null", "true", "false", "nil", "None", "this"]),
        _ => $"{Name(draws)}[{draws.Of(_names)[..1]}]",
    };

    private static string Number(Draws draws) => draws.Below(4) switch
    {
        0 => draws.Below(100).ToString(CultureInfo.InvariantCulture),
        1 => FormattableString.Invariant($"{draws.Below(10000)}.{draws.Below(100):00}"),
        2 => FormattableString.Invariant($"-{draws.Below(1000)}"),
        _ => draws.Below(1_000_000).ToString("N0", CultureInfo.InvariantCulture),
    };

    private static string Random(Draws draws, int length)
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bool hexadecimal = draws.Below(3) == 0;
        return string.Create(length, (draws, hexadecimal), static (span, state) =>
        {
            for (int i = 0; i < span.Length; i++) span[i] = state.hexadecimal ? "0123456789abcdef"[state.draws.Below(16)] : letters[state.draws.Below(letters.Length)];
        });
    }

    private sealed class Draws(CounterRandom random)
    {
        private ulong _index;

        public int Below(int bound) => (int)random.Below(_index++, (uint)bound);

        public string Of(string[] choices) => choices[Below(choices.Length)];
    }
}
