using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class SegmentIdentificationTests
{
    private const string German = "Der Hafen liegt im Norden der Stadt und wird von vielen Schiffen besucht, die aus dem ganzen Land kommen und Getreide bringen.";
    private const string English = "We use cookies to improve your experience on our website, and we share information about your use of it with our partners.";
    private const string Czech = "Přístav leží na severu města a navštěvuje ho mnoho lodí, které přijíždějí z celé země a přivážejí obilí pro zdejší mlýny.";
    private const string Croatian = "Luka se nalazi na sjeveru grada i u nju dolaze mnogi brodovi koji stižu iz cijele zemlje i dovoze žito za ovdašnje mlinove.";

    public static TheoryData<string> Languages => [.. LanguageCatalog.Official.Select(language => language.Code)];

    private static Verdict Judge(string text, string language, SegmentIdentification? step = null, JsonObject? metadata = null) =>
        (step ?? new SegmentIdentification()).Judge(new Document("1", text, language, "test", "CC0-1.0", Metadata: metadata));

    [Fact]
    public void A_paragraph_in_another_language_is_cut_and_the_shares_are_kept()
    {
        Document left = Judge($"{German}\n\n{English}\n\n{German} Ja.", "de", metadata: new JsonObject { ["keep"] = 1 }).Replacement!;
        Assert.Equal($"{German}\n\n{German} Ja.", left.Text);
        Assert.Equal(1, (int)left.Metadata!["keep"]!);
        var shares = left.Metadata["languages"]!.AsObject();
        Assert.Equal(["de", "en"], shares.Select(share => share.Key));
        Assert.Equal(1, shares.Sum(share => (double)share.Value!), 0.002);
        Assert.Equal(0.32, (double)shares["en"]!, 0.02);
    }

    [Theory]
    [InlineData("{0}\n{1}", "{0}")]
    [InlineData("{1}\n{0}", "{0}")]
    [InlineData("{1}\n\n{0}\n{1}\n{0}\n\n\n{1}\n", "{0}\n{0}")]
    [InlineData("{0}\n\nOK\n\n{1}\n\n  Ende\n{0}", "{0}\n\nOK\n\n  Ende\n{0}")]
    public void What_is_left_reads_on(string text, string expected) =>
        Assert.Equal(string.Format(null, expected, German), Judge(string.Format(null, text, German, English), "de").Replacement!.Text);

    [Fact]
    public void Paragraphs_may_be_noted_only_and_chats_are_never_cut()
    {
        string text = $"{German}\n{English}";
        Document noted = Judge(text, "de", new SegmentIdentification(SegmentAction.Note)).Replacement!;
        Assert.Equal(text, noted.Text);
        Assert.NotNull(noted.Metadata!["languages"]!["en"]);
        var chat = new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = English }, new JsonObject { ["role"] = "assistant", ["content"] = German }) };
        Assert.Equal(text, Judge(text, "de", metadata: chat).Replacement!.Text);
    }

    [Fact]
    public void Short_lines_are_judged_together_or_not_at_all()
    {
        Assert.Equal(Verdict.Keep, Judge($"{German}\nHome\nAbout us\nContact", "de"));
        string menu = string.Join('\n', English.Split(", "));
        Assert.Equal(German, Judge($"{menu}\n{German}", "de").Replacement!.Text);
        Assert.Equal(Verdict.Keep, Judge($"{menu}\n{German}", "de", new SegmentIdentification(LeastCharacters: 1000)));
    }

    [Fact]
    public void A_document_in_one_language_and_one_of_unknown_language_stay_as_they_are()
    {
        Assert.Equal(Verdict.Keep, Judge($"{German}\n\n{German}", "de"));
        Assert.Equal(Verdict.Keep, Judge($"{German}\n{English}", "und"));
        Assert.Equal("other-languages", Judge(English, "de").Reason);
    }

    [Fact]
    public void Close_languages_cut_each_other_only_where_there_is_no_doubt()
    {
        Assert.Equal(Verdict.Keep, Judge(Czech, "sk", new SegmentIdentification(CloseConfidence: null)));
        Assert.Equal(Verdict.Keep, Judge(Croatian, "bs"));
        Assert.Equal("other-languages", Judge(Croatian, "sk").Reason);
        Assert.Equal("other-languages", Judge(Czech, "pl").Reason);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Examples_are_not_cut_out_of_their_own_language(string language)
    {
        Language known = LanguageCatalog.Find(language);
        string text = string.Join('\n', known.Examples) + "\n" + string.Join(' ', known.Examples);
        Assert.Equal(Verdict.Keep, Judge(text, language));
    }

    [Fact]
    public void A_recipe_names_the_action()
    {
        CorpusConfig config = RecipeReader.Parse(
            """{ "steps": [ { "step": "segment-identification", "action": "note" }, { "step": "stop-words", "share": 0.3 } ] }"""u8, "recipe", CorpusJson.Default.CorpusConfig, []);
        Assert.Equal([new SegmentIdentification(SegmentAction.Note), new StopWordFilter(0.3)], config.Steps);
    }
}
