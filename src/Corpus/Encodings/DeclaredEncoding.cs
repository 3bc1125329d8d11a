using System.Buffers;
using System.Text;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>Finds the encoding that a document declares itself: in its byte order mark, its XML declaration, or a <c>meta</c> element of HTML.</summary>
/// <remarks>Source: the WHATWG HTML standard, "prescan a byte stream to determine its encoding"; looked at are more bytes than there, for many pages declare it late.</remarks>
internal static class DeclaredEncoding
{
    private const int PrescanBytes = 8 << 10;
    private const int XmlDeclarationBytes = 256;

    private static readonly SearchValues<byte> NameEnds = SearchValues.Create("= \t\r\n\f/>"u8), ValueEnds = SearchValues.Create(" \t\r\n\f>"u8);

    /// <summary>The encoding of the byte order mark and its length; null when there is none.</summary>
    public static (string Name, int Length)? FromMark(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) return ("utf-8", 3);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]) && bytes.Length % 4 == 0) return ("utf-32le", 4);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF])) return ("utf-32be", 4);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return ("utf-16le", 2);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return ("utf-16be", 2);
        return null;
    }

    /// <summary>The encoding named in <c>&lt;?xml version="1.0" encoding="..."?&gt;</c>; null when none is.</summary>
    public static string? FromXml(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, XmlDeclarationBytes)].TrimStart(" \t\r\n"u8);
        if (!bytes.StartsWith("<?xml"u8)) return null;
        int end = bytes.IndexOf("?>"u8);
        if (end < 0) return null;
        bytes = bytes[..end];
        int place = bytes.IndexOf("encoding"u8);
        if (place < 0) return null;
        bytes = bytes[(place + 8)..].TrimStart(" \t\r\n"u8);
        if (!bytes.StartsWith("="u8)) return null;
        bytes = bytes[1..].TrimStart(" \t\r\n"u8);
        return NotWide(EncodingLabels.Find(Quoted(bytes)));
    }

    /// <summary>The encoding named by a <c>meta</c> element; null when none is.</summary>
    public static string? FromMeta(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, PrescanBytes)];
        while (true)
        {
            int place = bytes.IndexOf((byte)'<');
            if (place < 0) return null;
            bytes = bytes[place..];
            if (bytes.StartsWith("<!--"u8))
            {
                int end = bytes[2..].IndexOf("-->"u8);
                if (end < 0) return null;
                bytes = bytes[(end + 5)..];
                continue;
            }
            if (bytes.Length > 6 && Ascii.EqualsIgnoreCase(bytes[..5], "<meta"u8) && bytes[5] is (byte)' ' or (byte)'/' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)'\f')
            {
                bytes = bytes[6..];
                if (FromAttributes(ref bytes) is { } found) return found;
                continue;
            }
            bytes = bytes[1..];
        }
    }

    private static string? FromAttributes(ref ReadOnlySpan<byte> bytes)
    {
        string? charset = null, content = null;
        bool isContentType = false;
        while (TakeAttribute(ref bytes, out string name, out string value))
        {
            if (name == "charset") charset ??= value;
            else if (name == "content") content ??= value;
            else if (name == "http-equiv") isContentType |= value.Trim().Equals("content-type", StringComparison.OrdinalIgnoreCase);
        }
        charset ??= isContentType ? MediaTypes.Charset(content) ?? CharsetWithin(content) : null;
        return NotWide(EncodingLabels.Find(charset));
    }

    /// <summary>Takes <c>name</c>, <c>name=value</c> or <c>name="value"</c>; false behind the end of the element.</summary>
    private static bool TakeAttribute(ref ReadOnlySpan<byte> bytes, out string name, out string value)
    {
        (name, value) = ("", "");
        bytes = bytes.TrimStart(" \t\r\n\f/"u8);
        if (bytes.IsEmpty) return false;
        if (bytes[0] == '>')
        {
            bytes = bytes[1..];
            return false;
        }
        int length = bytes.IndexOfAny(NameEnds);
        if (length == 0) length = 1;   // a stray equals sign
        if (length < 0) length = bytes.Length;
        name = Encoding.Latin1.GetString(bytes[..length]).ToLowerInvariant();
        ReadOnlySpan<byte> rest = bytes[length..].TrimStart(" \t\r\n\f"u8);
        if (!rest.StartsWith("="u8))
        {
            bytes = bytes[length..];
            return true;
        }
        rest = rest[1..].TrimStart(" \t\r\n\f"u8);
        if (rest.IsEmpty) return false;
        if (rest[0] is (byte)'"' or (byte)'\'')
        {
            int end = rest[1..].IndexOf(rest[0]);
            if (end < 0)
            {
                bytes = [];
                return false;
            }
            value = Encoding.Latin1.GetString(rest.Slice(1, end));
            bytes = rest[(end + 2)..];
            return true;
        }
        int stop = rest.IndexOfAny(ValueEnds);
        if (stop < 0) stop = rest.Length;
        value = Encoding.Latin1.GetString(rest[..stop]);
        bytes = rest[stop..];
        return true;
    }

    /// <summary>Finds <c>charset=...</c> where the semicolon before it is missing.</summary>
    private static string? CharsetWithin(string? content)
    {
        int place = content?.IndexOf("charset", StringComparison.OrdinalIgnoreCase) ?? -1;
        if (place < 0) return null;
        string rest = content![(place + 7)..].TrimStart();
        return rest.StartsWith('=') ? rest[1..].Trim(' ', '"', '\'').Split(' ', ';', ',')[0] : null;
    }

    private static string? Quoted(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[0] is not ((byte)'"' or (byte)'\'')) return null;
        int end = bytes[1..].IndexOf(bytes[0]);
        return end < 0 ? null : Encoding.Latin1.GetString(bytes.Slice(1, end));
    }

    /// <summary>Bytes in which such a declaration could be read are not UTF-16 or UTF-32, whatever it says.</summary>
    private static string? NotWide(string? name) => name is "utf-16le" or "utf-16be" or "utf-32le" or "utf-32be" ? "utf-8" : name;
}
