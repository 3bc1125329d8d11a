using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Steps.Bench;

/// <summary>Puts paragraphs of other languages into documents and counts which paragraphs are cut: those, and those of the document's own language. And of documents as they are, how
/// many paragraphs are cut.</summary>
internal static class SegmentMeasuring
{
    private const int OwnParagraphs = 10, OthersOfEach = 12;

    public static void Run(string corpus, SortedDictionary<string, List<string>> sentences, double? confidence, double? closeConfidence)
    {
        var step = closeConfidence is { } closeBound ? new SegmentIdentification(CloseConfidence: closeBound) : new SegmentIdentification();
        if (confidence is { } bound) step = step with { Confidence = bound };
        Dictionary<string, string[]> paragraphs = sentences.ToDictionary(pair => pair.Key, pair => Texts.Joined(pair.Value, 2).Where(text => text.Length >= step.LeastCharacters).ToArray());
        Console.WriteLine("| language | own paragraphs cut %, new texts | own paragraphs cut %, corpus | foreign paragraphs cut % | close foreign paragraphs cut % | least of one |");
        Console.WriteLine("|---|---:|---:|---:|---:|---|");
        foreach ((string language, IReadOnlyList<Document> documents) in Texts.Corpus(corpus))
        {
            string[] own = paragraphs[language];
            int ownCut = 0, ownAll = 0, next = 0;
            var cut = new Dictionary<string, int>();
            foreach ((string other, string[] texts) in paragraphs)
            {
                if (other == language) continue;
                for (int i = 0; i < OthersOfEach; i++)
                {
                    string foreign = texts[i * 7 % texts.Length];
                    var parts = new List<string>();
                    for (int k = 0; k < OwnParagraphs; k++) parts.Add(own[next++ % own.Length]);
                    parts.Insert(OwnParagraphs / 2, foreign);
                    string text = string.Join("\n\n", parts);
                    string left = step.Judge(new Document("1", text, language, "bench", "none")).Replacement?.Text ?? text;
                    HashSet<string> kept = [.. left.Split("\n\n")];
                    ownAll += OwnParagraphs;
                    ownCut += parts.Count(part => part != foreign && !kept.Contains(part));
                    cut[other] = cut.GetValueOrDefault(other) + (kept.Contains(foreign) ? 0 : 1);
                }
            }
            long corpusCut = 0, corpusAll = 0;
            foreach (Document document in documents.Take(400))
            {
                foreach ((int start, int end) in step.Paragraphs(document.Text).Take(50))
                {
                    corpusAll++;
                    Document alone = document with { Text = document.Text[start..end] };
                    if (step.Judge(alone).Reason is not null) corpusCut++;
                }
            }
            bool IsClose(string other) => IdentificationScores.CloseGroups.Any(group => group.Contains(language) && group.Contains(other));
            var far = cut.Where(pair => !IsClose(pair.Key)).ToArray();
            var close = cut.Where(pair => IsClose(pair.Key)).ToArray();
            var least = far.MinBy(pair => pair.Value);
            Console.WriteLine($"| {language} | {100.0 * ownCut / ownAll:0.00} | {100.0 * corpusCut / Math.Max(1, corpusAll):0.00} | {100.0 * far.Average(pair => pair.Value) / OthersOfEach:0.0} | {(close.Length == 0 ? "–" : $"{100.0 * close.Average(pair => pair.Value) / OthersOfEach:0.0} ({string.Join(", ", close.Select(pair => $"{pair.Key} {100.0 * pair.Value / OthersOfEach:0}"))})")} | {least.Key} {100.0 * least.Value / OthersOfEach:0} |");
        }
    }
}
