using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A <c>.jsonl</c> or <c>.jsonl.gz</c> file: a document a line. Blank lines hold no document; any other line that is none, and a
/// file that is cut short or damaged, ends the run with its place.</summary>
internal sealed class JsonLinesUnit(string path, string recordedAs, long bytes) : CorpusUnit
{
    public override string Name => recordedAs;

    public override long Bytes => bytes;

    private bool IsPacked => path.EndsWith(".gz", StringComparison.Ordinal);

    public override IReadOnlyList<(string Path, string RecordedAs)> Files => [(path, recordedAs)];

    public override string Fingerprint(IFileSystem files) => Manifest.HashFile(files, path);

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress)
    {
        using Stream file = Guard(() => files.OpenRead(path), 0);
        using var counted = new CountedStream(file, progress);
        using Stream content = IsPacked ? new GzipReader(counted) : counted;
        var lines = new LineReader(content);
        while (Guard(() => Next(lines), lines.Line) is { } document)
            yield return document;
    }

    private Document? Next(LineReader lines)
    {
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            if (line.Span.Trim(" \t"u8).IsEmpty) continue;
            return IsPacked ? Unspoilt(line, lines) : Parse(line, Place(lines.Line));
        }
        return null;
    }

    /// <summary>In a gzip file that is cut short the last line is spoilt; then the file is to blame, not the line.</summary>
    private Document Unspoilt(ReadOnlyMemory<byte> line, LineReader lines)
    {
        try
        {
            return Parse(line, Place(lines.Line));
        }
        catch (UserErrorException)
        {
            while (lines.TryRead(out _)) { } // throws where the data turns out to be damaged
            throw;
        }
    }

    private static Document Parse(ReadOnlyMemory<byte> line, string where)
    {
        Document document = Document.Parse(line.Span, where);
        ChatMessages.Check(document, where);
        return document;
    }

    private T Guard<T>(Func<T> read, long line)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{Place(line + 1)}: the file is damaged or cut short ({error.Message.TrimEnd('.')}); fetch it again.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private string Place(long line) => string.Create(CultureInfo.InvariantCulture, $"{path}:{line}");
}
