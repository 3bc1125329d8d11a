using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>How fast pages become text.</summary>
/// <param name="Pages">Number of pages.</param>
/// <param name="HtmlBytes">Their bytes as UTF-8.</param>
/// <param name="TextBytes">Bytes of the texts as UTF-8.</param>
/// <param name="Seconds">Time of each pass over all pages on one thread.</param>
public sealed record ExtractionMeasurement(int Pages, long HtmlBytes, long TextBytes, IReadOnlyList<double> Seconds)
{
    /// <summary>Measures extraction alone: the pages lie in memory as UTF-8, one thread works on them, the first pass is not counted.</summary>
    /// <param name="inputs">Web archives, HTML files or folders of them.</param>
    /// <param name="passes">Passes that are counted.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="UserErrorException">An input is missing or holds no page.</exception>
    public static ExtractionMeasurement Run(IReadOnlyList<string> inputs, int passes, IClock clock, CancellationToken cancellation = default)
    {
        List<byte[]> pages = [.. inputs.SelectMany(input => new PageSource(input, (_, _) => { }).Pages()).Select(page => EncodingDetector.ToUtf8(page.Bytes, page.Charset, html: true).Utf8)];
        if (pages.Count == 0) throw new UserErrorException($"{string.Join(", ", inputs)}: no page found; expected web archives or HTML files.");
        var extractor = new HtmlExtractor();
        var seconds = new List<double>();
        long textBytes = 0;
        for (int pass = 0; pass <= passes; pass++)
        {
            textBytes = 0;
            long started = clock.Timestamp;
            foreach (byte[] page in pages)
            {
                cancellation.ThrowIfCancellationRequested();
                textBytes += System.Text.Encoding.UTF8.GetByteCount(extractor.Extract(page).Text);
            }
            if (pass > 0) seconds.Add(clock.SecondsSince(started));
        }
        return new ExtractionMeasurement(pages.Count, pages.Sum(page => (long)page.Length), textBytes, seconds);
    }
}
