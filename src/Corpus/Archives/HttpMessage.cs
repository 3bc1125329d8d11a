using System.Globalization;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>What a server answered, its encodings undone.</summary>
/// <param name="Status">The status code, 200 for a page that was found.</param>
/// <param name="Headers">The header lines.</param>
/// <param name="Body">The content, without transfer and content encoding.</param>
/// <param name="Problem">What was wrong with the encodings, where something was; the body is then what could be read.</param>
internal sealed record HttpMessage(int Status, IReadOnlyList<HeaderField> Headers, ReadOnlyMemory<byte> Body, string? Problem = null)
{
    /// <summary>The media type in small letters, without parameters; null where none is given.</summary>
    public string? MediaType => MediaTypes.Type(HeaderLines.Find(Headers, "Content-Type"));

    /// <summary>The encoding of the characters that is declared; null where none is.</summary>
    public string? Charset => MediaTypes.Charset(HeaderLines.Find(Headers, "Content-Type"));

    /// <summary>Reads a response.</summary>
    /// <param name="block">The status line, header lines, an empty line and the body.</param>
    /// <param name="limits">What is read at most.</param>
    /// <returns>Null when the block is no response.</returns>
    /// <exception cref="DamagedDataException">The body unpacks to more than is allowed.</exception>
    public static HttpMessage? Parse(ReadOnlyMemory<byte> block, ArchiveLimits limits)
    {
        ReadOnlySpan<byte> bytes = block.Span;
        if (!bytes.StartsWith("HTTP/"u8)) return null;
        int end = HeaderLines.FindEnd(bytes[..Math.Min(bytes.Length, limits.HeaderBytes)]) ?? (bytes.Length <= limits.HeaderBytes ? bytes.Length : -1);
        if (end < 0) return null;
        ReadOnlySpan<byte> lines = bytes[..end];
        if (StatusOf(HeaderLines.TakeLine(ref lines)) is not { } status || HeaderLines.Parse(lines, limits.Headers) is not { } headers) return null;
        ReadOnlyMemory<byte> body = block[end..];
        string? problem = null;
        if (Lists(headers, "Transfer-Encoding").Contains("chunked")) body = ChunkedBody.Undo(body, out problem);
        foreach (string coding in Lists(headers, "Content-Encoding").Reverse())
        {
            body = ContentCoding.Undo(coding, body, limits, out string? further);
            problem ??= further;
        }
        return new HttpMessage(status, headers, body, problem);
    }

    private static int? StatusOf(ReadOnlySpan<byte> line)
    {
        int blank = line.IndexOf((byte)' ');
        if (blank < 0) return null;
        ReadOnlySpan<byte> rest = line[(blank + 1)..].TrimStart((byte)' ');
        return rest.Length >= 3 && int.TryParse(rest[..3], NumberStyles.None, CultureInfo.InvariantCulture, out int status) ? status : null;
    }

    /// <summary>The members of a header that is a list, in small letters and in their order; it may stand on several lines.</summary>
    private static IEnumerable<string> Lists(List<HeaderField> headers, string name) => headers
        .Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        .SelectMany(field => field.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .Select(value => value.ToLowerInvariant())
        .Take(4);
}
