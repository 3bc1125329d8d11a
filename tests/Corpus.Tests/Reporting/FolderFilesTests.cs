using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Reporting;

namespace OpenEuroLLM.Corpus.Tests.Reporting;

public sealed class FolderFilesTests : IDisposable
{
    private static readonly IFileSystem Files = PhysicalFileSystem.Instance;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Sample(int number, string step = "length", string reason = "too-short", string language = "de", string text = "text") =>
        new JsonObject { ["step"] = step, ["reason"] = reason, ["language"] = language, ["source"] = "s", ["license"] = "CC0-1.0", ["id"] = $"d{number}", ["bytes"] = number, ["text"] = text }.ToJsonString() + "\n";

    private void Refuses(Action read, string file, int line, string what)
    {
        string said = Assert.Throws<UserErrorException>(read).Message;
        Assert.StartsWith($"{_folder[file]}:{line}: ", said);
        Assert.Contains(what, said);
        Assert.EndsWith("make the folder again.", said);
    }

    [Fact]
    public void Samples_are_read_as_they_stand()
    {
        _folder.Write("samples.jsonl", Sample(1) + """{"step":"split","reason":"train","language":"mt","id":"x","url":"https://a.example/","bytes":9000,"text":"\u202Eabc"}""" + "\n");
        IReadOnlyList<CorpusSample> samples = CorpusSamples.Read(Files, _folder.Path)!;
        Assert.Equal([new CorpusSample("length", "too-short", "de", "s", "CC0-1.0", "d1", null, 1, "text"), new CorpusSample("split", "train", "mt", null, null, "x", "https://a.example/", 9000, "\u202Eabc")], samples);
        Assert.Equal([false, true], samples.Select(sample => sample.IsKept));
    }

    [Fact]
    public void What_is_absent_is_null() => Assert.Equal((null, null), (CorpusSamples.Read(Files, _folder.Path), CorpusDomains.Read(Files, _folder.Path, 5)));

