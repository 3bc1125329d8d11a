using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A web archive, or a range of one: the main texts of its pages, and its plain texts. Other records are counted; damage is passed over and counted with its place.</summary>
internal sealed class WarcUnit(SourceFile file, ByteRange range, CorpusConfig config) : FileUnit(file, range)
{
    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        if (File.Packing == Packing.Zstandard) Zstandard.RequireAvailable(File.Path);
        using Stream archive = Guard(() => files.OpenRead(File.Path));
        using WarcReader reader = Guard(() => new WarcReader(archive, File.Packing, damage => skipped?.Invoke(new SkippedInput(damage.Reason, File.Place(damage.Offset))), null, Range.From, Range.To));
        var pages = new PageReader(config);
        long told = Range.From;
        while (Guard(reader.TryRead) is { } record)
        {
            if (Page(record, pages, skipped) is { } document) yield return document;
            if (reader.Position > told) progress(reader.Position - told);
            told = Math.Max(told, reader.Position);
        }
    }

    private Document? Page(WarcRecord record, PageReader pages, Action<SkippedInput>? skipped)
    {
        ReadOnlyMemory<byte> content = record.Block;
        string? type = MediaTypes.Type(record.ContentType), charset = MediaTypes.Charset(record.ContentType);
        string place = File.Place(record.Offset);

        Document? Skip(string reason, bool logged)
        {
            skipped?.Invoke(new SkippedInput(reason, logged ? place : null));
            return null;
        }

        IReadOnlyList<HeaderField>? headers = null;
        if (WebAddress.Parse(record.TargetUri) is { } address && SiteFile.KindOf(address, null, []) is not null) return Skip("site-policy", logged: false);   // robots.txt is no text to learn
        if (record.Type is not (WarcRecordType.Response or WarcRecordType.Resource or WarcRecordType.Conversion)) return Skip("other-record", logged: false);
        try
        {
            if (record.Type == WarcRecordType.Response)
            {
                if (HttpMessage.Parse(record.Block, ArchiveLimits.Default) is not { } message) return Skip("no-http", logged: true);
                if (message.Status is < 200 or >= 300) return Skip("not-found", logged: false);
                (content, type, charset, headers) = (message.Body, message.MediaType, message.Charset, message.Headers);
            }
            else if (record.Type == WarcRecordType.Conversion) type ??= "text/plain";
            if (!PageReader.CanRead(type, content.Span)) return Skip("other-type", logged: false);
            string id = record.Id?.Trim('<', '>') ?? string.Create(CultureInfo.InvariantCulture, $"{File.RecordedAs}@{record.Offset}");
            return pages.Read(content.Span, type, charset, id, record.TargetUri, record.Date, File.Language, headers) ?? Skip("no-text", logged: false);
        }
        catch (DamagedDataException error)
        {
            return Skip(error.Reason, logged: true);
        }
        catch (PoisonException)
        {
            return Skip("poison", logged: true);
        }
    }
}
