using System.Diagnostics;
using System.Globalization;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Encodings;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Encodings.Bench;

/// <summary>Reads an archive from memory over and over on one thread: records and HTTP messages, then also into UTF-8.</summary>
internal static class Unpacking
{
    public static void Run(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        Packing packing = SourceFormat.Of(path)!.Value.Packing;
        foreach (bool decoded in (bool[])[false, true])
        {
            double best = 0;
            for (int turn = 0; turn < 6; turn++)
            {
                long bytes = 0, records = 0, started = Stopwatch.GetTimestamp();
                do
                {
                    using var reader = new WarcReader(new MemoryStream(file), packing);
                    while (reader.TryRead() is { } record)
                    {
                        records++;
                        bytes += record.Block.Length;
                        if (record.Type != WarcRecordType.Response || HttpMessage.Parse(record.Block, ArchiveLimits.Default) is not { } message || !decoded) continue;
                        EncodingDetector.ToUtf8(message.Body.Span, message.Charset, MediaTypes.IsHtml(message.MediaType));
                    }
                }
                while (Stopwatch.GetElapsedTime(started).TotalSeconds < 1);
                best = Math.Max(best, bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e6);
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)}, {(decoded ? "records, messages and UTF-8" : "records and messages")}: {best:0} MB/s unpacked"));
        }
    }
}
