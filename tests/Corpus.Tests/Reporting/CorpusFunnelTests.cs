using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Reporting;

namespace OpenEuroLLM.Corpus.Tests.Reporting;

public sealed class CorpusFunnelTests
{
    private static Manifest Of(string[] steps, IEnumerable<ManifestCount> counts, string? tokenizer = null)
    {
        var settings = new JsonObject { ["steps"] = new JsonArray([.. steps.Select(step => (JsonNode)new JsonObject { ["step"] = step })]) };
        if (tokenizer is not null) settings["tokenizer"] = tokenizer;
        return new Manifest(CorpusStage.StageName, settings, [], [], [.. counts], "1");
    }

    private static ManifestCount Count(string step, string reason, string? language, long documents, long bytes, long tokens = 0, string source = "s") =>
        new(step, reason, language, source, "CC0-1.0", documents, bytes, tokens);

    /// <summary>100 documents in no language and 10 in German: two thirds are found German, the rest French, mended, filtered and divided.</summary>
    private static List<ManifestCount> Sound() =>
    [
        Count("source", "bad-line", null, 3, 0),
        Count("read", "read", "und", 60, 6000), Count("read", "read", "und", 40, 4000, source: "t"), Count("read", "read", "de", 10, 1000),
        Count("identification", "no-language", "und", 10, 1000, 250),
        Count("identification", "moved-out", "und", 90, 9000), Count("identification", "moved-in", "de", 60, 6000), Count("identification", "moved-in", "fr", 30, 3000),
        Count("languages", "not-asked-for", "fr", 5, 500, 100),
        Count("mojibake", "changed", "de", 4, 400), Count("mojibake", "became", "de", 4, 380),
        Count("length", "too-short", "de", 6, 60, 15), Count("length", "failed", "de", 1, 20, 5),
        Count("split", "train", "de", 60, 6500, 1600), Count("split", "held-out", "de", 2, 300, 70), Count("split", "copy-of-held-out", "de", 1, 100, 20),
        Count("split", "train", "fr", 20, 2000, 500), Count("split", "held-out", "fr", 1, 100, 25), Count("split", "over-budget", "fr", 4, 400, 90),
        Count("split", "repeated", "fr", 20, 2000, 500),
        Count("examination", "fact", "sv", 12, 0),
    ];

    private static readonly string[] Steps = ["identification", "mojibake", "length"];

    [Fact]
    public void Every_step_balances_in_every_language_and_the_rows_lead_into_each_other()
    {
        CorpusFunnel funnel = CorpusFunnel.Of(Of(Steps, Sound()));
        Assert.Empty(funnel.Problems);
        Assert.Equal(["de", "fr", "und"], funnel.Languages.Select(language => language.Language));
        foreach (LanguageAccount language in funnel.Languages.Append(funnel.Together))
        {
            Assert.Equal(["identification", "languages", "mojibake", "length", "split"], language.Steps.Select(step => step.Step));
            Assert.Equal((language.Read.Documents, language.Read.Bytes), (language.Steps[0].In.Documents, language.Steps[0].In.Bytes));
            for (int i = 1; i < language.Steps.Count; i++) Assert.Equal(language.Steps[i - 1].Out, language.Steps[i].In);
            Assert.All(language.Steps, step => Assert.Equal(step.Out.Documents, step.In.Documents - step.Lost.Documents - step.MovedOut.Documents + step.MovedIn.Documents));
            Assert.All(language.Steps, step => Assert.Equal(
                step.Out.Bytes, step.In.Bytes - step.Lost.Bytes - step.MovedOut.Bytes + step.MovedIn.Bytes - step.Changed.Bytes + step.Became.Bytes));
            Assert.Equal(language.Train + language.HeldOut, language.Steps[^1].Out);
        }
        StepAccount mended = funnel.Languages[0].Steps[2];
        Assert.Equal((70, 7000, 70, 6980), (mended.In.Documents, mended.In.Bytes, mended.Out.Documents, mended.Out.Bytes));
    }

    [Fact]
    public void Tokens_into_a_step_are_those_of_all_that_ends_there_or_later()
    {
        CorpusFunnel funnel = CorpusFunnel.Of(Of(Steps, Sound()));
        Assert.True(funnel.CountsTokens);
        Assert.Equal([1710L, 1710, 1710, 1710, 1690, 1670], [.. funnel.Languages[0].Steps.Select(step => step.In.Tokens), funnel.Languages[0].Steps[^1].Out.Tokens]);
        Assert.Equal((250, 0), (funnel.Languages[2].Steps[0].In.Tokens, funnel.Languages[2].Steps[0].Out.Tokens));
        Assert.Equal(250 + 100 + 15 + 5 + 1600 + 70 + 20 + 500 + 25 + 90, funnel.Together.Read.Tokens);
        Assert.False(CorpusFunnel.Of(Of(Steps, Sound().Select(count => count with { Tokens = 0 }))).CountsTokens);
        Assert.True(CorpusFunnel.Of(Of(Steps, Sound().Select(count => count with { Tokens = 0 }), "europa-16k")).CountsTokens);
    }

