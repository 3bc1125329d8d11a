using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>The pages of a web archive, of an HTML file, or of a folder of both in the order of the names.</summary>
internal sealed class PageSource
{
    /// <summary>Reason of a record or file that holds no page.</summary>
    public const string NotHtml = "not-html";

    /// <summary>Reason of an answer that is no page but an error or a redirection.</summary>
    public const string NotFound = "not-found";

    private const string Expected = "names that end in .warc, .wet, .arc, .html, .htm or .xhtml, plain or with .gz or .zst behind";

    private readonly string root;
    private readonly List<(string Path, long Bytes)> files;
    private readonly Action<string, string> skipped;

    /// <summary>Lists the files.</summary>
    /// <param name="path">A file or a folder.</param>
    /// <param name="skipped">Told where something is that is no page, and why.</param>
    /// <exception cref="UserErrorException">There is no such file, or nothing in the folder.</exception>
    public PageSource(string path, Action<string, string> skipped)
    {
        this.skipped = skipped;
        bool folder = Directory.Exists(path);
        if (!folder && !File.Exists(path)) throw new UserErrorException($"{path}: not found; expected a web archive, an HTML file or a folder of them.");
        root = folder ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            IEnumerable<string> paths = folder ? PhysicalFileSystem.Instance.EnumerateFiles(path, recursive: true).Where(file => KindOf(file) is not null) : [Path.GetFullPath(path)];
            if (!folder && KindOf(path) is null) throw new UserErrorException($"{path}: is neither a web archive nor an HTML file; expected {Expected}.");
            files = [.. paths.Select(file => (file, new FileInfo(file).Length))];
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
        if (files.Count == 0) throw new UserErrorException($"{path}: holds no web archive and no HTML file; expected {Expected}.");
    }

    /// <summary>Whether a file is one of those that are read.</summary>
    public bool Reads(string path) => files.Any(file => Path.GetFullPath(file.Path) == Path.GetFullPath(path));

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes => files.Sum(file => file.Bytes);

    /// <summary>Bytes of the files that were read so far.</summary>
    public long DoneBytes { get; private set; }

    /// <summary>The pages in their order.</summary>
    public IEnumerable<WebPage> Pages()
    {
        long before = 0;
        foreach (var (path, bytes) in files)
        {
            foreach (WebPage page in KindOf(path)!.Value.IsArchive ? Archive(path, before) : HtmlFile(path)) yield return page;
            before += bytes;
            DoneBytes = before;
        }
    }

    /// <summary>What a file is by its name; null when it is neither an archive nor a page.</summary>
    private static (bool IsArchive, Packing Packing)? KindOf(string path) => SourceFormat.Of(path) switch
    {
        { } known when known.Format.Endings.Contains(".warc") => (true, known.Packing),
        { } known when known.Format.Endings.Contains(".html") => (false, known.Packing),
        _ => null,
    };

    private IEnumerable<WebPage> HtmlFile(string path)
    {
        byte[] bytes = Guarded(path, () =>
        {
            using Stream content = UnpackedFile.Open(path);
            using var whole = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            while (whole.Length <= HtmlExtractor.MaximumHtmlBytes && content.Read(buffer, 0, buffer.Length) is > 0 and int read) whole.Write(buffer, 0, read);
            return whole.ToArray();
        });
        string name = Path.GetRelativePath(root, path).Replace('\\', '/');
        yield return new WebPage(name, null, bytes, null);
    }

    private IEnumerable<WebPage> Archive(string path, long before)
    {
        using Stream file = Guarded(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1));
        using var reader = new WarcReader(file, KindOf(path)!.Value.Packing, damage => skipped(FormattableString.Invariant($"{path} at byte {damage.Offset}"), damage.Reason));
        while (Guarded(path, reader.TryRead) is WarcRecord record)
        {
            DoneBytes = before + reader.Position;
            if (PageOf(record, path) is WebPage page) yield return page;
        }
    }

    private WebPage? PageOf(WarcRecord record, string path)
    {
        if (record.Type is not (WarcRecordType.Response or WarcRecordType.Resource or WarcRecordType.Conversion)) return null;
        string id = record.TargetUri ?? record.Id ?? FormattableString.Invariant($"{Path.GetFileName(path)}:{record.Offset}");
        if (record.Type == WarcRecordType.Conversion) return Skip(id, NotHtml);   // text already
        ReadOnlyMemory<byte> body = record.Block;
        string? type = MediaTypes.Type(record.ContentType), charset = MediaTypes.Charset(record.ContentType);
        if (record.Type == WarcRecordType.Response)
        {
            HttpMessage? message;
            try
            {
                message = HttpMessage.Parse(record.Block, ArchiveLimits.Default);
            }
            catch (DamagedDataException error)
            {
                skipped(id, error.Reason);
                return null;
            }
            if (message is null) return Skip(id, NotHtml);
            if (message.Status is < 200 or >= 300) return Skip(id, NotFound);
            (body, type, charset) = (message.Body, message.MediaType, message.Charset);
        }
        if (!(type is null ? LooksLikeHtml(body.Span) : MediaTypes.IsHtml(type))) return Skip(id, NotHtml);
        return new WebPage(id, record.TargetUri, body.ToArray(), charset);
    }

    private WebPage? Skip(string id, string reason)
    {
        skipped(id, reason);
        return null;
    }

    private static bool LooksLikeHtml(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> beginning = AsciiWord.Trim(body[..Math.Min(body.Length, 1024)]);
        return AsciiWord.Contains(beginning, "<html"u8) || AsciiWord.Contains(beginning, "<!doctype html"u8);
    }

    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{path}: {error.Message}; fetch it again.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
