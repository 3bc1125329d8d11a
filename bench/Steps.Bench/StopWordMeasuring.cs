using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Steps.Bench;

/// <summary>What the stop-word filter drops: of real documents and of new texts, which should stay, and of word lists, names and texts in other languages, which should not.</summary>
internal static class StopWordMeasuring
{
    private const int ListWords = 150;
    private static readonly StopWordFilter Filter = new();

    public static void Run(string corpus, SortedDictionary<string, List<string>> sentences)
    {
        Dictionary<string, string[]> joined = sentences.ToDictionary(pair => pair.Key, pair => Texts.Joined(pair.Value, 7).ToArray());
        Console.WriteLine("| language | usual share | bound | documents | dropped % | new texts | dropped % | word lists dropped % | names dropped % | other languages dropped % | least of one |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|");
        foreach ((string language, IReadOnlyList<Document> documents) in Texts.Corpus(corpus))
        {
            string[] own = [.. documents.Select(document => document.Text).Where(text => IsLong(text, language))];
            string[] fresh = [.. joined[language].Where(text => IsLong(text, language))];
            string[] lists = [.. Lists(own, language, names: false)], names = [.. Lists(own, language, names: true)];
            var others = joined.Where(pair => pair.Key != language)
                .Select(pair => (Language: pair.Key, Texts: pair.Value.Where(text => IsLong(text, language)).ToArray())).Select(other => (other.Language, Dropped: Share(other.Texts, language))).ToArray();
            (string leastLanguage, double least) = others.MinBy(other => other.Dropped);
            double usual = LanguageQuality.Of(language).StopWordShare!.Value;
            Console.WriteLine($"| {language} | {usual:0.000} | {usual * Filter.Share:0.000} | {own.Length} | {Share(own, language):0.00} | {fresh.Length} | {Share(fresh, language):0.00} | {Share(lists, language):0.0} | {Share(names, language):0.0} | {others.Average(other => other.Dropped):0.0} | {leastLanguage} {least:0} |");
        }
    }

    private static bool IsLong(string text, string language) => StopWords.Of(text, language) is { } found && found.Words >= Filter.LeastWords;

    private static double Share(string[] texts, string language) =>
        texts.Length == 0 ? double.NaN : 100.0 * texts.Count(text => Filter.Judge(new Document("1", text, language, "bench", "none")).Reason is not null) / texts.Length;

    /// <summary>Texts of words drawn from all different ones of a language; or of those with a capital inside a sentence, as they come.</summary>
    private static IEnumerable<string> Lists(string[] texts, string language, bool names)
    {
        var words = new List<string>();
        foreach (string text in texts.Take(500))
        {
            bool begins = true;
            foreach (string word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                string letters = word.Trim('.', ',', ';', ':', '!', '?', '"', '„', '“', '”', '«', '»', '(', ')', '–', '-', '—');
                if (letters.Length > 0 && letters.All(char.IsLetter) && (!names || (!begins && char.IsUpper(letters[0])))) words.Add(letters);
                begins = word[^1] is '.' or '!' or '?' or ':' or '–' or '-' or '—' or '"' or '“' || !char.IsLetter(word[0]);
            }
        }
        if (!names) words = [.. words.Distinct(StringComparer.OrdinalIgnoreCase).OrderBy(word => new CounterRandom(1, 0).At(Hash(word)))];
        return words.Chunk(ListWords).Where(chunk => chunk.Length == ListWords).Take(200).Select(chunk => string.Join('\n', chunk)).Where(text => IsLong(text, language));
    }

    private static ulong Hash(string word)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte value in Encoding.UTF8.GetBytes(word)) hash = (hash ^ value) * 0x100000001B3;
        return hash;
    }
}