    [Theory]
    [InlineData("not json", "no valid JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("", "no valid JSON")]
    [InlineData("""{"step":"length","reason":"too-short","language":"de","id":"1","bytes":1}""", "the field 'text' is missing")]
    [InlineData("""{"step":"length","reason":"too-short","language":"de","id":1,"bytes":1,"text":""}""", "the field 'id' is not text")]
    [InlineData("""{"step":"length","reason":"too-short","language":"de","id":"1","bytes":-1,"text":""}""", "the field 'bytes' is missing or no whole number")]
    [InlineData("""{"step":"length","step":"x","reason":"too-short","language":"de","id":"1","bytes":1,"text":""}""", "no valid JSON")]
    [InlineData("""{"step":"length","reason":"too-short","language":"de","id":"1","bytes":1,"text":"\uD800"}""", "not valid Unicode")]
    public void A_line_that_is_no_sample_is_named_with_its_number(string line, string what)
    {
        _folder.Write("samples.jsonl", Sample(1) + Sample(2) + line + "\n");
        Refuses(() => CorpusSamples.Read(Files, _folder.Path), "samples.jsonl", 3, what);
    }

    [Fact]
    public void A_line_without_end_is_refused_in_bounded_memory()
    {
        _folder.Write("samples.jsonl", Sample(1) + new string('x', 3 << 20));
        Refuses(() => CorpusSamples.Read(Files, _folder.Path), "samples.jsonl", 2, "the line is longer than");
    }

    [Fact]
    public void Of_many_samples_the_first_are_kept_and_of_a_long_one_the_beginning()
    {
        string letters = string.Concat(Enumerable.Repeat("😀", 1500));
        _folder.Write("samples.jsonl", string.Concat(Enumerable.Range(0, 50).Select(i => Sample(i, text: "x" + letters))));
        IReadOnlyList<CorpusSample> samples = CorpusSamples.Read(Files, _folder.Path)!;
        Assert.Equal(Enumerable.Range(0, CorpusSamples.MostOfOutcome).Select(i => $"d{i}"), samples.Select(sample => sample.Id));
        Assert.All(samples, sample => Assert.Equal(2000, sample.Text.Length));   // no half of a letter, and a mark that it goes on
    }

    [Fact]
    public void Where_room_is_short_every_outcome_in_every_language_has_its_first_sample()
    {
        List<CorpusSample> samples = [.. from language in (string[])["de", "fr", "mt"] from reason in (string[])["a", "b"] from i in Enumerable.Range(0, 4)
            select new CorpusSample("length", reason, language, null, null, $"{i}", null, 100, new string('x', 100))];
        Assert.Equal(Enumerable.Repeat("0", 6), CorpusSamples.Choose(samples, 1_100, 50, 100).Select(sample => sample.Id));   // no language has more than another
        Assert.Equal(["0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1"], CorpusSamples.Choose(samples, 1_200, 50, 100).Select(sample => sample.Id));
        Assert.Equal(samples, CorpusSamples.Choose(samples, 2_400, 50, 100));
        Assert.All(CorpusSamples.Choose(samples, 420, 50, 100), sample => Assert.Equal(new string('x', 70) + "…", sample.Text));
        Assert.Equal(Enumerable.Repeat(new string('x', 50) + "…", 6), CorpusSamples.Choose(samples, 0, 50, 100).Select(sample => sample.Text));
        Assert.Empty(CorpusSamples.Choose([], 100, 50, 100));
    }

    [Fact]
    public void The_largest_hosts_of_each_language_are_named_and_all_are_counted()
    {
        var lines = new StringBuilder();
        for (int i = 0; i < 1000; i++) lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"bg\thost{i:0000}.example\t{i + 1}\t{(i * 7919 % 1000) + 1}\n");
        lines.Append("el\tx.example\t1\t5\nel\ty.example\t2\t5\nel\tz.example\t2\t4");
        _folder.Write("domains.tsv", lines.ToString());
        IReadOnlyList<LanguageDomains> languages = CorpusDomains.Read(Files, _folder.Path, 2)!;
        Assert.Equal([("bg", 1000, 500_500, 500_500), ("el", 3, 5, 14)], languages.Select(language => (language.Language, language.Hosts, language.Documents, language.Bytes)));
        Assert.Equal([1000L, 999], languages[0].Largest.Select(domain => domain.Bytes));
        Assert.Equal(["x.example", "y.example"], languages[1].Largest.Select(domain => domain.Host));
    }

    [Theory]
    [InlineData("de\ta.example\t1", "not four fields")]
    [InlineData("de\ta.example\t1\t2\t3", "not four fields")]
    [InlineData("de\ta.example\tone\t2", "a number that is none")]
    [InlineData("de\ta.example\t1\t-2", "a number that is none")]
    [InlineData("de\ta.example\t1\t99999999999999999999", "a number that is none")]
    [InlineData("de\ta.example\t\t2", "a number that is none")]
    [InlineData("de\t\t1\t2", "an empty field")]
    [InlineData("\ta.example\t1\t2", "an empty field")]
    [InlineData("de\tz.example\t1\t2", "a host that was named before")]
    [InlineData("", "not four fields")]
    public void A_line_that_is_no_host_is_named_with_its_number(string line, string what)
    {
        _folder.Write("domains.tsv", "de\tz.example\t1\t2\n" + line + "\n");
        Refuses(() => CorpusDomains.Read(Files, _folder.Path, 5), "domains.tsv", 2, what);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        File.WriteAllBytes(_folder["domains.tsv"], [.. "de\t"u8, 0xFF, .. "\t1\t2\n"u8]);
        Refuses(() => CorpusDomains.Read(Files, _folder.Path, 5), "domains.tsv", 1, "not valid UTF-8");
    }

    [Fact]
    public void What_was_passed_over_is_counted_by_the_manifest_and_found_by_the_file()
    {
        _folder.Write("skipped.jsonl", string.Concat(Enumerable.Range(1, 9).Select(i => $$"""{"place":"a.jsonl:{{i}}","reason":"bad-line"}""" + "\n")) + """{"place":"document 'x'","reason":"quality: FormatException: odd"}""");
        var manifest = new Manifest(CorpusStage.StageName, [], [], [], [new("source", "bad-line", Documents: 900), new("source", "picture", Documents: 7)], "1");
        IReadOnlyList<SkippedReason> reasons = SkippedPlaces.Read(Files, _folder.Path, manifest, 2);
        Assert.Equal([("bad-line", (long?)900, 9L), ("picture", 7, 0), ("quality: FormatException: odd", null, 1)], reasons.Select(reason => (reason.Reason, reason.Count, reason.Listed)));
        Assert.Equal(["a.jsonl:1", "a.jsonl:2"], reasons[0].Places);
        _folder.Write("skipped.jsonl", string.Concat(Enumerable.Range(0, 3000).Select(i => $$"""{"place":"a","reason":"odd {{i:0000}}"}""" + "\n")));
        reasons = SkippedPlaces.Read(Files, _folder.Path, manifest, 2);   // every failure may have words of its own
        Assert.Equal(2000, reasons.Single(reason => reason.Reason == "other reasons").Listed);
        _folder.Write("skipped.jsonl", """{"place":"a.jsonl:1"}""");
        Refuses(() => SkippedPlaces.Read(Files, _folder.Path, manifest, 2), "skipped.jsonl", 1, "the field 'reason' is missing");
    }

    [Fact]
    public void Languages_that_were_asked_for_and_not_found_are_told()
    {
        _folder.Write("texts/a.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i => $$"""{"id":"{{i}}","text":"An ordinary sentence with the number {{i}}.","lang":"en","source":"s","license":"CC0-1.0"}""" + "\n")));
        CorpusStage.Run(new CorpusConfig(_folder["texts"], ["en", "mt"]), _folder["out"], new LocalLauncher(1), cancellation: TestContext.Current.CancellationToken);
        CorpusContents contents = CorpusContents.Read(Files, _folder["out"]);
        Assert.Equal(["mt"], contents.Missing);
        Assert.Empty(contents.Funnel.Problems);
        Assert.Equal(40, contents.Funnel.Together.Read.Documents);
    }
}
