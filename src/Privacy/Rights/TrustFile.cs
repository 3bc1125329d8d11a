using System.Text;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A <c>/trust.txt</c>: lines <c>key=value</c>. Source: JournalList.net, trust.txt specification.</summary>
internal static class TrustFile
{
    /// <summary>What the file says about training, with the line; a denial wins over other lines.</summary>
    public static (RightsRuling Ruling, string Raw)? Read(ReadOnlySpan<byte> content)
    {
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        (RightsRuling, string)? found = null;
        while (!content.IsEmpty)
        {
            int end = content.IndexOfAny((byte)'\n', (byte)'\r');
            ReadOnlySpan<byte> line = end < 0 ? content : content[..end];
            content = end < 0 ? [] : content[(end + 1)..];
            int comment = line.IndexOf((byte)'#');
            if (comment >= 0) line = line[..comment];
            int equals = line.IndexOf((byte)'=');
            if (equals < 0 || !Is(line[..equals], RightsData.Trust.Key)) continue;
            string raw = Encoding.UTF8.GetString(line.Trim(" \t"u8));
            if (Is(line[(equals + 1)..], RightsData.Trust.Deny)) return (RightsRuling.Deny, raw);
            found ??= (Is(line[(equals + 1)..], RightsData.Trust.Allow) ? RightsRuling.Allow : RightsRuling.Unset, raw);
        }
        return found;
    }

    private static bool Is(ReadOnlySpan<byte> text, string word) => Ascii.EqualsIgnoreCase(text.Trim(" \t"u8), word);
}
