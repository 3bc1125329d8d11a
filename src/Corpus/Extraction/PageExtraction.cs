using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What became of the pages.</summary>
/// <param name="Pages">Pages written, one a line.</param>
/// <param name="Empty">Those of them without main text.</param>
/// <param name="Truncated">Those of them that were beyond the limits, of which only the beginning was read.</param>
/// <param name="HtmlBytes">Bytes of the pages as they came.</param>
/// <param name="TextBytes">Bytes of the texts as UTF-8.</param>
/// <param name="Skipped">Records that gave no page, by reason.</param>
/// <param name="Seconds">Time it took.</param>
public sealed record ExtractionSummary(long Pages, long Empty, long Truncated, long HtmlBytes, long TextBytes, IReadOnlyDictionary<string, long> Skipped, double Seconds);

/// <summary>Extracts the main text of all pages of an archive or folder into JSONL: the id, the text, and what the page says about itself.</summary>
public static class PageExtraction
{
    /// <summary>Reason of a page on which the extractor failed; its id is told, and the run goes on.</summary>
    public const string Failed = "failed";

    private const int BatchPages = 256;
    private const long BatchBytes = 32 << 20;

    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether a reason is what every archive holds: records of pictures, errors and redirections.</summary>
    public static bool IsOrdinary(string reason) => reason is PageSource.NotHtml or PageSource.NotFound;

    /// <summary>Extracts pages; the output is there as a whole or not at all, and the same whatever the number of threads. What a killed run leaves, <c>OUTPUT.partial</c>, the next one
    /// writes over.</summary>
    /// <param name="input">A web archive, an HTML file, or a folder of them.</param>
    /// <param name="output">The file to write.</param>
    /// <param name="markdown">Whether texts get Markdown's marks.</param>
    /// <param name="threads">Pages worked on at a time.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="skipped">Told of each record that gave no page: where, and the reason.</param>
    /// <param name="cancellation">Stops the work; nothing is left behind then.</param>
    /// <exception cref="UserErrorException">The input is missing, or the output exists already or cannot be written.</exception>
    public static ExtractionSummary Run(
        string input, string output, bool markdown, int threads, IProgress<CorpusProgress>? progress = null, Action<string, string>? skipped = null, CancellationToken cancellation = default)
    {
        SystemClock clock = SystemClock.Instance;
        long started = clock.Timestamp;
        var reasons = new SortedDictionary<string, long>(StringComparer.Ordinal);
        void Skip(string where, string reason)
        {
            reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
            skipped?.Invoke(where, reason);
        }
        var source = new PageSource(input, Skip);
        if (source.Reads(output)) throw new UserErrorException($"{output}: is one of the files that are read; choose another name for the output.");
        if (File.Exists(output)) throw new UserErrorException($"{output}: exists already; choose another file or remove it.");
        if (Directory.Exists(output)) throw new UserErrorException($"{output}: is a folder; expected the name of a new file.");
        var meter = new ProgressMeter(progress, clock, "extract", source.TotalBytes);
        var extractors = new ConcurrentBag<HtmlExtractor>();
        long pages = 0, empty = 0, truncated = 0, htmlBytes = 0, textBytes = 0, reported = 0;
        Write(output, stream =>
        {
            using IEnumerator<WebPage> reading = source.Pages().GetEnumerator();
            List<WebPage> batch = ReadBatch(reading);
            while (batch.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                List<WebPage> current = batch;
                var results = new PageLine[current.Count];
                Task<List<WebPage>> next = Task.Run(() => ReadBatch(reading), CancellationToken.None);
                try
                {
                    Parallel.For(0, current.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, number =>
                    {
                        if (!extractors.TryTake(out HtmlExtractor? extractor)) extractor = new HtmlExtractor();
                        results[number] = LineOf(current[number], extractor, markdown);
                        extractors.Add(extractor);
                    });
                }
                finally
                {
                    // The reader must not outlive the run, whatever ends it.
                    ((IAsyncResult)next).AsyncWaitHandle.WaitOne();
                }
                for (int number = 0; number < results.Length; number++)
                {
                    PageLine line = results[number];
                    htmlBytes += current[number].Bytes.Length;
                    if (line.Json is null)
                    {
                        Skip(current[number].Id, Failed);
                        continue;
                    }
                    stream.Write(line.Json.WrittenSpan);
                    pages++;
                    textBytes += line.TextBytes;
                    if (line.TextBytes == 0) empty++;
                    if (line.Truncated) truncated++;
                }
                batch = next.GetAwaiter().GetResult();
                meter.Add(source.DoneBytes - reported);
                reported = source.DoneBytes;
            }
        });
        meter.Finish();
        return new ExtractionSummary(pages, empty, truncated, htmlBytes, textBytes, reasons, clock.SecondsSince(started));
    }

    private static List<WebPage> ReadBatch(IEnumerator<WebPage> reading)
    {
        var batch = new List<WebPage>();
        for (long bytes = 0; batch.Count < BatchPages && bytes < BatchBytes && reading.MoveNext(); bytes += reading.Current.Bytes.Length) batch.Add(reading.Current);
        return batch;
    }

    private static PageLine LineOf(WebPage page, HtmlExtractor extractor, bool markdown)
    {
        ExtractedPage extracted;
        try
        {
            extracted = extractor.Extract(EncodingDetector.ToUtf8(page.Bytes, page.Charset, html: true).Utf8, page.Url, markdown);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return default; // one page must not end a run over millions; it is counted and named
        }
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, _options))
        {
            writer.WriteStartObject();
            writer.WriteString("id", page.Id);
            writer.WriteString("text", extracted.Text);
            Write(writer, "title", extracted.Title);
            Write(writer, "date", extracted.Date);
            Write(writer, "url", page.Url ?? extracted.CanonicalUrl);
            Write(writer, "lang", extracted.Language);
            Write(writer, "license", extracted.LicenseLinks.Count == 0 ? null : string.Join(' ', extracted.LicenseLinks));
            writer.WriteEndObject();
        }
        json.Write("\n"u8);
        return new PageLine(json, System.Text.Encoding.UTF8.GetByteCount(extracted.Text), extracted.Truncated);
    }

    private static void Write(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) writer.WriteString(name, value);
    }

    private static void Write(string output, Action<Stream> content)
    {
        PhysicalFileSystem files = PhysicalFileSystem.Instance;
        string full = Path.GetFullPath(output), partial = full + ".partial";
        try
        {
            files.CreateDirectory(Path.GetDirectoryName(full)!);
            try
            {
                using (Stream stream = files.CreateFile(partial))
                {
                    content(stream);
                    files.FlushToDisk(stream);
                }
                files.Move(partial, full);
                files.FlushDirectory(Path.GetDirectoryName(full)!);
            }
            catch
            {
                files.Delete(partial);
                throw;
            }
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, output);
        }
    }

    private readonly record struct PageLine(ArrayBufferWriter<byte>? Json, int TextBytes, bool Truncated);
}
