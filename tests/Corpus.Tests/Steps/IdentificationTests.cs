using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class IdentificationTests
{
    private static Verdict Judge(string text, string language) => new LanguageIdentification().Judge(new Document("1", text, language, "test", "CC0-1.0"));

    public static TheoryData<string> Languages => [.. LanguageCatalog.Official.Select(language => language.Code)];

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_document_without_a_language_gets_its_own(string language)
    {
        string text = string.Join(' ', LanguageCatalog.Find(language).Examples);
        string found = Judge(text, "und").Replacement?.Lang ?? "";
        Assert.True(found == language || (language == "hr" && found == "bs"), $"{language} was taken for '{found}'");   // hr and bs share most short sentences
        Assert.Null(Judge(text, language).Reason);
    }

    [Fact]
    public void What_is_no_language_is_dropped_and_a_declared_language_is_overruled_only_when_it_must_be()
    {
        Assert.Equal("no-language", Judge("0x1F 77.4 12/11/2026 { } ;; <td> 4711 == != 88 </td> 0.001 0.002 0.003", "und").Reason);
        Assert.NotNull(Judge("...", "und").Reason);
        string german = "Am Morgen trinke ich Kaffee, und am Abend trinke ich Tee, weil ich sonst nicht schlafen kann.";
        Assert.Equal("de", Judge(german, "fr").Replacement!.Lang);
        Assert.Null(Judge("Da", "ro").Reason);
    }

    [Fact]
    public void Of_a_long_document_the_whole_is_seen_and_not_its_beginning_alone()
    {
        string german = string.Concat(Enumerable.Repeat("Der Hafen liegt im Norden der Stadt und wird von vielen Schiffen besucht. ", 200));
        Assert.Equal("de", Judge("Menu Home Contact About " + german, "und").Replacement!.Lang);
    }
}
