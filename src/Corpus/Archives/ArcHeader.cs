using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>The line a record of an ARC file begins with: URI, address, date, media type, length, parted by blanks (the URI may hold some itself).</summary>
internal static class ArcHeader
{
    /// <summary>Whether the bytes look like the beginning of such a line.</summary>
    public static bool MayBegin(ReadOnlySpan<byte> beginning)
    {
        int colon = beginning.IndexOf((byte)':');
        if (colon < 3 || beginning[..colon].ContainsAnyExceptInRange((byte)'a', (byte)'z')) return false;
        return beginning[..colon].SequenceEqual("dns"u8) || beginning[colon..].StartsWith("://"u8) || "://"u8.StartsWith(beginning[colon..]);
    }

    /// <summary>Reads the line as the headers of the record it stands for; null when it is none.</summary>
    public static List<HeaderField>? Parse(ReadOnlySpan<byte> line)
    {
        string[] parts = Encoding.UTF8.GetString(line).TrimEnd().Split(' ');
        int last = parts.Length - 1;
        if (last < 4) return null;
        string uri = string.Join(' ', parts[..(last - 3)]), date = parts[last - 2], length = parts[last];
        if (date.Length < 8 || !date.All(char.IsAsciiDigit)) return null;
        bool isInfo = uri.StartsWith("filedesc:", StringComparison.Ordinal);
        var fields = new List<HeaderField> { new("WARC-Type", isInfo ? "warcinfo" : "response") };
        fields.Add(new("WARC-Target-URI", uri));
        if (DateTime.TryParseExact(date.PadRight(14, '0')[..14], "yyyyMMddHHmmss", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime time))
            fields.Add(new("WARC-Date", time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)));
        fields.Add(new("Content-Type", parts[last - 1]));
        fields.Add(new("Content-Length", length));
        return fields;
    }
}
