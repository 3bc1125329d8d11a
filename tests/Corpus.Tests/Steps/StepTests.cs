using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class StepTests
{
    private static Document Text(string text, string language = "en", JsonObject? metadata = null) => new("1", text, language, "test", "CC0-1.0", Metadata: metadata);

    [Theory]
    [InlineData("cafe\u0301", "café")]
    [InlineData("Donau\u00ADdampf", "Donaudampf")]
    [InlineData("zero\u200Bwidth\u2060", "zerowidth")]
    [InlineData("\uFEFFstart", "start")]
    [InlineData("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour")]
    [InlineData("bell\u0007 tab\tstays", "bell tab\tstays")]
    [InlineData("e\u00AD\u0301", "é")]
    [InlineData("right\u200Fto\u202Aleft", "righttoleft")]
    [InlineData("family: \U0001F468\u200D\U0001F469", "family: \U0001F468\u200D\U0001F469")]
    [InlineData("dix\u00A0mille\u202Feuros", "dix\u00A0mille\u202Feuros")]
    [InlineData("plain „quoted“ text – unchanged…", "plain „quoted“ text – unchanged…")]
    public void Normalization_gives_one_form(string text, string expected)
    {
        Verdict verdict = new UnicodeNormalization().Judge(Text(text));
        Assert.Null(verdict.Reason);
        Assert.Equal(expected, (verdict.Replacement ?? Text(text)).Text);
        Assert.Equal(text != expected, verdict.Replacement is not null);
    }

    [Fact]
    public void Normalization_drops_half_a_surrogate_pair() =>
        Assert.Equal("invalid-unicode", new UnicodeNormalization().Judge(Text("broken \uD83D text")).Reason);

    [Fact]
    public void Normalization_reaches_the_messages_of_a_chat()
    {
        var metadata = new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "e\u0301\u200B?" }) };
        Verdict verdict = new UnicodeNormalization().Judge(Text("é?", metadata: metadata));
        Assert.Equal("é?", ChatMessages.Of(verdict.Replacement!.Metadata)![0].Content);
        Assert.Equal("e\u0301\u200B?", ChatMessages.Of(metadata)![0].Content);
    }

    [Theory]
    [InlineData("four", 5, null, "too-short")]
    [InlineData("five!", 5, null, null)]
    [InlineData("\U0001F600\U0001F600", 3, null, "too-short")]
    [InlineData("six...", 0, 5, "too-long")]
    [InlineData("five!", 0, 5, null)]
    public void Length_is_counted_in_characters(string text, int least, int? most, string? reason) =>
        Assert.Equal(reason, new LengthFilter(least, most).Judge(Text(text)).Reason);

    [Theory]
    [InlineData("Здравей, свят", "bg", null)]
    [InlineData("Здравей, свят", "cs", "other-script")]
    [InlineData("Hello, world", "el", "other-script")]
    [InlineData("Καλημέρα, κόσμε, world", "el", null)]
    [InlineData("12 345, 67", "en", "no-letters")]
    [InlineData("nuqneH", "tlh", "unknown-language")]
    public void Script_is_that_of_the_language(string text, string language, string? reason) =>
        Assert.Equal(reason, new ScriptFilter().Judge(Text(text, language)).Reason);

    [Fact]
    public void Settings_read_from_a_recipe_and_print_themselves()
    {
        CorpusConfig config = RecipeReader.Parse(
            """{ "source": "texts", "languages": ["cs"], "steps": [ { "step": "unicode-normalization" }, { "step": "length", "minCharacters": 30 }, { "step": "exact-duplicates" }, { "step": "script" } ] }"""u8,
            "recipe", CorpusJson.Default.CorpusConfig, ["seed=7", "sample.sentencesPerLanguage=900"]);
        Assert.Equal([new UnicodeNormalization(), new LengthFilter(30), new ExactDuplicates(), new ScriptFilter(0.5)], config.Steps);
        Assert.Equal(["unicode-normalization", "length", "exact-duplicates", "script"], config.Steps.Select(step => step.Name));
        Assert.Equal((7UL, 900), (config.Seed, config.Sample.SentencesPerLanguage));
        JsonNode written = JsonSerializer.SerializeToNode(config, CorpusJson.Default.CorpusConfig)!;
        Assert.Equal("length", (string?)written["steps"]![1]!["step"]);
        Assert.Equal(30, (int)written["steps"]![1]!["minCharacters"]!);
        Assert.Equal(config.Steps, JsonSerializer.Deserialize(written, CorpusJson.Default.CorpusConfig)!.Steps);
    }

    [Fact]
    public void An_absent_section_is_the_default_one()
    {
        CorpusConfig config = RecipeReader.Parse("{}"u8, "recipe", CorpusJson.Default.CorpusConfig, []);
        Assert.Equal(24, config.Languages.Count);
        Assert.Equal(new CorpusConfig().Steps, config.Steps);
        Assert.Equal(new SampleConfig(), config.Sample);
    }

    [Fact]
    public void Every_mistake_in_the_section_is_told()
    {
        var error = Assert.Throws<UserErrorException>(() => RecipeReader.Parse(
            """{ "steps": [ { "step": "lenght" }, { "step": "script", "minScriptShare": 2 } ], "heldoutShare": 0.1, "shardBytes": 0 }"""u8,
            "recipe", CorpusJson.Default.CorpusConfig, []));
        Assert.Contains("did you mean 'length'?", error.Message, StringComparison.Ordinal);
        Assert.Contains("steps[1].minScriptShare is 2; expected 0 to 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("heldOutShare", error.Message, StringComparison.Ordinal);
        Assert.Contains("shardBytes is 0", error.Message, StringComparison.Ordinal);
    }
}