    [Fact]
    public void The_row_of_a_language_adds_up()
    {
        Manifest manifest = Of(Steps, Sound());
        IReadOnlyList<LanguageFunnel> rows = CorpusReport.Of(manifest);
        Assert.All(rows.Append(CorpusReport.Together(CorpusFunnel.Of(manifest))), row => Assert.Equal(row.Train, row.Read + row.MovedIn - row.MovedOut - row.Dropped.Values.Sum() - row.HeldOut));
        Assert.Equal((10, 60, 0, 60, 1600L, 2, 4), (rows[0].Read, rows[0].MovedIn, rows[0].MovedOut, rows[0].Train, rows[0].Tokens, rows[0].HeldOut, rows[0].Changed));
        Assert.Equal((100, 0, 90, 0), (rows[2].Read, rows[2].MovedIn, rows[2].MovedOut, rows[2].Train));
        Assert.Equal(["length: failed", "length: too-short", "split: copy-of-held-out"], rows[0].Dropped.Keys);
        Assert.Equal((20, 2000), (rows[1].Repeated, rows[1].RepeatedBytes));
        Assert.Null(CorpusReport.Of(Of(Steps, Sound().Select(count => count with { Tokens = 0 })))[0].Tokens);
    }

    [Fact]
    public void Without_identification_languages_are_asked_for_before_all_steps_and_else_after_the_last()
    {
        static IEnumerable<string> Names(params string[] steps) => CorpusFunnel.Of(Of(steps, [Count("read", "read", "de", 1, 1), Count("split", "train", "de", 1, 1)])).Languages[0].Steps.Select(step => step.Step);
        Assert.Equal(["languages", "length", "split"], Names("length"));
        Assert.Equal(["languages", "split"], Names());
        Assert.Equal(["length", "identification", "languages", "script", "split"], Names("length", "identification", "script"));
        Assert.Equal(["length", "identification", "languages", "split"], Names("identification", "length", "identification"));   // one name, one row
    }

    public static TheoryData<string, string, string> Unsound => new()
    {
        { "a dropped document that is not counted", "length: too-short", "language 'de': 68 documents and 6860 bytes are left of all steps, but 62 documents and 6800 bytes" },
        { "a move that arrives nowhere", "identification: moved-in", "step 'identification': 90 documents (9000 bytes) left their language, 0 (0 bytes) came to one" },
        { "a change without an end", "mojibake: became", "step 'mojibake': 4 documents were changed, and what became of them is counted for 0" },
        { "documents from nowhere", "read: read", "language 'und', step 'identification': more ends or leaves than came (0 documents and 0 bytes came, -100 and -10000 are left)" },
    };

    [Theory]
    [MemberData(nameof(Unsound))]
    public void What_does_not_add_up_is_said(string what, string left, string said)
    {
        CorpusFunnel funnel = CorpusFunnel.Of(Of(Steps, Sound().Where(count => $"{count.Step}: {count.Reason}" != left)));
        Assert.True(funnel.Problems.Any(problem => problem.StartsWith(said, StringComparison.Ordinal)), $"{what}: {string.Join("\n", funnel.Problems)}");
    }

    [Fact]
    public void A_step_that_the_settings_do_not_name_is_shown_and_said()
    {
        CorpusFunnel funnel = CorpusFunnel.Of(Of(["identification", "mojibake"], Sound()));
        Assert.Equal(["the step 'length' is counted, but the settings do not name it"], funnel.Problems);
        Assert.Equal(["identification", "languages", "mojibake", "length", "split"], funnel.Languages[0].Steps.Select(step => step.Step));
    }

    [Fact]
    public void Negative_counts_and_counts_of_no_language_are_said() => Assert.Equal(
        ["the count 'length: too-short' of 'de' is negative", "the count 'length: odd' has no language", "language 'de': the count 'read: odd' means nothing"],
        CorpusFunnel.Of(Of(Steps, [.. Sound(), Count("length", "too-short", "de", -1, -1, 0, "t"), Count("length", "odd", null, 1, 1), Count("read", "odd", "de", 1, 1)])).Problems
            .Where(problem => !problem.Contains("are left", StringComparison.Ordinal)));

    [Fact]
    public void Licences_and_sources_are_told_by_language()
    {
        Manifest manifest = Of(Steps, Sound());
        Assert.Equal([("de", "s"), ("fr", "s"), ("und", "s"), ("und", "t")], CorpusOrigins.Sources(manifest).Select(row => (row.Language, row.Name)));
        Assert.Equal([("de", "CC0-1.0"), ("fr", "CC0-1.0"), ("und", "CC0-1.0")], CorpusOrigins.Licences(manifest).Select(row => (row.Language, row.Name)));
        OriginAccount french = CorpusOrigins.Licences(manifest)[1];
        Assert.Equal((new Amount(20, 2000, 500), new Amount(1, 100, 25), new Amount(20, 2000, 500)), (french.Train, french.HeldOut, french.Repeated));
        Assert.Equal(100, CorpusOrigins.Licences(manifest)[2].Read.Documents);
    }
}
