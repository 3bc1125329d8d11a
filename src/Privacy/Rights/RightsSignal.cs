using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>One statement about a resource, with its evidence.</summary>
/// <param name="Protocol">How it is made.</param>
/// <param name="Ruling">What it says about training.</param>
/// <param name="Raw">The statement as written; its beginning where it is long.</param>
/// <param name="Sha256">Of the whole statement as UTF-8, in small hexadecimal letters.</param>
/// <param name="Source">Where it stands: an address, <c>header x-robots-tag</c>, <c>meta robots</c>, a file of the user.</param>
/// <param name="Fetched">When that was fetched; null where nobody said.</param>
/// <param name="DocumentSha256">Of the whole file that holds it, for the files of a site; null for what a page says itself.</param>
/// <param name="Policy">Address of the terms that it refers to. They are kept as evidence; they lift no reservation.</param>
/// <param name="Problem">Why it says nothing although it is there: <c>not JSON</c>; null where nothing is wrong.</param>
/// <param name="IsSuperseded">Whether a later statement of the same protocol counts in its place.</param>
public sealed record RightsSignal(
    RightsProtocol Protocol, RightsRuling Ruling, string Raw, string Sha256, string Source, DateTimeOffset? Fetched = null, string? DocumentSha256 = null, string? Policy = null,
    string? Problem = null, bool IsSuperseded = false)
{
    private const int LongestRaw = 1000;

    internal static RightsSignal Of(
        RightsProtocol protocol, RightsRuling ruling, string raw, string source, DateTimeOffset? fetched = null, string? document = null, string? policy = null, string? problem = null) =>
        new(protocol, ruling, raw.Length <= LongestRaw ? raw : raw[..Whole(raw, LongestRaw)] + "…", Hash(raw), source, fetched, document, policy, problem);

    /// <summary>Whether the page is left out because of it.</summary>
    internal bool Denies => Ruling == RightsRuling.Deny && !IsSuperseded;

    /// <summary>Writes it as a compact object; what is absent is left out.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("protocol", RightsNames.Of(Protocol));
        writer.WriteString("ruling", RightsNames.Of(Ruling));
        writer.WriteString("source", Source);
        if (Raw.Length > 0) writer.WriteString("raw", Raw);
        writer.WriteString("sha256", Sha256);
        if (Fetched is { } fetched) writer.WriteString("fetched", Timestamp.Write(fetched));
        if (DocumentSha256 is not null) writer.WriteString("documentSha256", DocumentSha256);
        if (Policy is not null) writer.WriteString("policy", Policy);
        if (Problem is not null) writer.WriteString("problem", Problem);
        if (IsSuperseded) writer.WriteBoolean("superseded", true);
        writer.WriteEndObject();
    }

    /// <summary>The hash of a text as UTF-8.</summary>
    internal static string Hash(string text) => Hash(Encoding.UTF8.GetBytes(text));

    /// <summary>The hash of bytes.</summary>
    internal static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static int Whole(string text, int end) => char.IsHighSurrogate(text[end - 1]) ? end - 1 : end;
}

/// <summary>Times as archives and ledgers write them.</summary>
public static class Timestamp
{
    private static readonly string[] Forms =
        ["yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", "yyyy-MM-ddTHH:mm:sszzz", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-ddTHH:mmZ", "yyyy-MM-dd", "yyyyMMddHHmmss"];

    /// <summary>Reads a time to the second, taken for UTC where it names no zone; null when it is none.</summary>
    public static DateTimeOffset? Read(string? text)
    {
        if (text is { Length: > 20 } && text[^1] == 'Z' && text.Length > 28) text = text[..27] + "Z";   // WARC 1.1 allows nanoseconds
        return DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond)) : null;
    }

    /// <summary>Writes a time to the second: <c>2026-11-22T10:00:00Z</c>.</summary>
    public static string Write(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
