using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Measures;

/// <summary>How a language's words compare with English ones: bounds that are known for English hold for it in this proportion.</summary>
/// <param name="WordLength">Mean length of words, English being 1.</param>
/// <param name="AlphabeticShare">Share of words with a letter, English being 1.</param>
/// <param name="StopWordShare">Share of the words of running text that are stop words of the language (see <see cref="StopWords"/>); absent where it was not measured.</param>
/// <remarks>Measured by <c>oellm corpus measure-words</c> on translations of the same texts; languages that are not in <c>quality.json</c> count as English.</remarks>
internal sealed record LanguageQuality(double WordLength, double AlphabeticShare, double? StopWordShare = null)
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
        return measured.Languages.Keys.Union(measured.StopWords.Keys).ToFrozenDictionary(language => language, language =>
            (measured.Languages.TryGetValue(language, out var words) ? BesideEnglish(words, english) : English) with { StopWordShare = measured.StopWords.GetValueOrDefault(language)?.Share });
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

/// <summary>What was measured of the words of each language: the content of <c>quality.json</c>.</summary>
/// <param name="Languages">For each language code, the measures of each collection that says the same in many languages. Only so are languages compared, and not
/// the novels of one with the laws of another.</param>
/// <param name="StopWords">For each language code, the stop words of all texts.</param>
public sealed record MeasuredWords(
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, WordMeasures>> Languages, IReadOnlyDictionary<string, StopWordMeasures> StopWords)
{
    /// <summary>Measures the words of texts.</summary>
    /// <param name="texts">Texts with their collections.</param>
    /// <param name="compared">The collections that say the same in many languages; absent: all.</param>
    /// <param name="leastWords">A collection with fewer words in a language is left out there: its means would say little.</param>
    public static MeasuredWords Of(IEnumerable<TrainingText> texts, IReadOnlySet<string>? compared = null, long leastWords = 2_000)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var sums = new SortedDictionary<(string Language, string Source), (long Words, long Characters, long Alphabetic)>();
        var stopWords = new SortedDictionary<string, (long Words, long Found)>(StringComparer.Ordinal);
        foreach (TrainingText text in texts)
        {
            string content = Encoding.UTF8.GetString(text.Utf8.Span);
            if (Measures.StopWords.Of(content, text.Language) is { } found)
            {
                var (allWords, allFound) = stopWords.GetValueOrDefault(text.Language);
                stopWords[text.Language] = (allWords + found.Words, allFound + found.Found);
            }
            if (compared?.Contains(text.Source) == false) continue;
            TextShape shape = TextShape.Of(content);
            var (words, characters, alphabetic) = sums.GetValueOrDefault((text.Language, text.Source));
            sums[(text.Language, text.Source)] = (words + shape.Words.Count, characters + shape.CoreCharacters, alphabetic + shape.AlphabeticWords);
        }
        var languages = new SortedDictionary<string, IReadOnlyDictionary<string, WordMeasures>>(StringComparer.Ordinal);
        foreach (var language in sums.Where(sum => sum.Value.Words >= leastWords).GroupBy(sum => sum.Key.Language))
            languages[language.Key] = new SortedDictionary<string, WordMeasures>(language.ToDictionary(sum => sum.Key.Source, sum => new WordMeasures(
                sum.Value.Words, Math.Round((double)sum.Value.Characters / sum.Value.Words, 3), Math.Round((double)sum.Value.Alphabetic / sum.Value.Words, 4))), StringComparer.Ordinal);
        return new MeasuredWords(languages, new SortedDictionary<string, StopWordMeasures>(
            stopWords.Where(sum => sum.Value.Words > 0).ToDictionary(sum => sum.Key, sum => new StopWordMeasures(sum.Value.Words, Math.Round((double)sum.Value.Found / sum.Value.Words, 4))), StringComparer.Ordinal));
    }

    /// <summary>As indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MeasuredWordsJson.Default.MeasuredWords).ReplaceLineEndings("\n") + "\n";
}

/// <summary>The words of a collection in one language.</summary>
/// <param name="Words">How many there were.</param>
/// <param name="MeanWordLength">Their mean length in characters, surrounding punctuation left out.</param>
/// <param name="AlphabeticShare">The share of them that has a letter.</param>
public sealed record WordMeasures(long Words, double MeanWordLength, double AlphabeticShare);

/// <summary>The stop words of a language.</summary>
/// <param name="Words">How many words there were.</param>
/// <param name="Share">The share of them that are stop words.</param>
public sealed record StopWordMeasures(long Words, double Share);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MeasuredWords))]
internal sealed partial class MeasuredWordsJson : JsonSerializerContext;
