using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A web archive, or a range of one: the texts of its pages. Other records are counted; damage is passed over and counted with its place.</summary>
internal sealed class WarcUnit(SourceFile file, ByteRange range, CorpusConfig config) : FileUnit(file, range)
{
    /// <summary>The language of a page before it is identified.</summary>
    public const string Undetermined = "und";

    private const int FoundStatus = 200;

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        if (File.Packing == Packing.Zstandard) Zstandard.RequireAvailable(File.Path);
        using Stream archive = Guard(() => files.OpenRead(File.Path));
        using WarcReader reader = Guard(() => new WarcReader(archive, File.Packing, damage => skipped?.Invoke(new SkippedInput(damage.Reason, File.Place(damage.Offset))), null, Range.From, Range.To));
        long told = Range.From;
        while (Guard(reader.TryRead) is { } record)
        {
            if (Page(record, skipped) is { } document) yield return document;
            if (reader.Position > told) progress(reader.Position - told);
            told = Math.Max(told, reader.Position);
        }
    }

    private Document? Page(WarcRecord record, Action<SkippedInput>? skipped)
    {
        ReadOnlyMemory<byte> content = record.Block;
        string? type = MediaTypes.Type(record.ContentType), charset = MediaTypes.Charset(record.ContentType);
        switch (record.Type)
        {
            case WarcRecordType.Response:
                try
                {
                    if (HttpMessage.Parse(record.Block, ArchiveLimits.Default) is not { } message)
                    {
                        skipped?.Invoke(new SkippedInput("no-http", File.Place(record.Offset)));
                        return null;
                    }
                    if (message.Status != FoundStatus)
                    {
                        skipped?.Invoke(new SkippedInput("not-found"));
                        return null;
                    }
                    (content, type, charset) = (message.Body, message.MediaType, message.Charset);
                }
                catch (DamagedDataException error)
                {
                    skipped?.Invoke(new SkippedInput(error.Reason, File.Place(record.Offset)));
                    return null;
                }
                break;
            case WarcRecordType.Resource or WarcRecordType.Conversion:
                break;
            default:
                skipped?.Invoke(new SkippedInput("other-record"));
                return null;
        }
        if (type is not "text/plain" && !(type is null && record.Type == WarcRecordType.Conversion))
        {
            skipped?.Invoke(new SkippedInput("other-type"));
            return null;
        }
        DetectedText text = EncodingDetector.ToUtf8(content.Span, charset);
        JsonObject? metadata = text.Encoding == "utf-8" ? null : new JsonObject { ["encoding"] = text.Encoding };
        string id = record.Id?.Trim('<', '>') ?? $"{File.RecordedAs}@{record.Offset}";
        return new Document(id, Encoding.UTF8.GetString(text.Utf8), File.Language ?? Undetermined, "web", config.TextLicense, record.TargetUri, record.Date, metadata);
    }
}
