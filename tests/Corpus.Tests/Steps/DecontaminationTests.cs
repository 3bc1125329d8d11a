using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Contamination;
using OpenEuroLLM.Corpus.Reporting;
using OpenEuroLLM.Corpus.Tests.Contamination;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class DecontaminationTests : IDisposable
{
    private static readonly string[] Languages = ["de", "el", "en"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Manifest Build(CorpusStep step, string name = "corpus", int workers = 1, long unitBytes = 1 << 20) => CorpusStage.Run(
        new CorpusConfig(_folder["texts"], Languages, [step], HeldOutShare: 0, HeldOutDocuments: 0, UnitBytes: unitBytes), _folder[name], new LocalLauncher(workers),
        cancellation: TestContext.Current.CancellationToken);

    private Dictionary<string, string> Texts(string name = "corpus") => Directory.GetFiles(_folder[name + "/train"], "*.jsonl")
        .SelectMany(File.ReadLines).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), name)).ToDictionary(document => document.Id, document => document.Text);

    private static long Count(Manifest manifest, string step, string reason, string? language = null) =>
        manifest.Counts.Where(count => count.Step == step && count.Reason == reason && (language is null || count.Language == language)).Sum(count => count.Documents);

    /// <summary>Two tasks, and documents of which every fifth has an item: German ones one of task a, others one of task b; Greek ones both.</summary>
    private string Plant()
    {
        string tasks = _folder["tasks"];
        _folder.Write("tasks/a.jsonl", string.Concat(Enumerable.Range(0, 30).Select(i => Tasks.Item($"a{i}", Tasks.Words((ulong)i, 20)))) + Tasks.Item("short", "too short to tell"));
        _folder.Write("tasks/b.txt", string.Concat(Enumerable.Range(0, 30).Select(i => Tasks.Words((ulong)(1000 + i), 10) + "\n")));
        for (int file = 0; file < 3; file++)
        {
            var lines = new StringBuilder();
            for (int i = 0; i < 60; i++)
            {
                string own = Tasks.Words((ulong)(5000 + file * 100 + i), 60), end = Tasks.Words((ulong)(6000 + file * 100 + i), 60);
                string first = file is 0 or 1 ? Tasks.Words((ulong)(i / 5), 20).ToUpperInvariant() : "", second = file is 1 or 2 ? Tasks.Words((ulong)(1000 + i / 5), 10) : "";
                lines.Append(Tasks.Line($"{Languages[file]}{i}", i % 5 == 0 ? $"{own}.\n{first}\n{second}\n{end}." : $"{own}.\n{end}.", Languages[file]));
            }
            _folder.Write($"texts/{file}.jsonl", lines.ToString());
        }
        return tasks;
    }

    [Fact]
    public void Documents_and_items_are_counted_by_task_and_language()
    {
        Manifest manifest = Build(new Decontamination([Plant()]));
        Assert.Equal(12, Count(manifest, "decontamination", "contaminated-by-a", "de"));
        Assert.Equal(12, Count(manifest, "decontamination", "contaminated-by-b", "en"));
        Assert.Equal(12, Count(manifest, "decontamination", "contaminated-by-a", "el"));   // one item of each: the first by name
        Assert.Equal(12, Count(manifest, "decontamination", CorpusReport.Found + "b", "el"));
        Assert.Equal(24, Count(manifest, "decontamination", CorpusReport.Found + "b"));
        Assert.Equal((31, 1, 12), (Count(manifest, CorpusReport.TasksStep, "a: items"), Count(manifest, CorpusReport.TasksStep, "a: not-checkable"), Count(manifest, CorpusReport.TasksStep, "a: found")));
        Assert.Equal((30, 0, 12), (Count(manifest, CorpusReport.TasksStep, "b: items"), Count(manifest, CorpusReport.TasksStep, "b: not-checkable"), Count(manifest, CorpusReport.TasksStep, "b: found")));
        Assert.Equal(144, Texts().Count);
        Assert.Empty(CorpusFunnel.Of(manifest).Problems);
    }

    [Fact]
    public void The_ledger_names_the_items_of_each_document()
    {
        Build(new Decontamination([Plant()]));
        JsonNode[] ledger = [.. File.ReadLines(_folder["corpus/" + CorpusStage.LedgerFile]).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(36, ledger.Length);
        JsonNode entry = ledger.Single(line => (string)line["id"]! == "el5");
        Assert.Equal(["a: a1 8/8", "b: b.txt:2 1/1"], entry["record"]!["items"]!.AsArray().Select(item => $"{item!["task"]}: {item["item"]} {item["found"]}/{item["of"]}"));
        Assert.Equal("dropped: contaminated-by-a", (string)entry["outcome"]!);
    }

    [Fact]
    public void Passages_are_cut_and_documents_that_are_nothing_else_dropped()
    {
        string tasks = Plant();
        _folder.Write("texts/3.jsonl", Tasks.Line("whole", Tasks.Words(3, 20)));
        Manifest manifest = Build(new Decontamination([tasks], Action: ContaminationAction.Cut));
        Dictionary<string, string> texts = Texts();
        Assert.Equal(180, texts.Count);
        for (int file = 0; file < 3; file++)
            for (int i = 0; i < 60; i++)
                Assert.Equal(
                    $"{Tasks.Words((ulong)(5000 + file * 100 + i), 60)}.\n{Tasks.Words((ulong)(6000 + file * 100 + i), 60)}.",
                    texts[$"{Languages[file]}{i}"].Replace("\n\n", "\n", StringComparison.Ordinal));
        Assert.Equal(1, Count(manifest, "decontamination", CorpusReport.NothingLeft));
        Assert.Equal(36, Count(manifest, "decontamination", CorpusReport.Changed));
        Assert.Empty(CorpusFunnel.Of(manifest).Problems);
    }

    [Fact]
    public void What_is_only_counted_stays()
    {
        Manifest manifest = Build(new Decontamination([Plant()], Action: ContaminationAction.Count));
        Assert.Equal(180, Texts().Count);
        Assert.Equal(24, Count(manifest, "decontamination", CorpusReport.Found + "a"));
        Assert.Equal(12, Count(manifest, CorpusReport.TasksStep, "a: found"));
        Assert.Empty(CorpusFunnel.Of(manifest).Problems);
    }

    [Theory]
    [InlineData(ContaminationAction.Drop, 3, 5_000)]
    [InlineData(ContaminationAction.Cut, 2, 12_345)]
    public void The_corpus_is_the_same_whatever_the_units_and_workers(ContaminationAction action, int workers, long unitBytes)
    {
        var step = new Decontamination([Plant()], Action: action);
        Manifest whole = Build(step), divided = Build(step, "divided", workers, unitBytes);
        Assert.Equal(Texts(), Texts("divided"));
        Assert.Equal(File.ReadAllText(_folder["corpus/" + CorpusStage.LedgerFile]), File.ReadAllText(_folder["divided/" + CorpusStage.LedgerFile]));
        Assert.Equal(Sums(whole), Sums(divided));

        static IEnumerable<(string, string, string?, long)> Sums(Manifest manifest) => manifest.Counts.GroupBy(count => (count.Step, count.Reason, count.Language))
            .Select(group => (group.Key.Step, group.Key.Reason, group.Key.Language, group.Sum(count => count.Documents))).Order();
    }

    [Fact]
    public void Other_task_files_are_another_corpus()
    {
        var step = new Decontamination([Plant()]);
        Build(step);
        Build(step with { });   // the same: left as it is
        _folder.Write("tasks/b.txt", Tasks.Words(1, 30));
        Assert.Contains("other settings", Assert.Throws<UserErrorException>(() => Build(step with { })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Chats_are_dropped_where_others_are_cut()
    {
        string tasks = Plant(), text = $"{Tasks.Words(1, 20)} and more";
        var document = new Document("1", text, "en", "s", "CC0-1.0", Metadata: new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }) });
        Assert.Equal("contaminated-by-a", new Decontamination([tasks], Action: ContaminationAction.Cut).Judge(document).Reason);
    }

    [Fact]
    public void A_step_without_tasks_or_with_a_bad_line_stops_the_build()
    {
        string tasks = Plant();
        Assert.Contains("has no tasks", Assert.Throws<UserErrorException>(() => Build(new Decontamination())).Message, StringComparison.Ordinal);
        _folder.Write("tasks/c.jsonl", "{}\n");
        Assert.Contains("c.jsonl:1: no field has a text", Assert.Throws<UserErrorException>(() => Build(new Decontamination([tasks]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_finished_corpus_and_single_files_can_be_looked_through()
    {
        string tasks = Plant();
        Build(new Decontamination([tasks], Action: ContaminationAction.Count));
        foreach (string texts in (string[])["corpus", "texts"])
        {
            ContaminationFindings one = Check(1, texts), two = Check(2, texts);
            Assert.Equal(180, one.Documents);
            Assert.Equal([("a", 31L, 1L, 12L), ("b", 30L, 0L, 12L)], one.Tasks.Select(task => (task.Task, task.Items, task.NotCheckable, task.Found)));
            Assert.Equal([("de", 12L), ("el", 12L)], one.Tasks[0].Documents.Select(language => (language.Key, language.Value)));
            Assert.Equal(one.Tasks[0].Examples, two.Tasks[0].Examples);
            Assert.Equal(2, one.Tasks[1].Examples.Count);
            Assert.Equal((Tasks.Words(0, 20).ToUpperInvariant()[..200], 8, 8), (one.Tasks[0].Examples[0].Passage, one.Tasks[0].Examples[0].Found, one.Tasks[0].Examples[0].Of));
        }

        ContaminationFindings Check(int workers, string texts) =>
            ContaminationCheck.Run([_folder[texts]], new Decontamination([tasks]), 2, new LocalLauncher(workers), cancellation: TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Items_drawn_from_real_documents_are_found_in_them()
    {
        string file = Path.Combine(SharedData.Corpus, "mt.jsonl.gz");
        Assert.SkipUnless(File.Exists(file), "needs the shared texts");
        List<Document> documents = Read(file, 400);
        string items = string.Concat(documents.Take(100).Select((document, i) => Middle(document.Text) is { } middle ? Tasks.Item($"{i}", middle) : ""));
        string tasks = _folder.Write("drawn.jsonl", items);
        TaskIndex index = new Decontamination([tasks]).Index;
        Assert.InRange(index.Items.Count, 30, 100);
        foreach (IndexedItem item in index.Items.Where(item => item.Ngrams > 0))
        {
            string text = UnicodeNormalization.Normalize(documents[int.Parse(item.Id.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)].Text)!;
            Assert.Contains(TextContamination.Of(index, text, 1, null)!.Items, found => index.Items[found.Item] == item);
        }
    }

    private static string? Middle(string text)
    {
        string[] words = text.Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length < 90 ? null : string.Join(' ', words[30..70]);
    }

    private static List<Document> Read(string file, int most) =>
        [.. Corpus.Readers.CorpusInput.Open(new CorpusConfig(file, ["mt"], []), PhysicalFileSystem.Instance).Units.SelectMany(unit => unit.Read(PhysicalFileSystem.Instance, _ => { })).Take(most)];
}
