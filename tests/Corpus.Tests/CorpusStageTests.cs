using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Tests;

public sealed class CorpusStageTests : IDisposable
{
    private static readonly ILauncher One = new LocalLauncher(1), Three = new LocalLauncher(3);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Manifest Build(
        CorpusConfig config, string target, ILauncher launcher, IProgress<CorpusProgress>? progress = null, IFileSystem? fileSystem = null) =>
        CorpusStage.Run(config, target, launcher, progress, fileSystem, cancellation: TestContext.Current.CancellationToken);

    private static string Line(string id, string text, string language = "en", string source = "s") =>
        Encoding.UTF8.GetString(new Document(id, text, language, source, "CC0-1.0").ToJsonLine()) + "\n";

    /// <summary>Several files of several languages with everything that a step may find.</summary>
    private CorpusConfig Texts()
    {
        var random = new CounterRandom(3, 0);
        for (int file = 0; file < 5; file++)
        {
            var lines = new StringBuilder();
            for (int i = 0; i < 60; i++)
            {
                uint number = random.Below((ulong)(100 * file + i), 150);   // so that texts repeat within and across files
                string language = (number % 3) switch { 0 => "en", 1 => "de", _ => "bg" };
                string text = number switch
                {
                    < 5 => "short",
                    < 10 => $"1234567890 {number}",
                    < 20 => $"de\u0301compose\u0301 {number} text",
                    < 30 => $"Текст на кирилица {number}",
                    _ => $"A text of ordinary length, with the number {number}.",
                };
                lines.Append(Line($"{file}-{i}", text, number == 42 ? "uk" : language, number % 2 == 0 ? "even" : "odd"));
            }
            _folder.Write($"texts/{file}.jsonl", lines.ToString());
        }
        _folder.Write("texts/README.md", "no text");
        return new CorpusConfig(_folder["texts"], HeldOutShare: 0.1);
    }

