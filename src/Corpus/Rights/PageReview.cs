using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Encodings;
using OpenEuroLLM.Corpus.Extraction;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Rights;

/// <summary>A page of a crawl with what it says about its use.</summary>
/// <param name="Url">Its address.</param>
/// <param name="Rights">What it says.</param>
/// <param name="Licenses">Addresses of licences that it names.</param>
public sealed record ReviewedPage(string Url, PageRights Rights, IReadOnlyList<string> Licenses);

/// <summary>Goes through the pages of a crawl and gathers what they say about their use, as the corpus line does: HTML, plain text, XML and JSON. Pictures and other binary files are
/// passed over.</summary>
public static class PageReview
{
    /// <summary>The pages that were found in an archive.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="skipped">Told where something could not be read, and why.</param>
    /// <param name="progress">Told of the bytes read so far.</param>
    /// <exception cref="UserErrorException">The file is no archive, or cannot be read.</exception>
    public static IEnumerable<ReviewedPage> Pages(string path, Action<string, string>? skipped = null, Action<long>? progress = null)
    {
        var extractor = new HtmlExtractor();
        foreach (ArchiveAnswer answer in ArchiveRecords.Answers(path, skipped, progress))
        {
            if (answer.Status is < 200 or >= 300 || WebAddress.Parse(answer.Url) is not { } address || SiteFile.KindOf(address, answer.MediaType, answer.Body.Span) is not null) continue;
            if (Review(answer, extractor, skipped) is { } page) yield return page;
        }
    }

    private static ReviewedPage? Review(ArchiveAnswer answer, HtmlExtractor extractor, Action<string, string>? skipped)
    {
        string type = answer.MediaType ?? "";
        bool isHtml = MediaTypes.IsHtml(type), isXml = !isHtml && (type.EndsWith("/xml", StringComparison.Ordinal) || type.EndsWith("+xml", StringComparison.Ordinal)), isJson = type.EndsWith("json", StringComparison.Ordinal);
        if (!isHtml && !isXml && !isJson && type is not "text/plain") return null;
        if (isXml || isJson)
        {
            IReadOnlyList<RightsStatement> embedded = isXml ? EmbeddedMarkers.OfXml(answer.Body) : EmbeddedMarkers.OfJson(answer.Body);
            return new ReviewedPage(answer.Url, new PageRights(Timestamp.Read(answer.Fetched), [.. PageStatementReader.Headers(answer.Headers), .. embedded]), []);
        }
        byte[] utf8 = [.. EncodingDetector.ToUtf8(answer.Body.Span, answer.Charset, isHtml).Utf8];
        ExtractedPage? page = null;
        try
        {
            if (isHtml) page = extractor.Extract(utf8, answer.Url);
        }
        catch (Exception error) when (error is not OutOfMemoryException)   // one page must not end the review; it is named
        {
            skipped?.Invoke(answer.Url, PageExtraction.Failed);
        }
        return new ReviewedPage(answer.Url, PageStatementReader.Gather(utf8, isHtml, answer.Headers, page?.Rights ?? [], answer.Fetched), page?.LicenseLinks ?? []);
    }
}
