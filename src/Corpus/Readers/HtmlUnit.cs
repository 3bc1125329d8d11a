using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Some HTML files, each a page whose main text is a document.</summary>
internal sealed class HtmlUnit(IReadOnlyList<SourceFile> pages, CorpusConfig config) : CorpusUnit
{
    private const int MaxBytes = 32 << 20;

    public override string Name => pages[0].RecordedAs;

    public override long Bytes { get; } = pages.Sum(page => page.Bytes);

    public override IReadOnlyList<(string Path, string RecordedAs)> Files => [.. pages.Select(page => (page.Path, page.RecordedAs))];

    /// <summary>Joins files into units.</summary>
    public static IEnumerable<CorpusUnit> Of(IReadOnlyList<SourceFile> pages, CorpusConfig config) => TextUnit.Parts(pages).Select(part => new HtmlUnit(part, config));

    public override string Fingerprint(IFileSystem files) =>
        Manifest.Hash(Encoding.UTF8.GetBytes(string.Join('\n', pages.Select(page => $"{page.RecordedAs} {page.Hash(files)}"))));

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        var reader = new PageReader(config);
        foreach (SourceFile page in pages)
        {
            if (Read(files, page, reader, skipped) is { } document) yield return document;
            progress(page.Bytes);
        }
    }

    private static Document? Read(IFileSystem files, SourceFile page, PageReader reader, Action<SkippedInput>? skipped)
    {
        string reason = "no-text";
        try
        {
            if (reader.Read(ReadAll(files, page), null, null, page.RecordedAs, null, null, page.Language) is { } document) return document;
        }
        catch (DamagedDataException error)
        {
            reason = error.Reason;
        }
        catch (PoisonException)
        {
            reason = "poison";
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, page.Path);
        }
        skipped?.Invoke(new SkippedInput(reason, page.Path));
        return null;
    }

    private static byte[] ReadAll(IFileSystem files, SourceFile page)
    {
        using Stream stream = page.OpenUnpacked(files, _ => { });
        using var content = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > MaxBytes) throw new DamagedDataException(WarcReader.TooLarge, $"the page has more than {MaxBytes} bytes");
        }
        return content.ToArray();
    }
}