    private static List<Document> Documents(string folder) => [.. Directory.GetFiles(folder, "*.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .SelectMany(file => File.ReadAllLines(file).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), file)))];

    [Fact]
    public void One_and_three_workers_write_the_same_bytes()
    {
        CorpusConfig config = Texts();
        Build(config, _folder["one"], One);
        Build(config, _folder["three"], Three);
        Assert.Equal(TemporaryFolder.Contents(_folder["one"]), TemporaryFolder.Contents(_folder["three"]));
        Assert.False(Directory.Exists(_folder["one.work"]));
        Assert.Null(ManifestVerifier.Verify(_folder["one"]).Problem);
    }

    [Fact]
    public void The_sample_is_the_same_with_any_number_of_workers_and_carries_its_examination()
    {
        var config = new CorpusConfig(Languages: ["en", "el", "ga"]);
        Manifest one = Build(config, _folder["one"], One);
        Manifest three = Build(config, _folder["three"], Three);
        Assert.Equal(one.Sha256(), three.Sha256());
        Assert.Equal(["examination.jsonl", "heldout/el.jsonl", "heldout/en.jsonl", "heldout/ga.jsonl", "samples.jsonl", "train/el-00000.jsonl", "train/en-00000.jsonl", "train/ga-00000.jsonl"], one.Outputs.Select(file => file.Path));
        Assert.Equal(one.Outputs.Single(file => file.Path == CorpusStage.ExaminationFile).Sha256, (string?)one.Settings["examination"]!["sha256"]);
        Assert.All(CorpusReport.Of(one), row => Assert.Equal(new SampleConfig().HeldOutDocuments, row.HeldOut));
        Assert.All(CorpusReport.Of(one), row => Assert.Equal(row.Read, row.Train + row.HeldOut));   // no step drops a sentence of the sample
    }

    [Fact]
    public void Every_document_read_is_counted_once_more_with_its_reason()
    {
        Manifest manifest = Build(Texts(), _folder["out"], Three);
        IReadOnlyList<LanguageFunnel> rows = CorpusReport.Of(manifest);
        Assert.Equal(300, rows.Sum(row => row.Read));
        Assert.All(rows, row => Assert.Equal(row.Read, row.Train + row.HeldOut + row.Dropped.Values.Sum()));
        Assert.Equal(
            ["exact-duplicates: duplicate", "languages: not-asked-for", "length: too-short", "script: no-letters", "script: other-script"],
            rows.SelectMany(row => row.Dropped.Keys).Distinct().Order(StringComparer.Ordinal));
        Assert.Contains(manifest.Counts, count => count.Reason == "changed" && count.Step == "unicode-normalization");
        Assert.Contains(manifest.Counts, count => count is { Step: "source", Reason: "other-file", Documents: 1 });
        Assert.All(manifest.Counts.Where(count => count.Step == "split"), count => Assert.True(count.Source is "even" or "odd" && count.License == "CC0-1.0"));
        List<Document> train = Documents(_folder["out/train"]), heldOut = Documents(_folder["out/heldout"]);
        Assert.Equal((rows.Sum(row => row.Train), rows.Sum(row => row.HeldOut)), (train.Count, heldOut.Count));
        Assert.Equal(rows.Sum(row => row.TrainBytes), train.Sum(document => Encoding.UTF8.GetByteCount(document.Text)));
    }

    [Fact]
    public void A_text_is_never_on_both_sides()
    {
        CorpusConfig config = Texts() with { Steps = [], HeldOutShare = 0.3 };   // duplicates stay, also across languages
        _folder.Write("texts/x.jsonl", string.Concat(Enumerable.Range(0, 40).SelectMany(i => new[] { Line($"x{i}", $"Same text {i}", "sv"), Line($"y{i}", $"Same text {i}", "da") })));
        Build(config, _folder["out"], Three);
        var train = Documents(_folder["out/train"]).Select(document => document.Text).ToHashSet();
        List<string> heldOut = [.. Documents(_folder["out/heldout"]).Select(document => document.Text)];
        Assert.NotEmpty(heldOut);
        Assert.DoesNotContain(heldOut, train.Contains);
    }

    [Fact]
    public void The_split_follows_the_text_and_the_seed_and_not_the_order()
    {
        CorpusConfig config = new(_folder["texts"], HeldOutShare: 0.2);
        string[] lines = [.. Enumerable.Range(0, 50).Select(i => Line($"{i}", $"A text that has the number {i}"))];
        _folder.Write("texts/a.jsonl", string.Concat(lines));
        Build(config, _folder["forward"], One);
        _folder.Write("texts/a.jsonl", string.Concat(lines.Reverse()));
        Build(config, _folder["backward"], One);
        Build(config with { Seed = 2 }, _folder["seed"], One);
        HashSet<string> HeldOut(string name) => [.. Documents(_folder[name + "/heldout"]).Select(document => document.Id)];
        Assert.Equal(10, HeldOut("forward").Count);
        Assert.True(HeldOut("forward").SetEquals(HeldOut("backward")));
        Assert.False(HeldOut("forward").SetEquals(HeldOut("seed")));
    }

    [Fact]
    public void A_language_gets_no_more_text_than_it_may_have()
    {
        _folder.Write("texts/a.jsonl", string.Concat(Enumerable.Range(100, 100).Select(i => Line($"{i}", $"Ten bytes: {i}"))));
        Manifest manifest = Build(new CorpusConfig(_folder["texts"], HeldOutShare: 0, BytesPerLanguage: 150), _folder["out"], One);
        LanguageFunnel row = Assert.Single(CorpusReport.Of(manifest));
        Assert.Equal((10, 140, 90), (row.Train, row.TrainBytes, row.Dropped["split: over-budget"]));
        Assert.Equal(Enumerable.Range(100, 10).Select(i => $"{i}"), Documents(_folder["out/train"]).Select(document => document.Id));
    }

    [Fact]
    public void A_mix_takes_part_of_one_language_and_repeats_another()
    {
        string tokenizer = Tokenizer();
        _folder.Write("texts/a.jsonl", string.Concat(Enumerable.Range(0, 200).Select(i => Line($"e{i}", $"This is the sentence with the number {i} in English."))));
        _folder.Write("texts/b.jsonl", string.Concat(Enumerable.Range(0, 20).Select(i => Line($"m{i}", $"Din hija s-sentenza bin-numru {i} bil-Malti.", "mt"))));
        CorpusConfig config = new(_folder["texts"], HeldOutShare: 0.1, Tokenizer: tokenizer, UnitBytes: 5_000);
        Manifest all = Build(config, _folder["all"], One);
        long Tokens(Manifest manifest, string language, params string[] reasons) => manifest.Counts
            .Where(count => count.Language == language && count.Step == "split" && reasons.Contains(count.Reason)).Sum(count => count.Tokens);
        long english = Tokens(all, "en", "train"), maltese = Tokens(all, "mt", "train");
        Assert.True(english > 4 * maltese && maltese > 0);

        long wanted = 5 * maltese;
        config = config with { Mixing = new Mixing(Tokens: wanted, Temperature: 1000, MostPasses: 2.5) };
        Manifest mixed = Build(config, _folder["mixed"], Three);
        Assert.InRange(Tokens(mixed, "mt", "train", "repeated"), 2.5 * maltese - 60, 2.5 * maltese);
        Assert.Equal(maltese, Tokens(mixed, "mt", "train"));
        Assert.InRange(Tokens(mixed, "en", "train"), 2.5 * maltese - 60, 2.5 * maltese);
        Assert.Equal(english, Tokens(mixed, "en", "train", "over-budget"));
        var lines = Documents(_folder["mixed/train"]).Where(document => document.Lang == "mt").GroupBy(document => document.Id).Select(copies => copies.Count()).ToList();
        Assert.Equal(18, lines.Count);
        Assert.All(lines, copies => Assert.InRange(copies, 2, 3));
        Assert.Equal(TemporaryFolder.Contents(_folder["all/heldout"]), TemporaryFolder.Contents(_folder["mixed/heldout"]));
        Build(config with { UnitBytes = 100_000 }, _folder["units"], One);
        Assert.Equal(TemporaryFolder.Contents(_folder["units/train"]), TemporaryFolder.Contents(_folder["mixed/train"]));

        Manifest short_ = Build(config with { Mixing = new Mixing(Tokens: english * 100) }, _folder["short"], One);
        Assert.Equal(english * 100 - english - maltese, short_.Counts.Single(count => count.Reason == "missing").Tokens);
        Assert.Contains("corpus.tokenizer is not set", Assert.Throws<UserErrorException>(() => Build(config with { Tokenizer = null }, _folder["no"], One)).Message, StringComparison.Ordinal);
    }

    private string Tokenizer()
    {
        IEnumerable<TrainingText> texts = Enumerable.Range(1_000, 500).Select(i => new TrainingText(Encoding.UTF8.GetBytes($"{i * i}"), "en"));
        _folder.Write("texts.txt", "the texts above");
        TokenizerStage.Run(texts, new BpeTrainerConfig(300), _folder["tokenizer"], "", folder => folder.AddInputFile(_folder["texts.txt"], "texts.txt"), One, cancellation: TestContext.Current.CancellationToken);
        return _folder["tokenizer"];
    }

    [Fact]
    public void A_corpus_inside_the_folder_that_is_read_is_refused() =>
        Assert.Contains("lies in the folder that is read", Assert.Throws<UserErrorException>(() => Build(Texts(), _folder["texts/out"], One)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_training_file_is_closed_when_it_has_its_size()
    {
        _folder.Write("texts/a.jsonl", string.Concat(Enumerable.Range(100, 9).Select(i => Line($"{i}", $"Ten bytes: {i}"))));
        Build(new CorpusConfig(_folder["texts"], HeldOutShare: 0, ShardBytes: 200), _folder["out"], One);
        Assert.Equal(["en-00000.jsonl", "en-00001.jsonl", "en-00002.jsonl"], Directory.GetFiles(_folder["out/train"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(Enumerable.Range(100, 9).Select(i => $"{i}"), Documents(_folder["out/train"]).Select(document => document.Id));
    }

    [Fact]
    public void A_macro_code_becomes_the_canonical_one()
    {
        _folder.Write("texts/a.jsonl", Line("1", "Hei på deg, verden", "no") + Line("2", "Hei verden igjen", "nb"));
        Manifest manifest = Build(new CorpusConfig(_folder["texts"], ["no"], HeldOutShare: 0), _folder["out"], One);
        Assert.Equal(["nb"], manifest.Settings["languages"]!.AsArray().Select(code => (string?)code));
        Assert.Equal(2, Assert.Single(CorpusReport.Of(manifest)).Train);
    }

    [Fact]
    public void An_interrupted_build_goes_on_and_ends_with_the_same_bytes()
    {
        CorpusConfig config = Texts();
        Build(config, _folder["whole"], One);
        var interrupted = new FailingFiles();
        int cut = 0;
        while (true)
        {
            interrupted.WritesLeft = 12 + 3 * cut;   // a few files further each time
            try
            {
                Build(config, _folder["parts"], Three, fileSystem: interrupted);
                break;
            }
            catch (UserErrorException error)
            {
                Assert.Contains("the disk is full", error.Message, StringComparison.Ordinal);
                Assert.True(++cut < 100, "no progress between the interruptions");
                Assert.False(Directory.Exists(_folder["parts"]));
            }
        }
        Assert.True(cut > 2);
        Assert.Equal(TemporaryFolder.Contents(_folder["whole"]), TemporaryFolder.Contents(_folder["parts"]));
    }

    [Fact]
    public void Finished_work_is_not_done_again()
    {
        CorpusConfig config = Texts();
        _folder.Write("texts/9.jsonl", "no json");
        Assert.Throws<UserErrorException>(() => Build(config, _folder["out"], One));
        string[] markers = Directory.GetFiles(_folder["out.work"], "done.json", SearchOption.AllDirectories);
        Assert.Equal(5, markers.Length);
        var times = markers.ToDictionary(marker => marker, File.GetLastWriteTimeUtc);
        _folder.Write("texts/9.jsonl", Line("9", "now it is a document"));
        var kept = new List<string>();
        Build(config, _folder["out"], One, fileSystem: new FailingFiles { OnCreate = path => kept.Add(path) });
        Assert.DoesNotContain(kept, path => path.Contains("0-00000", StringComparison.Ordinal) || path.Contains("0-00004", StringComparison.Ordinal));
        Assert.Contains(kept, path => path.Contains("0-00005", StringComparison.Ordinal));
    }

    [Fact]
    public void A_finished_folder_stays_and_other_settings_need_another()
    {
        CorpusConfig config = Texts();
        Manifest first = Build(config, _folder["out"], One);
        DateTime written = File.GetLastWriteTimeUtc(_folder["out/manifest.json"]);
        Assert.Equal(first.Sha256(), Build(config, _folder["out"], Three).Sha256());
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder["out/manifest.json"]));
        string message = Assert.Throws<UserErrorException>(() => Build(config with { Seed = 9 }, _folder["out"], One)).Message;
        Assert.Contains("of other settings or texts", message, StringComparison.Ordinal);
        _folder.Write("texts/0.jsonl", Line("0", "an input has changed"));
        Assert.Throws<UserErrorException>(() => Build(config, _folder["out"], One));
    }

    [Fact]
    public void Tasks_together_make_what_one_process_makes()
    {
        CorpusConfig config = Texts() with { Steps = [new UnicodeNormalization(), new ExactDuplicates(), new LengthFilter(), new NearDuplicates(), new ScriptFilter()] };
        Build(config, _folder["whole"], One);
        var finished = new List<Manifest>();
        int rounds = 0;
        for (; finished.Count == 0; rounds++)
        {
            Assert.True(rounds < 10, "the tasks make no progress");
            int tasks = 3 + rounds % 2;   // their number may change
            for (int task = 1; task <= tasks && finished.Count == 0; task++)
            {
                CorpusTaskOutcome outcome = CorpusStage.RunTask(config, _folder["tasks"], new CorpusTask(task, tasks), One, cancellation: TestContext.Current.CancellationToken);
                if (outcome.Manifest is { } manifest) finished.Add(manifest);
                else Assert.True(outcome.Done < outcome.Pieces && outcome.Part < outcome.Parts);
                Assert.Equal(outcome.Manifest is not null, Directory.Exists(_folder["tasks"]));
            }
        }
        Assert.InRange(rounds, 2, 5);
        Assert.Equal(TemporaryFolder.Contents(_folder["whole"]), TemporaryFolder.Contents(_folder["tasks"]));
        Assert.False(Directory.Exists(_folder["tasks.work"]));
        Assert.NotNull(CorpusStage.RunTask(config, _folder["tasks"], new CorpusTask(2, 3), One, cancellation: TestContext.Current.CancellationToken).Manifest);
    }

    [Fact]
    public async Task Tasks_at_the_same_time_finish_once()
    {
        CorpusConfig config = Texts();
        Build(config, _folder["whole"], One);
        for (int round = 0; !Directory.Exists(_folder["tasks"]); round++)
        {
            Assert.True(round < 10, "the tasks make no progress");
            await Task.WhenAll(Enumerable.Range(1, 4).Select(task => Task.Run(() => CorpusStage.RunTask(config, _folder["tasks"], new CorpusTask(task, 4), One))));
        }
        Assert.Equal(TemporaryFolder.Contents(_folder["whole"]), TemporaryFolder.Contents(_folder["tasks"]));
    }

    [Theory]
    [InlineData("0/3")]
    [InlineData("4/3")]
    [InlineData("1")]
    [InlineData("1/x")]
    [InlineData("-1/3")]
    public void A_share_that_is_none_is_refused(string text) =>
        Assert.Contains($"--task '{text}'", Assert.Throws<UserErrorException>(() => CorpusTask.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_document_on_which_a_step_fails_is_counted_and_the_rest_goes_on()
    {
        var phase = new Phase(0, null, [new FailsOnBad()], null, 0);
        var context = new BuildContext(PhysicalFileSystem.Instance, new HashSet<string> { "en" }, null, 3, 1, "test");
        Document[] documents = [new("1", "good", "en", "s", "l"), new("2", "bad", "en", "s", "l"), new("3", "good too", "en", "s", "l")];
        WorkUnit unit = phase.Run(context, _folder["unit"], "key", _ => documents.Select(document => new PassingDocument(document, Side.ByHash)), null);
        Assert.Equal(["1", "3"], File.ReadAllLines(unit.Lines("en")).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), "unit").Id));
        Assert.Contains(unit.Counts, count => count is { Step: nameof(FailsOnBad), Reason: "failed", Documents: 1, Bytes: 3, Language: "en" });
        Assert.Contains("document '2' of 's'", File.ReadAllText(_folder["unit/skipped.jsonl"]), StringComparison.Ordinal);
        Assert.Contains("FailsOnBad: FormatException: no good", File.ReadAllText(_folder["unit/skipped.jsonl"]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_step_records_of_a_document_stands_in_the_ledger_and_is_counted_beside()
    {
        var phase = new Phase(0, null, [new FindsNumbers()], null, 0);
        var context = new BuildContext(PhysicalFileSystem.Instance, new HashSet<string> { "en" }, null, 3, 1, "test");
        Document[] documents = [new("1", "no number", "en", "s", "l"), new("2", "number 7", "en", "s", "l", "https://a.eu/")];
        WorkUnit unit = phase.Run(context, _folder["unit"], "key", _ => documents.Select(document => new PassingDocument(document, Side.ByHash)), null);
        var line = System.Text.Json.Nodes.JsonNode.Parse(Assert.Single(File.ReadAllLines(_folder["unit/ledger.jsonl"])))!;
        Assert.Equal(("FindsNumbers", "kept", "2", "https://a.eu/", "1"), ((string?)line["step"], (string?)line["outcome"], (string?)line["id"], (string?)line["url"], (string?)line["record"]!["version"]));
        Assert.Equal(Manifest.Hash("number 7"u8), (string?)line["textSha256"]);
        ManifestCount found = unit.Counts.Single(count => count.Reason == "found-number");
        Assert.Equal((1, "en", "s", false), (found.Documents, found.Language, found.Source, CorpusReport.IsEnd(found)));
    }

    private sealed record FindsNumbers : Filter
    {
        public override Verdict Judge(Document document) => document.Text.Any(char.IsDigit)
            ? Verdict.Keep.Recorded(new LedgerEntry(new System.Text.Json.Nodes.JsonObject { ["version"] = "1" }, ["number"]))
            : Verdict.Keep;
    }

    private sealed record FailsOnBad : Filter
    {
        public override Verdict Judge(Document document) => document.Text == "bad" ? throw new FormatException("no good") : Verdict.Keep;
    }

    [Fact]
    public void Each_language_balances_when_languages_are_found_out()
    {
        Assert.SkipUnless(Directory.Exists(SharedData.Corpus), "needs the open texts of ../shared/data");
        var documents = new List<string>();
        foreach (string language in (string[])["fi", "mt"])
            documents.AddRange(TextsOf(language).Take(40).Select((text, i) => Line($"{language}{i}", text, i % 3 == 0 ? "und" : i % 7 == 0 ? "en" : language)));
        _folder.Write("texts/a.jsonl", string.Concat(documents));
        Manifest manifest = Build(new CorpusConfig(_folder["texts"], ["fi", "mt"], [new LanguageIdentification(), new UnicodeNormalization(), new ExactDuplicates()]), _folder["out"], One);
        Assert.Contains(manifest.Counts, count => count is { Step: "identification", Reason: "moved-out", Language: "und" });
        foreach (var language in manifest.Counts.Where(count => count.Language is not null).GroupBy(count => count.Language))
        {
            long Sum(Func<ManifestCount, bool> wanted) => language.Where(wanted).Sum(count => count.Documents);
            Assert.Equal(
                Sum(count => count.Reason is "read" or "moved-in"), Sum(CorpusReport.IsEnd) + Sum(count => count.Reason == "moved-out"));
        }
        Assert.True(manifest.Counts.Where(count => count.Reason == "train").Sum(count => count.Documents) > 60);
    }

    private static IEnumerable<string> TextsOf(string language)
    {
        using var reader = new StreamReader(new System.IO.Compression.GZipStream(File.OpenRead(Path.Combine(SharedData.Corpus, language + ".jsonl.gz")), System.IO.Compression.CompressionMode.Decompress));
        while (reader.ReadLine() is { } line) yield return Document.Parse(Encoding.UTF8.GetBytes(line), language).Text;
    }

    [Fact]
    public void Samples_show_what_ended_where()
    {
        Manifest manifest = Build(Texts() with { SamplesKept = 2 }, _folder["out"], Three);
        var samples = File.ReadAllLines(_folder["out/samples.jsonl"]).Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!).ToList();
        foreach (var end in manifest.Counts.Where(CorpusReport.IsEnd).GroupBy(count => (count.Step, count.Reason, count.Language)))
            Assert.Equal(
                Math.Min(2, end.Sum(count => count.Documents)),
                samples.Count(sample => ((string?)sample["step"], (string?)sample["reason"], (string?)sample["language"]) == end.Key));
        Assert.All(samples, sample => Assert.Null(sample["rank"]));
    }

    [Fact]
    public void Hosts_of_training_text_are_counted_however_many()
    {
        string[] urls = ["https://www.a.eu/1", "http://A.eu/2", "https://b.eu/3", "ftp://c.eu/4"];
        _folder.Write("texts/a.jsonl", string.Concat(urls.Select((url, i) => Encoding.UTF8.GetString(new Document($"{i}", $"A text with the number {i}.", "en", "s", "l", url).ToJsonLine()) + "\n")));
        Build(new CorpusConfig(_folder["texts"], HeldOutShare: 0), _folder["out"], One);
        Assert.Equal(["en\ta.eu\t2\t50", "en\tb.eu\t1\t25"], File.ReadAllLines(_folder["out/domains.tsv"]));

        var domains = new Domains(PhysicalFileSystem.Instance, _folder.Path, "mt", hostsInMemory: 10);
        for (int i = 0; i < 1_000; i++) domains.Add($"host{i * 7 % 100}.mt", i);
        using var stream = new MemoryStream();
        domains.WriteTo(stream);
        string[] lines = Encoding.UTF8.GetString(stream.ToArray()).TrimEnd().Split('\n');
        Assert.Equal(100, lines.Length);
        Assert.Equal(lines.Order(StringComparer.Ordinal), lines);
        Assert.All(lines, line => Assert.Equal("10", line.Split('\t')[2]));
        Assert.Equal(999L * 1_000 / 2, lines.Sum(line => long.Parse(line.Split('\t')[3], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Empty(Directory.GetFiles(_folder.Path, "domains-*"));
    }

    [Fact]
    public void A_stopped_build_leaves_no_folder()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => CorpusStage.Run(Texts(), _folder["out"], One, cancellation: stop.Token));
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_build_under_way_is_not_joined_by_another()
    {
        CorpusConfig config = Texts();
        Directory.CreateDirectory(_folder["out.work"]);
        using var claim = new FileStream(_folder["out.work/claim"], FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Assert.Contains("is being built by another process", Assert.Throws<UserErrorException>(() => Build(config, _folder["out"], One)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "xx", "corpus.languages: language 'xx' is unknown")]
    [InlineData("en", "sh", "ambiguous")]
    public void An_unknown_language_is_refused(string known, string unknown, string expected) =>
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Build(new CorpusConfig(Languages: [known, unknown]), _folder["out"], One)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_language_the_sample_lacks_is_refused() =>
        Assert.Contains("The built-in sample has no text in 'uk'", Assert.Throws<UserErrorException>(() => Build(new CorpusConfig(Languages: ["uk"]), _folder["out"], One)).Message, StringComparison.Ordinal);

    [Fact]
    public void Nothing_left_is_an_error_and_leaves_nothing()
    {
        _folder.Write("texts/a.jsonl", Line("1", "short"));
        string message = Assert.Throws<UserErrorException>(() => Build(new CorpusConfig(_folder["texts"]), _folder["out"], One)).Message;
        Assert.Contains("no document is left after all steps (length: too-short 1)", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void Progress_tells_rate_and_time_left()
    {
        CorpusConfig config = Texts();
        var reports = new List<CorpusProgress>();
        Build(config, _folder["out"], One, new Listener(reports.Add));
        Assert.Equal(["cleaning, part 1 of 2", "comparing, part 1 of 1", "cleaning, part 2 of 2", "writing"], reports.Select(report => report.Phase).Distinct());
        Assert.All(reports, report => Assert.Equal((report.Total, true), (report.Done, report.PerSecond > 0)));
    }

    [Fact]
    public void Real_texts_go_through_every_step()
    {
        string shared = SharedData.Corpus;
        Assert.SkipUnless(Directory.Exists(shared), "needs the open texts of ../shared/data");
        foreach (string language in (string[])["mt", "ga"]) File.Copy(Path.Combine(shared, language + ".jsonl.gz"), _folder[language + ".jsonl.gz"]);
        Manifest manifest = Build(new CorpusConfig(_folder.Path), Path.Combine(_folder.Path, "..", Path.GetFileName(_folder.Path) + "-out"), Three);
        try
        {
            IReadOnlyList<LanguageFunnel> rows = CorpusReport.Of(manifest);
            Assert.Equal(["ga", "mt"], rows.Select(row => row.Language));
            Assert.Equal([531L, 1155L], rows.Select(row => row.Read));
            Assert.All(rows, row => Assert.True(row.Train > 0.9 * row.Read && row.HeldOut > 0));
        }
        finally
        {
            Directory.Delete(_folder.Path + "-out", recursive: true);
        }
    }

    private sealed class Listener(Action<CorpusProgress> report) : IProgress<CorpusProgress>
    {
        public void Report(CorpusProgress value) => report(value);
    }
}
