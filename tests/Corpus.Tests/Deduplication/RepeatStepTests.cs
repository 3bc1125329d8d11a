using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class RepeatStepTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Words(ulong seed, int count)
    {
        var random = new CounterRandom(seed, 6);
        return string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{random.At((ulong)i):x}"));
    }

    private static string Line(string id, string text, JsonObject? metadata = null) =>
        Encoding.UTF8.GetString(new Document(id, text, "en", "s", "CC0-1.0", Metadata: metadata).ToJsonLine()) + "\n";

    private Manifest Build(CorpusStep step, string name, int workers = 1, long unitBytes = 1 << 20) => CorpusStage.Run(
        new CorpusConfig(_folder["texts"], ["en"], [step], HeldOutShare: 0, HeldOutDocuments: 0, UnitBytes: unitBytes), _folder[name], new LocalLauncher(workers),
        cancellation: TestContext.Current.CancellationToken);

    private Dictionary<string, string> Texts(string name) => Directory.GetFiles(_folder[name], "*.jsonl", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(Path.GetDirectoryName(path)) is "train" or "heldout")
        .SelectMany(File.ReadLines).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), name)).ToDictionary(document => document.Id, document => document.Text);

    /// <summary>Documents with runs of 30 to 69 words that an earlier document has; with what must remain of each.</summary>
    private Dictionary<string, string> PlantRuns()
    {
        var expected = new Dictionary<string, string>();
        var files = new StringBuilder[3];
        for (int i = 0; i < files.Length; i++) files[i] = new StringBuilder();
        for (int i = 0; i < 240; i++)
        {
            int length = 30 + i % 40;
            string run = Words((ulong)(i % 120), 30 + i % 120 % 40), own = Words((ulong)i + 10_000, 40), end = Words((ulong)i + 20_000, 40);
            string text = $"{own} {run} {end}";
            files[i / 80].Append(Line($"{i}", text));
            expected[$"{i}"] = i >= 120 && length >= 50 ? $"{own} {end}" : text;
        }
        for (int i = 0; i < files.Length; i++) _folder.Write($"texts/{i}.jsonl", files[i].ToString());
        return expected;
    }

    [Fact]
    public void Planted_runs_are_cut_from_the_second_occurrence_on()
    {
        Dictionary<string, string> expected = PlantRuns();
        Build(new SubstringRepeats(50), "corpus");
        Assert.Equal(expected, Texts("corpus"));
    }

    [Theory]
    [InlineData(3, 1 << 20)]
    [InlineData(1, 5_000)]
    [InlineData(3, 12_345)]
    public void The_corpus_is_the_same_whatever_the_units_and_workers(int workers, long unitBytes)
    {
        PlantRuns();
        foreach (CorpusStep step in (CorpusStep[])[new SubstringRepeats(50), new LineRepeats(Keep: 1, LeastCharacters: 10)])
        {
            Build(step, step.Name);
            Build(step, step.Name + "-divided", workers, unitBytes);
            Assert.Equal(Texts(step.Name), Texts(step.Name + "-divided"));
            Assert.Equal(
                [.. Directory.GetFiles(_folder[step.Name + "/train"]).Order(StringComparer.Ordinal).Select(File.ReadAllText)],
                Directory.GetFiles(_folder[step.Name + "-divided/train"]).Order(StringComparer.Ordinal).Select(File.ReadAllText).ToArray());
        }
    }

    [Fact]
    public void Lines_stay_as_often_as_wanted_and_what_is_empty_then_is_dropped()
    {
        const string notice = "Wir verwenden Cookies, um unsere Seiten zu verbessern.";
        _folder.Write("texts/a.jsonl", Line("1", $"one\n{notice}\ntwo") + Line("2", $"{notice.ToUpperInvariant()}\n\nthree"));
        _folder.Write("texts/b.jsonl", Line("3", $"four\n\n{notice}\n\nfive\nfive") + Line("4", $"  {notice}\n"));
        Manifest manifest = Build(new LineRepeats(Keep: 2, LeastCharacters: 20), "corpus");
        Assert.Equal(
            new Dictionary<string, string> { ["1"] = $"one\n{notice}\ntwo", ["2"] = $"{notice.ToUpperInvariant()}\n\nthree", ["3"] = "four\n\nfive\nfive" }, Texts("corpus"));
        Assert.Equal(1, manifest.Counts.Where(count => count.Step == "line-repeats" && count.Reason == CorpusReport.NothingLeft).Sum(count => count.Documents));
    }

    [Fact]
    public void The_turns_of_a_chat_are_left_alone()
    {
        string text = Words(1, 80);
        var metadata = new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }) };
        _folder.Write("texts/a.jsonl", Line("1", text) + Line("2", text, metadata));
        Build(new SubstringRepeats(50), "corpus");
        Assert.Equal(2, Texts("corpus").Count);
    }
}
