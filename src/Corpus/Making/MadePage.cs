using System.Buffers;
using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>Web pages around made texts, as records of a web archive: head, menus, a consent banner, the text with a heading, and a footer.</summary>
internal sealed class MadePage
{
    private const int MenuEntries = 24;

    private readonly Dictionary<(string Language, int Site), (byte[] Before, byte[] After)> _frames = [];
    private readonly ArrayBufferWriter<byte> _page = new(1 << 16);

    /// <summary>The record that tells about the archive.</summary>
    public static ReadOnlySpan<byte> Information =>
        "WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:ffffffff-0000-4000-8000-000000000000>\r\nWARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/warc-fields\r\nContent-Length: 16\r\n\r\nformat: WARC 1.0\r\n\r\n"u8;

    /// <summary>Writes the record of a page.</summary>
    public void Write(MadeTexts texts, long number, IBufferWriter<byte> target)
    {
        WordPool pool = texts.PoolOf(number);
        if (!_frames.TryGetValue((pool.Language, texts.Site), out (byte[] Before, byte[] After) frame))
            _frames[(pool.Language, texts.Site)] = frame = Frame(texts, pool);
        _page.ResetWrittenCount();
        WritePage(texts, frame);
        Span<char> place = stackalloc char[12];
        number.TryFormat(place, out _, "x12", CultureInfo.InvariantCulture);
        ReadOnlySpan<byte> http = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"u8;
        Text(target, string.Create(CultureInfo.InvariantCulture,
            $"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{place}>\r\nWARC-Target-URI: {texts.Url}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {http.Length + _page.WrittenCount}\r\n\r\n"));
        target.Write(http);
        target.Write(_page.WrittenSpan);
        target.Write("\r\n\r\n"u8);
    }

    private void WritePage(MadeTexts texts, (byte[] Before, byte[] After) frame)
    {
        ReadOnlySpan<byte> text = texts.Text;
        int title = Math.Min(text.Length, 60);
        while (title > 0 && title < text.Length && (text[title] & 0xC0) == 0x80) title--;
        ReadOnlySpan<byte> heading = text[..title];
        if (heading.IndexOf((byte)'\n') is >= 0 and int end) heading = heading[..end];
        _page.Write("<!DOCTYPE html>\n<html lang=\""u8);
        Text(_page, texts.Language);
        _page.Write("\"><head><meta charset=\"utf-8\"><title>"u8);
        Escape(heading);
        _page.Write("</title><link rel=\"canonical\" href=\""u8);
        Text(_page, texts.Url);
        _page.Write(frame.Before);
        _page.Write("<h1>"u8);
        Escape(heading);
        _page.Write("</h1>\n"u8);
        foreach (Range line in text.Split((byte)'\n'))
        {
            _page.Write("<p class=\"text\">"u8);
            Escape(text[line]);
            _page.Write("</p>\n"u8);
        }
        _page.Write(frame.After);
    }

    private static (byte[] Before, byte[] After) Frame(MadeTexts texts, WordPool pool)
    {
        ArrayBufferWriter<byte> before = new(), after = new(), lines = new();
        texts.WriteBoilerplate(texts.Site, pool, lines);
        string[] words = Encoding.UTF8.GetString(lines.WrittenSpan).Replace("&", "", StringComparison.Ordinal).Replace("<", "", StringComparison.Ordinal).Split(['\n', ' '], StringSplitOptions.RemoveEmptyEntries);
        Text(before, "\"><style>body{font:1em sans-serif}nav a{padding:4px}</style><script>var page={a:1,b:\"<p>\"};function go(){return page.a<2}</script></head>\n<body class=\"site\">\n<header><nav class=\"main-menu\"><ul>\n");
        for (int entry = 0; entry < MenuEntries; entry++)
            Text(before, string.Create(CultureInfo.InvariantCulture, $"<li class=\"menu-item\"><a href=\"/{entry}/\">{words[entry % words.Length]}</a></li>\n"));
        Text(before, $"</ul></nav></header>\n<div id=\"cookie-consent\" class=\"cookie-banner\"><p>{string.Join(' ', words.Take(12))}</p><button>OK</button></div>\n<div class=\"layout\"><main><article class=\"content\">\n");
        Text(after, $"</article></main>\n<aside class=\"sidebar\"><h3>{words[0]}</h3><ul>");
        for (int entry = 0; entry < MenuEntries; entry++)
            Text(after, string.Create(CultureInfo.InvariantCulture, $"<li><a href=\"/related/{entry}\">{words[entry % words.Length]} {words[(entry + 1) % words.Length]}</a></li>"));
        Text(after, $"</ul></aside></div>\n<footer class=\"footer\"><p>© 2024 {string.Join(' ', words.TakeLast(6))}</p></footer>\n</body></html>\n");
        return (before.WrittenSpan.ToArray(), after.WrittenSpan.ToArray());
    }

    private void Escape(ReadOnlySpan<byte> text)
    {
        while (text.IndexOfAny((byte)'<', (byte)'&') is >= 0 and int found)
        {
            _page.Write(text[..found]);
            _page.Write(text[found] == '<' ? "&lt;"u8 : "&amp;"u8);
            text = text[(found + 1)..];
        }
        _page.Write(text);
    }

    private static void Text(IBufferWriter<byte> target, string text) => Encoding.UTF8.GetBytes(text, target);
}
