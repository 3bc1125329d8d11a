using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class StopWordTests
{
    public static TheoryData<string> Languages => [.. LanguageCatalog.Identified.Select(language => language.Code)];

    private static string? Dropped(string text, string language, StopWordFilter? filter = null) =>
        (filter ?? new StopWordFilter()).Judge(new Document("1", text, language, "test", "CC0-1.0")).Reason;

    [Fact]
    public void Stop_words_are_found_whatever_their_case_and_what_is_tied_to_them()
    {
        Assert.Equal(new StopWords(7, 5, 3), StopWords.Of("L'été, d'un ami: UN été.", "fr"));                       // été and un twice, d once
        Assert.Equal(new StopWords(4, 2, 2), StopWords.Of("Il-ktieb ta’ Marija", "mt"));
        Assert.Equal(new StopWords(2, 2, 1), StopWords.Of("İLE ile", "tr"));
        Assert.Equal(new StopWords(6, 6, 2), StopWords.Of("ΚΑΙ και καὶ ΤΗΣ της τῆς", "el"));
        Assert.Equal(StopWords.Of("Он је код нас, али шта му је", "sr"), StopWords.Of("On je kod nas, ali šta mu je", "sr"));
        Assert.Null(StopWords.Of("ek is", "af"));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Every_language_has_a_measured_share_and_its_examples_pass(string language)
    {
        double usual = LanguageQuality.Of(language).StopWordShare!.Value;
        Assert.InRange(usual, 0.1, 0.6);
        Language known = LanguageCatalog.Identified.Single(each => each.Code == language);
        string text = string.Join(' ', known.Examples);
        Assert.Null(Dropped(text, language, new StopWordFilter(LeastDistinct: 1, LeastWords: 1)));
    }

    [Fact]
    public void Lists_and_other_languages_are_dropped_and_short_texts_are_not_judged()
    {
        string list = string.Join(' ', Enumerable.Range(0, 120).Select(i => $"Produkt{(char)('a' + i % 26)}x"));
        Assert.Equal("few-stop-words", Dropped(list, "de"));
        Assert.Null(Dropped(string.Join(' ', list.Split(' ').Take(99)), "de"));
        Assert.Null(Dropped(list, "xx"));
        string german = string.Concat(Enumerable.Repeat("Der Hafen liegt im Norden der Stadt und wird von vielen Schiffen besucht. ", 10));
        Assert.Null(Dropped(german, "de"));
        Assert.Equal("few-stop-words", Dropped(german, "fi"));
        Assert.Equal("few-different-stop-words", Dropped(string.Concat(Enumerable.Repeat("und Schrauben ", 60)), "de"));
    }

    [Fact]
    public void Stop_words_are_measured_over_all_texts()
    {
        var measured = MeasuredWords.Of(
            [new(System.Text.Encoding.UTF8.GetBytes("the cat and the dog"), "en", "a", "1"), new(System.Text.Encoding.UTF8.GetBytes("cats of Paris"), "en", "b", "2")], new HashSet<string> { "a" }, leastWords: 1);
        Assert.Equal(new StopWordMeasures(8, 0.5), measured.StopWords["en"]);
        Assert.Equal(["a"], measured.Languages["en"].Keys);
    }

    [Fact]
    public void Of_new_texts_hardly_any_are_dropped_in_any_language()
    {
        Assert.SkipUnless(File.Exists(SharedData.Sentences), "needs the shared sentences");
        using var reader = new StreamReader(new System.IO.Compression.GZipStream(File.OpenRead(SharedData.Sentences), System.IO.Compression.CompressionMode.Decompress));
        var texts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            string[] parts = line.Split('\t', 2);
            if (!texts.TryGetValue(parts[0], out var ofLanguage)) texts[parts[0]] = ofLanguage = [];
            ofLanguage.Add(parts[1]);
        }
        foreach ((string language, List<string> sentences) in texts)
        {
            string[] documents = [.. sentences.Chunk(7).Select(chunk => string.Join(' ', chunk))];
            int dropped = documents.Count(text => Dropped(text, language) is not null);
            Assert.True(dropped <= 0.01 * documents.Length, $"{language}: {dropped} of {documents.Length}");
        }
    }
}
