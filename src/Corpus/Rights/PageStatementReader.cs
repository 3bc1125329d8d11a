using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Rights;

/// <summary>Gathers what a fetched page says about its use.</summary>
internal static class PageStatementReader
{
    private const int MostOfHeaders = 64;

    /// <summary>Joins headers, what was found in the page's head, and sentences of its text.</summary>
    /// <param name="utf8">The page.</param>
    /// <param name="isHtml">Whether it is HTML and not plain text.</param>
    /// <param name="headers">The headers it came with.</param>
    /// <param name="said">What was found while it was parsed.</param>
    /// <param name="fetched">When it was fetched, as written.</param>
    public static PageRights Gather(ReadOnlySpan<byte> utf8, bool isHtml, IReadOnlyList<HeaderField>? headers, IReadOnlyList<RightsStatement> said, string? fetched) =>
        new(Timestamp.Read(fetched), [.. Headers(headers), .. said, .. PlainBans.Find(utf8, isHtml)]);

    /// <summary>The headers that are statements.</summary>
    public static IEnumerable<RightsStatement> Headers(IReadOnlyList<HeaderField>? headers) =>
        (headers ?? []).Select(header => RightsStatement.OfHeader(header.Name, header.Value)).OfType<RightsStatement>().Take(MostOfHeaders);
}
