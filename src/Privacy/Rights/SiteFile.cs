using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Which file of a site speaks of the use of its pages.</summary>
public enum SiteFileKind
{
    /// <summary><c>/robots.txt</c>.</summary>
    Robots,

    /// <summary><c>/.well-known/tdmrep.json</c>.</summary>
    TdmRep,

    /// <summary><c>/ai.txt</c>.</summary>
    AiText,

    /// <summary><c>/trust.txt</c> or <c>/.well-known/trust.txt</c>.</summary>
    TrustText,

    /// <summary>An RSL licence, at any address.</summary>
    Rsl,

    /// <summary>Terms that a TDM reservation refers to, at any address.</summary>
    TdmPolicy,
}

/// <summary>One fetch of a file that speaks of the use of a site's pages.</summary>
/// <param name="Host">Whose file it is, as <see cref="WebAddress.Host"/>.</param>
/// <param name="Kind">What kind of file.</param>
/// <param name="Url">Its address.</param>
/// <param name="Fetched">When it was fetched.</param>
/// <param name="Status">The HTTP status, 0 where the server did not answer.</param>
/// <param name="Location">Where a redirection leads, as an absolute address.</param>
/// <param name="Sha256">Hash of the whole content; null where there is none, as for status 404.</param>
/// <param name="Bytes">Length of the whole content.</param>
/// <param name="Content">The content, its beginning where it is long; null where there is none, or where it stands in an earlier line of the store.</param>
public sealed record SiteFile(
    string Host, SiteFileKind Kind, string Url, DateTimeOffset Fetched, int Status, string? Location = null, string? Sha256 = null, long Bytes = 0, ReadOnlyMemory<byte>? Content = null)
{
    /// <summary>More of a content is not kept.</summary>
    public const int MostContent = RobotsFile.MaxBytes + 1;   // one more, so that a cut file is seen to be one

    private const int LongestUrl = 4096;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The kind of an answer, by its address and by what it is; null when it is none of these files.</summary>
    /// <param name="url">The address.</param>
    /// <param name="mediaType">Its media type in small letters, without parameters.</param>
    /// <param name="content">What came.</param>
    public static SiteFileKind? KindOf(WebAddress url, string? mediaType, ReadOnlySpan<byte> content) => url.Path switch
    {
        "/robots.txt" => SiteFileKind.Robots,
        "/.well-known/tdmrep.json" => SiteFileKind.TdmRep,
        "/ai.txt" => SiteFileKind.AiText,
        "/trust.txt" or "/.well-known/trust.txt" => SiteFileKind.TrustText,
        _ when mediaType == RslDocument.MediaType => SiteFileKind.Rsl,
        _ when mediaType is "application/xml" or "text/xml" && content[..Math.Min(content.Length, 4096)].IndexOf("https://rslstandard.org/rsl"u8) >= 0 => SiteFileKind.Rsl,
        _ when mediaType is "application/json" or "application/ld+json" && content[..Math.Min(content.Length, 4096)].IndexOf("www.w3.org/ns/tdmrep"u8) >= 0 => SiteFileKind.TdmPolicy,
        _ => null,
    };

    /// <summary>A fetch.</summary>
    /// <returns>Null where the address is too long to be one of these files.</returns>
    public static SiteFile? Of(WebAddress address, string url, SiteFileKind kind, DateTimeOffset fetched, int status, string? location, ReadOnlySpan<byte> content)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (url.Length > LongestUrl) return null;
        if (status is >= 300 and < 400)
            return new SiteFile(address.Host, kind, url, fetched, status, location is { Length: <= LongestUrl } ? AbsoluteAddress.Of(url, location) : null);
        return status is >= 200 and < 300
            ? new SiteFile(address.Host, kind, url, fetched, status, null, RightsSignal.Hash(content), content.Length, content[..Math.Min(content.Length, MostContent)].ToArray())
            : new SiteFile(address.Host, kind, url, fetched, status);
    }

    /// <summary>Order in the store: by host, kind and address, the newest first.</summary>
    internal static int Compare(SiteFile one, SiteFile other)
    {
        int order = string.CompareOrdinal(one.Host, other.Host);
        if (order == 0) order = one.Kind.CompareTo(other.Kind);
        if (order == 0) order = string.CompareOrdinal(one.Url, other.Url);
        if (order == 0) order = other.Fetched.CompareTo(one.Fetched);
        if (order == 0) order = one.Status.CompareTo(other.Status);
        return order != 0 ? order : string.CompareOrdinal(one.Sha256, other.Sha256);
    }

    /// <summary>Bytes it takes in memory, about.</summary>
    internal int Size => 200 + 2 * (Host.Length + Url.Length) + (Content?.Length ?? 0);

    /// <summary>The line of the store, without a line feed.</summary>
    internal byte[] ToJsonLine()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("host", Host);   // first: the store is searched by it
            writer.WriteString("kind", RightsNames.OfKind(Kind));
            writer.WriteString("url", Url);
            writer.WriteString("fetched", Timestamp.Write(Fetched));
            writer.WriteNumber("status", Status);
            if (Location is not null) writer.WriteString("location", Location);
            if (Sha256 is not null)
            {
                writer.WriteString("sha256", Sha256);
                writer.WriteNumber("bytes", Bytes);
            }
            if (Content is { } content)
            {
                if (IsText(content.Span)) writer.WriteString("text", content.Span);
                else writer.WriteBase64String("base64", content.Span);
            }
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Reads a line of the store.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static SiteFile Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            SiteFileKind? kind = RightsNames.FindKind(root.GetProperty("kind").GetString());
            DateTimeOffset? fetched = Timestamp.Read(root.GetProperty("fetched").GetString());
            if (kind is null || fetched is null) throw new FormatException("the line names no kind or no time");
            ReadOnlyMemory<byte>? content = root.TryGetProperty("text", out JsonElement text) ? Encoding.UTF8.GetBytes(text.GetString()!)
                : root.TryGetProperty("base64", out JsonElement packed) ? packed.GetBytesFromBase64() : (ReadOnlyMemory<byte>?)null;
            return new SiteFile(
                root.GetProperty("host").GetString()!, kind.Value, root.GetProperty("url").GetString()!, fetched.Value, root.GetProperty("status").GetInt32(),
                root.TryGetProperty("location", out JsonElement location) ? location.GetString() : null, root.TryGetProperty("sha256", out JsonElement hash) ? hash.GetString() : null,
                root.TryGetProperty("bytes", out JsonElement bytes) ? bytes.GetInt64() : 0, content);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or OverflowException)
        {
            throw new FormatException("the line is no site file", error);
        }
    }

    /// <summary>UTF-8 that comes back as it is; a cut in the middle of a character makes bytes of it.</summary>
    private static bool IsText(ReadOnlySpan<byte> content)
    {
        try
        {
            _ = Strict.GetCharCount(content);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
