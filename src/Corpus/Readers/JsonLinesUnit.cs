using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A file with a document a line, or a range of one: the lines that begin in it. Blank lines hold no document; any other line that is none is passed over and
/// counted, unless there are many.</summary>
internal sealed class JsonLinesUnit(SourceFile file, ByteRange range, CorpusConfig config) : FileUnit(file, range)
{
    private const int MaxLineBytes = 64 << 20;

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        long from = Math.Max(0, Range.From - 1);   // the byte before tells whether a line begins at the range's first
        using Stream content = Guard(() => File.OpenUnpacked(files, progress, from));
        var lines = new LineReader(content, MaxLineBytes, from);
        var bad = new BadLines(config.BadLineShare, skipped);
        if (Range.From > 0) Guard(lines.SkipLine);
        while (lines.Next < Range.To && Guard(() => Next(lines, bad)) is { } document)
        {
            bad.Good();
            yield return document;
        }
        bad.Check();
    }

    private Document? Next(LineReader lines, BadLines bad)
    {
        while (lines.Next < Range.To)
        {
            try
            {
                if (!lines.TryRead(out ReadOnlyMemory<byte> line)) return null;
                if (line.Span.Trim(" \t"u8).IsEmpty) continue;
                return TrainingLine.Parse(line.Span, Place(lines), File, config);
            }
            catch (UserErrorException error)
            {
                bad.Bad("bad-line", Place(lines), error);
            }
            catch (InvalidDataException error)
            {
                bad.Bad("line-too-long", Place(lines), new UserErrorException($"{Place(lines)}: {error.Message}; split or remove it.", error));
            }
            catch (DamagedDataException error)
            {
                string place = string.Create(CultureInfo.InvariantCulture, $"{File.Path}:{lines.Line + 1}");
                bad.Bad(error.Reason, place, Damaged(place, error), spoilsFile: true);
                return null;
            }
        }
        return null;
    }

    /// <summary>In a range the number of a line is not known, but its place is.</summary>
    private string Place(LineReader lines) =>
        Range.From == 0 ? string.Create(CultureInfo.InvariantCulture, $"{File.Path}:{lines.Line}") : File.Place(lines.Start);
}
