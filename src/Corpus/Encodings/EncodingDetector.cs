using System.Text.Unicode;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>How an encoding was found.</summary>
internal enum EncodingEvidence
{
    /// <summary>All bytes are ASCII: no question arises.</summary>
    Ascii,

    /// <summary>A byte order mark.</summary>
    Mark,

    /// <summary>The bytes are valid UTF-8 beyond ASCII, which other texts are not by chance.</summary>
    Valid,

    /// <summary>The header <c>Content-Type</c> of the message.</summary>
    Http,

    /// <summary>A <c>meta</c> element.</summary>
    Meta,

    /// <summary>An XML declaration.</summary>
    Xml,

    /// <summary>The bytes are, letter after letter, plausible text of a language in that encoding.</summary>
    Statistics,
}

/// <summary>A text with the encoding it was in.</summary>
/// <param name="Utf8">The text; valid UTF-8 without a byte order mark.</param>
/// <param name="Encoding">Name of the encoding, as the WHATWG standard names it.</param>
/// <param name="Evidence">How it was found.</param>
internal readonly record struct DetectedText(byte[] Utf8, string Encoding, EncodingEvidence Evidence);

/// <summary>Finds the encoding of a text and turns it into UTF-8.</summary>
internal static class EncodingDetector
{
    /// <summary>Turns a text into UTF-8.</summary>
    /// <param name="bytes">The text as it came.</param>
    /// <param name="httpCharset">The encoding its message declares; null when none.</param>
    /// <param name="html">Whether the text is HTML, which may declare it itself.</param>
    public static DetectedText ToUtf8(ReadOnlySpan<byte> bytes, string? httpCharset = null, bool html = false)
    {
        if (DeclaredEncoding.FromMark(bytes) is { } mark) return Decode(bytes[mark.Length..], mark.Name, EncodingEvidence.Mark);
        if (!bytes.ContainsAnyInRange((byte)0x80, (byte)0xFF) && !bytes.Contains((byte)0)) return new DetectedText(bytes.ToArray(), "utf-8", EncodingEvidence.Ascii);
        if (Utf8.IsValid(bytes) && !bytes.Contains((byte)0)) return new DetectedText(bytes.ToArray(), "utf-8", EncodingEvidence.Valid);
        (string? declared, EncodingEvidence evidence) = Declared(bytes, httpCharset, html);
        if (declared is not null and not "utf-8") return Decode(bytes, declared, evidence);
        return Decode(bytes, "windows-1252", EncodingEvidence.Statistics);
    }

    private static (string? Name, EncodingEvidence Evidence) Declared(ReadOnlySpan<byte> bytes, string? httpCharset, bool html)
    {
        if (EncodingLabels.Find(httpCharset) is { } http) return (http, EncodingEvidence.Http);
        if (DeclaredEncoding.FromXml(bytes) is { } xml) return (xml, EncodingEvidence.Xml);
        return (html ? DeclaredEncoding.FromMeta(bytes) : null, EncodingEvidence.Meta);
    }

    private static DetectedText Decode(ReadOnlySpan<byte> bytes, string name, EncodingEvidence evidence) => new(CharacterEncoding.Of(name).ToUtf8(bytes), name, evidence);
}
