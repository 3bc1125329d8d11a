using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Rights;

/// <summary>What a server answered, or a file of a crawl.</summary>
/// <param name="Url">Its address.</param>
/// <param name="Fetched">When it was fetched, as written.</param>
/// <param name="Status">The HTTP status; 200 where there was no message.</param>
/// <param name="MediaType">In small letters, without parameters.</param>
/// <param name="Charset">The encoding that its message declares.</param>
/// <param name="Headers">The headers it came with.</param>
/// <param name="Body">The content, valid until the next answer is read.</param>
internal sealed record ArchiveAnswer(string Url, string? Fetched, int Status, string? MediaType, string? Charset, IReadOnlyList<HeaderField> Headers, ReadOnlyMemory<byte> Body);

/// <summary>Reads the answers of a web archive.</summary>
internal static class ArchiveRecords
{
    /// <summary>Files of sites may be longer than pages; of such a one the beginning is wanted all the same.</summary>
    private static readonly ArchiveLimits Limits = new(RecordBytes: 64 << 20, PayloadBytes: 64 << 20);

    /// <summary>Whether a file is a web archive by its name.</summary>
    public static bool IsArchive(string path) => SourceFormat.Of(path) is { } known && known.Format.Endings.Contains(".warc");

    /// <summary>The answers in their order.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="skipped">Told where something could not be read, and why.</param>
    /// <param name="progress">Told of the bytes read so far.</param>
    /// <exception cref="UserErrorException">The file is no archive, or cannot be read.</exception>
    public static IEnumerable<ArchiveAnswer> Answers(string path, Action<string, string>? skipped = null, Action<long>? progress = null)
    {
        if (!IsArchive(path)) throw new UserErrorException($"{path}: is no web archive; expected a name that ends in .warc, .wet or .arc, plain or with .gz or .zst behind.");
        Packing packing = SourceFormat.Of(path)!.Value.Packing;
        if (packing == Packing.Zstandard) Zstandard.RequireAvailable(path);
        using FileStream file = Guard(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1));
        using WarcReader reader = Guard(path, () => new WarcReader(file, packing, damage => skipped?.Invoke(FormattableString.Invariant($"{path} at byte {damage.Offset}"), damage.Reason), Limits));
        while (Guard(path, reader.TryRead) is { } record)
        {
            progress?.Invoke(reader.Position);
            if (Answer(record, skipped) is { } answer) yield return answer;
        }
    }

    private static ArchiveAnswer? Answer(WarcRecord record, Action<string, string>? skipped)
    {
        if (record.TargetUri is not { } url) return null;
        if (record.Type is WarcRecordType.Resource or WarcRecordType.Conversion)
            return new ArchiveAnswer(url, record.Date, 200, MediaTypes.Type(record.ContentType), MediaTypes.Charset(record.ContentType), [], record.Block);
        if (record.Type != WarcRecordType.Response) return null;
        try
        {
            return HttpMessage.Parse(record.Block, Limits) is { } message ? new ArchiveAnswer(url, record.Date, message.Status, message.MediaType, message.Charset, message.Headers, message.Body) : null;
        }
        catch (DamagedDataException error)
        {
            skipped?.Invoke(url, error.Reason);
            return null;
        }
    }

    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
