using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Steps.Bench;

/// <summary>What each filter drops of the documents of a language, and for what reasons.</summary>
internal static class RuleMeasuring
{
    public static void Run(string corpus)
    {
        Filter[] filters = [new QualityFilter(), new LineFilter(), new RepetitionFilter(), new StopWordFilter()];
        Console.WriteLine($"| language | documents | {string.Join(" | ", filters.Select(filter => filter.Name + " %"))} | most frequent reasons |");
        Console.WriteLine($"|---|---:|{string.Concat(filters.Select(_ => "---:|"))}---|");
        foreach ((string language, IReadOnlyList<Document> documents) in Texts.Corpus(corpus))
        {
            var reasons = new SortedDictionary<string, int>(StringComparer.Ordinal);
            int[] dropped = new int[filters.Length];
            foreach (Document document in documents)
            {
                for (int i = 0; i < filters.Length; i++)
                {
                    if (filters[i].Judge(document).Reason is not { } reason) continue;
                    dropped[i]++;
                    reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
                }
            }
            Console.WriteLine($"| {language} | {documents.Count} | {string.Join(" | ", dropped.Select(count => $"{100.0 * count / documents.Count:0.0}"))} | {string.Join(", ", reasons.OrderByDescending(reason => reason.Value).ThenBy(reason => reason.Key, StringComparer.Ordinal).Take(4).Select(reason => $"{reason.Key} {reason.Value}"))} |");
        }
    }
}
