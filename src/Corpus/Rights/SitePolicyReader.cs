using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Rights;

/// <summary>Finds in a crawl the files in which sites speak of the use of their pages.</summary>
public static class SitePolicyReader
{
    /// <summary>Whether a file is a web archive by its name.</summary>
    public static bool IsArchive(string path) => ArchiveRecords.IsArchive(path);

    /// <summary>Reads an archive.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="skipped">Told where something could not be read or has no date, and why.</param>
    /// <param name="progress">Told of the bytes read so far.</param>
    /// <exception cref="UserErrorException">The file is no archive, or cannot be read.</exception>
    public static IEnumerable<SiteFile> Read(string path, Action<string, string>? skipped = null, Action<long>? progress = null)
    {
        foreach (ArchiveAnswer answer in ArchiveRecords.Answers(path, skipped, progress))
        {
            if (WebAddress.Parse(answer.Url) is not { } address || SiteFile.KindOf(address, answer.MediaType, answer.Body.Span) is not { } kind) continue;
            if (Timestamp.Read(answer.Fetched) is not { } fetched)
            {
                skipped?.Invoke(answer.Url, "no-date");
                continue;
            }
            if (SiteFile.Of(address, answer.Url, kind, fetched, answer.Status, HeaderLines.Find(answer.Headers, "Location"), answer.Body.Span) is { } file) yield return file;
            else skipped?.Invoke(answer.Url, "address-too-long");
        }
    }
}
