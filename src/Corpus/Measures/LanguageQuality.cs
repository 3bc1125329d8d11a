using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Measures;

/// <summary>How a language's words compare with English ones: bounds that are known for English hold for it in this proportion.</summary>
/// <param name="WordLength">Mean length of words, English being 1.</param>
/// <param name="AlphabeticShare">Share of words with a letter, English being 1.</param>
/// <remarks>Measured by <c>oellm corpus measure-words</c> on translations of the same texts; languages that are not in <c>quality.json</c> count as English.</remarks>
internal sealed record LanguageQuality(double WordLength, double AlphabeticShare)
{
    private static readonly LanguageQuality English = new(1, 1);

    private static readonly FrozenDictionary<string, LanguageQuality> Known = Load();

    /// <summary>That of a language code.</summary>
    public static LanguageQuality Of(string language) => Known.GetValueOrDefault(language, English);

    private static FrozenDictionary<string, LanguageQuality> Load()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("quality.json")!;
        MeasuredWords measured = JsonSerializer.Deserialize(stream, MeasuredWordsJson.Default.MeasuredWords)!;
        var english = measured.Languages["en"];
        return measured.Languages.ToFrozenDictionary(pair => pair.Key, pair => BesideEnglish(pair.Value, english));
    }

    /// <summary>The mean of the proportions in the collections that both languages have, each weighted by its words.</summary>
    private static LanguageQuality BesideEnglish(IReadOnlyDictionary<string, WordMeasures> language, IReadOnlyDictionary<string, WordMeasures> english)
    {
        double words = 0, length = 0, alphabetic = 0;
        foreach ((string source, WordMeasures measures) in language)
        {
            if (!english.TryGetValue(source, out WordMeasures? beside)) continue;
            words += measures.Words;
            length += measures.Words * measures.MeanWordLength / beside.MeanWordLength;
            alphabetic += measures.Words * measures.AlphabeticShare / beside.AlphabeticShare;
        }
        return words == 0 ? English : new LanguageQuality(length / words, alphabetic / words);
    }
}

/// <summary>The words of collections that say the same in many languages: the content of <c>quality.json</c>. Only so are languages compared, and not
/// the novels of one with the laws of another.</summary>
/// <param name="Languages">For each language code, the measures of each collection.</param>
public sealed record MeasuredWords(IReadOnlyDictionary<string, IReadOnlyDictionary<string, WordMeasures>> Languages)
{
    /// <summary>Measures the words of documents.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="leastWords">A collection with fewer words in a language is left out there: its means would say little.</param>
    public static MeasuredWords Of(IEnumerable<Document> documents, long leastWords = 2_000)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var sums = new SortedDictionary<(string Language, string Source), (long Words, long Characters, long Alphabetic)>();
        foreach (Document document in documents)
        {
            TextShape shape = TextShape.Of(document.Text);
            var (words, characters, alphabetic) = sums.GetValueOrDefault((document.Lang, document.Source));
            sums[(document.Lang, document.Source)] = (words + shape.Words.Count, characters + shape.CoreCharacters, alphabetic + shape.AlphabeticWords);
        }
        var languages = new SortedDictionary<string, IReadOnlyDictionary<string, WordMeasures>>(StringComparer.Ordinal);
        foreach (var language in sums.Where(sum => sum.Value.Words >= leastWords).GroupBy(sum => sum.Key.Language))
            languages[language.Key] = new SortedDictionary<string, WordMeasures>(language.ToDictionary(sum => sum.Key.Source, sum => new WordMeasures(
                sum.Value.Words, Math.Round((double)sum.Value.Characters / sum.Value.Words, 3), Math.Round((double)sum.Value.Alphabetic / sum.Value.Words, 4))), StringComparer.Ordinal);
        return new MeasuredWords(languages);
    }

    /// <summary>As indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MeasuredWordsJson.Default.MeasuredWords).ReplaceLineEndings("\n") + "\n";
}

/// <summary>The words of a collection in one language.</summary>
/// <param name="Words">How many there were.</param>
/// <param name="MeanWordLength">Their mean length in characters, surrounding punctuation left out.</param>
/// <param name="AlphabeticShare">The share of them that has a letter.</param>
public sealed record WordMeasures(long Words, double MeanWordLength, double AlphabeticShare);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MeasuredWords))]
internal sealed partial class MeasuredWordsJson : JsonSerializerContext;
