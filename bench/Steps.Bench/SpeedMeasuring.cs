using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Steps.Bench;

/// <summary>How fast single filters are on one thread, on documents of all languages in equal parts.</summary>
internal static class SpeedMeasuring
{
    private const int DocumentsEach = 60, Rounds = 3;

    public static void Run(string corpus)
    {
        Document[] documents = [.. Texts.Corpus(corpus).SelectMany(language => language.Documents.Take(DocumentsEach))];
        long bytes = documents.Sum(document => (long)Encoding.UTF8.GetByteCount(document.Text));
        Console.WriteLine($"{documents.Length} documents, {bytes / 1e6:0.0} MB");
        foreach (Filter[] filters in new Filter[][]
        {
            [new MojibakeRepair()], [new RepetitionFilter()], [new LineFilter()], [new RepetitionFilter(), new LineFilter()], [new QualityFilter()], [new StopWordFilter()], [new SegmentIdentification()],
        })
        {
            double best = double.MaxValue;
            for (int round = 0; round < Rounds; round++)
            {
                long started = Stopwatch.GetTimestamp();
                foreach (Document document in documents)
                    foreach (Filter filter in filters) filter.Judge(document);
                best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            Console.WriteLine($"{string.Join(" + ", filters.Select(filter => filter.Name)),-28} {bytes / 1e6 / best,8:0.0} MB/s");
        }
    }
}
