using System.Buffers;
using System.Text;
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
    private const string Utf8Name = "utf-8";

    /// <summary>Good characters for each wrong byte that make a text UTF-8 all the same.</summary>
    private const int MostlyGood = 9;

    /// <summary>Nats that a declaration is worth: some letters that are impossible in the language outweigh it, for servers and templates declare what they like.</summary>
    private const double DeclaredBonus = 12;

    /// <summary>Turns a text into UTF-8.</summary>
    /// <param name="bytes">The text as it came.</param>
    /// <param name="httpCharset">The encoding its message declares; null when none.</param>
    /// <param name="html">Whether the text is HTML, which may declare it itself.</param>
    public static DetectedText ToUtf8(ReadOnlySpan<byte> bytes, string? httpCharset = null, bool html = false)
    {
        if (DeclaredEncoding.FromMark(bytes) is { } mark) return Decode(bytes[mark.Length..], mark.Name, EncodingEvidence.Mark);
        bool isAscii = !bytes.ContainsAnyInRange((byte)0x80, (byte)0xFF);
        if (bytes.Contains((byte)0) && WideText.Find(bytes) is { } wide) return Decode(bytes, wide, EncodingEvidence.Statistics);
        if (isAscii) return new DetectedText(bytes.ToArray(), Utf8Name, EncodingEvidence.Ascii);
        if (Utf8.IsValid(bytes)) return new DetectedText(bytes.ToArray(), Utf8Name, EncodingEvidence.Valid);
        (string? declared, EncodingEvidence evidence) = Declared(bytes, httpCharset, html);
        if (IsMostlyUtf8(bytes)) return Decode(bytes, Utf8Name, declared == Utf8Name ? evidence : EncodingEvidence.Valid);
        if (declared is not null and not Utf8Name && !EncodingStatistics.Encodings.Contains(declared) && CanBe(declared, bytes)) return Decode(bytes, declared, evidence);
        (string found, _) = EncodingStatistics.Default.Find(bytes, html, declared, DeclaredBonus);
        return Decode(bytes, found, found == declared ? evidence : EncodingEvidence.Statistics);
    }

    /// <summary>Text that was cut, or pieced together badly, has some wrong bytes among many good ones.</summary>
    private static bool IsMostlyUtf8(ReadOnlySpan<byte> bytes)
    {
        int good = 0, bad = 0;
        while (!bytes.IsEmpty)
        {
            int high = bytes.IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (high < 0) break;
            bytes = bytes[high..];
            switch (Rune.DecodeFromUtf8(bytes, out _, out int length))
            {
                case OperationStatus.Done:
                    good++;
                    break;
                case OperationStatus.NeedMoreData:
                    return good >= MostlyGood * bad;   // cut short at the very end
                default:
                    bad++;
                    break;
            }
            bytes = bytes[length..];
        }
        return good >= MostlyGood * bad;
    }

    /// <summary>Whether the bytes can be text of an encoding with several bytes for a character, or of one whose letters are not known here.</summary>
    private static bool CanBe(string name, ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(CharacterEncoding.Of(name).ToUtf8(bytes));
        int others = 0, wrong = 0, amongAscii = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] < 0x80) continue;
            others++;
            if (text[i] == '\uFFFD') wrong++;
            else if ((i > 0 && char.IsAsciiLetter(text[i - 1])) || (i + 1 < text.Length && char.IsAsciiLetter(text[i + 1]))) amongAscii++;
        }
        return wrong * 50 <= others && amongAscii * 2 <= others;   // letters of two scripts do not stand side by side
    }

    private static (string? Name, EncodingEvidence Evidence) Declared(ReadOnlySpan<byte> bytes, string? httpCharset, bool html)
    {
        if (EncodingLabels.Find(httpCharset) is { } http) return (http, EncodingEvidence.Http);
        if (DeclaredEncoding.FromXml(bytes) is { } xml) return (xml, EncodingEvidence.Xml);
        return (html ? DeclaredEncoding.FromMeta(bytes) : null, EncodingEvidence.Meta);
    }

    private static DetectedText Decode(ReadOnlySpan<byte> bytes, string name, EncodingEvidence evidence) => new(CharacterEncoding.Of(name).ToUtf8(bytes), name, evidence);
}
