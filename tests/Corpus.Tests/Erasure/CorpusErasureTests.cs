using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Erasure;
using OpenEuroLLM.Corpus.Reporting;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Tests.Erasure;

public sealed class CorpusErasureTests : IDisposable
{
    private const int Made = 60;
    private static readonly ILauncher Two = new LocalLauncher(2);
    private readonly TemporaryFolder _folder = new();

    public CorpusErasureTests()
    {
        var source = new StringBuilder();
        for (int i = 0; i < Made; i++)
        {
            string language = i % 3 == 0 ? "fi" : "en";
            string text = string.Create(CultureInfo.InvariantCulture, $"Document number {i} tells a story of person {i * 7919 % 1000}, who lived in house {i * 31 % 97} and liked to read about {i * 13} things.");
            source.Append(Encoding.UTF8.GetString(new Document($"doc-{i}", text, language, "letters", "CC0-1.0", $"https://www.host{i % 5}.eu/page-{i}").ToJsonLine())).Append('\n');
        }
        _folder.Write("source.jsonl", source.ToString());
        Build("run/corpus");
        IEnumerable<TrainingText> texts = Documents("run/corpus").Select(document => new TrainingText(Encoding.UTF8.GetBytes(document.Text), document.Lang));
        TokenizerStage.Run(texts, new BpeTrainerConfig(400), _folder["run/tokenizer"], "", folder => folder.AddInputDirectory(_folder["run/corpus"]), Two, cancellation: Cancellation);
        Tokenize("run/corpus", "run/tokens");
        Model("run/training", "training", "run/tokens", "run/tokenizer");
        Model("run/model", "model", "run/training");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The machine's own files, without waiting for the disk.</summary>
    private static FailingSteps Unsynchronized => new(int.MaxValue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Manifest Build(string name, string? tombstones = null) => CorpusStage.Run(
        new CorpusConfig(_folder["source.jsonl"], ["en", "fi"], [new UnicodeNormalization(), new ExactDuplicates()], HeldOutShare: 0.2, ShardBytes: 2000, SamplesKept: 5, Tombstones: tombstones),
        _folder[name], Two, fileSystem: Unsynchronized, cancellation: Cancellation);

    private Manifest Tokenize(string corpus, string name) => TokenizeStage.Run(_folder[corpus], _folder["run/tokenizer"], _folder[name], Two, fileSystem: Unsynchronized, cancellation: Cancellation);

    /// <summary>A folder with the manifest of a later stage.</summary>
    private void Model(string name, string stage, params string[] inputs)
    {
        using AtomicDirectory output = AtomicDirectory.Create(_folder[name], stage, [], Unsynchronized);
        File.WriteAllText(Path.Combine(output.Path, "weights"), stage);
        foreach (string input in inputs) output.AddInputDirectory(_folder[input]);
        output.Commit();
    }

    private List<Document> Documents(string corpus, string side = "*") => [.. Directory.GetFiles(_folder[corpus], "*.jsonl", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(Path.GetDirectoryName(file)) is "train" or "heldout" && (side == "*" || Path.GetFileName(Path.GetDirectoryName(file)) == side)).Order(StringComparer.Ordinal)
        .SelectMany(file => File.ReadAllLines(file).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), file)))];

    private ErasureReport Forget(ErasureRequest request, IFileSystem? files = null, params string[] tokens) =>
        CorpusErasure.Run(_folder["run/corpus"], request, null, [.. tokens.Select(name => _folder[name])], [], Two, files ?? Unsynchronized, cancellation: Cancellation);

    private ErasureRequest Ids(params IEnumerable<string> ids) => new(Ids: _folder.Write("ids.txt", string.Join('\n', ids) + "\n"));

    private static IEnumerable<string> ToForget => Enumerable.Range(0, Made).Where(number => number % 4 == 1).Select(number => $"doc-{number}");

    private static void AssertVerified(string folder) => Assert.Null(ManifestVerifier.Verify(folder).Problem);

    [Fact]
    public void Documents_leave_every_file_and_every_count_and_the_rest_stays_byte_for_byte()
    {
        List<Document> before = Documents("run/corpus");
        Manifest old = Manifest.Read(PhysicalFileSystem.Instance, _folder["run/corpus"]);
        ErasureReport report = Forget(Ids(ToForget));
        Assert.Equal(15, report.Documents);
        Assert.Empty(report.NotFound);
        HashSet<string> gone = [.. ToForget];
        Assert.Equal(before.Where(document => !gone.Contains(document.Id)).Select(document => document.Text), Documents("run/corpus").Select(document => document.Text));
        string everything = string.Concat(Directory.GetFiles(_folder["run/corpus"], "*", SearchOption.AllDirectories).Select(File.ReadAllText));
        foreach (string id in gone) Assert.DoesNotContain($"\"{id}\"", everything, StringComparison.Ordinal);
        Manifest manifest = Manifest.Read(PhysicalFileSystem.Instance, _folder["run/corpus"]);
        Assert.Equal([old.Sha256()], manifest.Replaces!);
        CorpusFunnel funnel = CorpusFunnel.Of(manifest);
        Assert.Empty(funnel.Problems);
        Assert.Equal(Documents("run/corpus", "train").Count, funnel.Together.Train.Documents);
        Assert.Equal(Documents("run/corpus", "heldout").Count, funnel.Together.HeldOut.Documents);
        Assert.Equal(15, CorpusReport.Together(funnel).Dropped["erasure: forgotten"]);
        Assert.Equal(Documents("run/corpus", "train").Count, File.ReadAllLines(_folder["run/corpus/domains.tsv"]).Sum(line => long.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Token_shards_become_what_tokenizing_the_new_corpus_gives()
    {
        ErasureReport report = Forget(Ids(ToForget));
        Assert.Equal(["corpus", "tokens"], report.Erased.Select(folder => folder.Stage));
        Assert.All(report.Erased, folder => Assert.Equal(15, folder.Documents));
        Manifest again = Tokenize("run/corpus", "again"), tokens = Manifest.Read(PhysicalFileSystem.Instance, _folder["run/tokens"]);
        Assert.Equal(again.Outputs, tokens.Outputs);
        Assert.Equal(again.Counts, tokens.Counts);
        Assert.Equal(again.Inputs.Select(input => input.Sha256).Order(StringComparer.Ordinal), tokens.Inputs.Select(input => input.Sha256).Order(StringComparer.Ordinal));
        using TokenShard shard = TokenShard.Open(_folder["run/tokens/train"]);
        Assert.Equal(Documents("run/corpus", "train").Count, shard.Documents);
        Assert.Equal(shard.Tokens, tokens.Counts.Where(count => count.Reason == "train").Sum(count => count.Tokens));
        Assert.Equal(tokens.Sha256(), Tokenize("run/corpus", "run/tokens").Sha256());   // the stage takes them for finished
    }

    [Fact]
    public void Everything_made_from_them_is_listed_and_the_whole_run_still_verifies()
    {
        AssertVerified(_folder["run"]);
        ErasureReport report = Forget(Ids("doc-1", "letters\tdoc-2"));
        Assert.Equal(["model", "tokenizer", "tokens", "training"], report.Affected.Select(folder => folder.Stage).Order(StringComparer.Ordinal));
        Assert.All(report.Affected, folder => Assert.Equal(Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(folder.Folder, "manifest.json")), folder.ManifestSha256));
        VerifyReport verified = ManifestVerifier.Verify(_folder["run/model"]);
        Assert.Null(verified.Problem);
        Assert.Equal(2, verified.Replaced);
        foreach (string name in (string[])["corpus", "tokens", "tokenizer", "training", "model"]) AssertVerified(_folder["run/" + name]);
        Forget(Ids("doc-5"));   // and after another one
        AssertVerified(_folder["run/model"]);
        Assert.Equal(2, Manifest.Read(PhysicalFileSystem.Instance, _folder["run/tokens"]).Replaces!.Count);
    }

    [Fact]
    public void A_file_changed_by_somebody_else_is_no_successor()
    {
        Forget(Ids("doc-1"));
        string tokens = _folder["run/tokens/train.bin"];
        byte[] bytes = File.ReadAllBytes(tokens);
        bytes[3] ^= 1;
        File.WriteAllBytes(tokens, bytes);
        Assert.Contains("train.bin", ManifestVerifier.Verify(_folder["run/model"]).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Tombstones_keep_documents_out_when_the_corpus_is_built_again()
    {
        List<Document> all = Documents("run/corpus");
        Document text = all.First(document => document.Id == "doc-8");
        string urls = _folder.Write("urls.txt", "http://host1.eu/page-6/?utm_source=x#top\n"), texts = _folder.Write("text.txt", "  " + text.Text.Replace(' ', '\n') + "\n");
        ErasureReport report = Forget(new ErasureRequest(Ids("doc-1", "letters\tdoc-2", "other\tdoc-3").Ids, urls, texts));
        Assert.Equal(4, report.Documents);
        Assert.Contains("'doc-3' of 'other'", Assert.Single(report.NotFound), StringComparison.Ordinal);
        Manifest again = Build("again", _folder["run/tombstones.jsonl"]);
        Assert.Equal(["doc-1", "doc-2", "doc-6", "doc-8"], all.Select(document => document.Id).Except(Documents("again").Select(document => document.Id)).Order(StringComparer.Ordinal));
        Assert.Equal(4, again.Counts.Where(count => count.Step == "erasure").Sum(count => count.Documents));
        Assert.Empty(CorpusFunnel.Of(again).Problems);
        string samples = File.ReadAllText(_folder["again/samples.jsonl"]);
        foreach (string id in (string[])["doc-1", "doc-2", "doc-6", "doc-8"]) Assert.DoesNotContain($"\"{id}\"", samples, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_a_step_makes_into_a_forgotten_one_is_kept_out_too()
    {
        Forget(new ErasureRequest(Text: _folder.Write("text.jsonl", """{"text":"Kept short by the step, and forgotten"}""")));
        _folder.Write("source.jsonl", Encoding.UTF8.GetString(new Document("new", "Kept short by\u00AD the step,\u200B and forgotten", "en", "s", "CC0-1.0").ToJsonLine()) + "\n"
            + Encoding.UTF8.GetString(new Document("other", "Another text", "en", "s", "CC0-1.0").ToJsonLine()) + "\n");
        Build("again", _folder["run/tombstones.jsonl"]);
        Assert.Equal(["other"], Documents("again").Select(document => document.Id));
    }

    [Fact]
    public void The_tombstones_say_nothing_and_only_their_owner_reads_the_key()
    {
        Forget(Ids("doc-1"));
        string list = File.ReadAllText(_folder["run/tombstones.jsonl"]), log = File.ReadAllText(_folder["run/erasures.jsonl"]);
        Assert.DoesNotContain("doc-1", list + log, StringComparison.Ordinal);
        Assert.DoesNotContain(Manifest.Hash("doc-1"u8)[..32], list, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["run/tombstones.jsonl.key"]));
        JsonNode[] events = [.. log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(["taken", "done"], events.Select(entry => (string)entry["event"]!));
        Assert.Equal(1, (int)events[1]["documents"]!);
        File.WriteAllText(_folder["run/tombstones.jsonl.key"], new string('0', 64));
        Assert.Contains("another key", Assert.Throws<UserErrorException>(() => Build("again", _folder["run/tombstones.jsonl"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doc-1\na\tb\tc\n", "ids.txt:2")]
    [InlineData("doc-1\n\tdoc\n", "ids.txt:2")]
    [InlineData("\n", "names nothing")]
    public void A_line_that_means_nothing_is_named_and_nothing_is_changed(string lines, string expected)
    {
        var before = TemporaryFolder.Contents(_folder["run"]);
        var request = new ErasureRequest(Ids: _folder.Write("ids.txt", lines));
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Forget(request)).Message, StringComparison.Ordinal);
        Assert.Contains("bad.txt:1", Assert.Throws<UserErrorException>(() => Forget(new ErasureRequest(Urls: _folder.Write("bad.txt", "mailto:a@b.eu\n")))).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["latin.txt"], [0x64, 0xE9, 0x0A]);
        Assert.Contains("latin.txt:1: is not UTF-8", Assert.Throws<UserErrorException>(() => Forget(new ErasureRequest(Ids: _folder["latin.txt"]))).Message, StringComparison.Ordinal);
        Assert.Equal(before, TemporaryFolder.Contents(_folder["run"]));
    }

    [Fact]
    public void A_request_already_done_and_one_of_nothing_change_nothing_and_are_told_apart()
    {
        Forget(Ids("doc-1"));
        var before = TemporaryFolder.Contents(_folder["run/corpus"]);
        ErasureReport again = Forget(Ids("doc-1", "nobody"));
        Assert.Equal((0, 2), (again.Documents, again.Tombstones));
        Assert.Contains("'nobody'", Assert.Single(again.NotFound), StringComparison.Ordinal);
        Assert.Empty(again.Erased);
        Assert.Equal(before, TemporaryFolder.Contents(_folder["run/corpus"]));
    }

    [Fact]
    public void The_tombstones_of_one_corpus_are_applied_to_another()
    {
        Build("other/corpus");
        Forget(Ids(ToForget));
        ErasureReport report = CorpusErasure.Run(_folder["other/corpus"], new ErasureRequest(), _folder["run/tombstones.jsonl"], [], [], Two, cancellation: Cancellation);
        Assert.Equal(15, report.Documents);
        AssertVerified(_folder["other/corpus"]);
    }

    [Fact]
    public void Tokens_of_another_corpus_are_refused()
    {
        CorpusStage.Run(new CorpusConfig(_folder["source.jsonl"], ["en"], Seed: 7), _folder["other/corpus"], Two, cancellation: Cancellation);
        Tokenize("other/corpus", "other/tokens");
        Assert.Contains("was not made from", Assert.Throws<UserErrorException>(() => Forget(Ids("doc-1"), null, "other/tokens")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["run/tombstones.jsonl"]));
    }

    [Fact]
    public void A_damaged_file_does_not_become_a_sound_one()
    {
        string shard = Directory.GetFiles(_folder["run/corpus/train"], "fi-*").Order(StringComparer.Ordinal).First(), content = File.ReadAllText(shard);
        File.WriteAllText(shard, content.Replace("story", "glory", StringComparison.Ordinal));
        Assert.Contains("is not the file that the manifest names", Assert.Throws<UserErrorException>(() => Forget(Ids("doc-1"))).Message, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetDirectories(_folder["run"]).Count(folder => Path.GetFileName(folder) is "corpus" or "tokens" or "tokenizer"));
        Assert.DoesNotContain(Directory.GetDirectories(_folder["run"]), folder => folder.Contains(".partial-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_process_gone_at_any_operation_leaves_each_folder_old_or_new_and_the_next_call_ends_the_work(bool exchanges)
    {
        ErasureRequest request = Ids(ToForget);
        var old = Both();
        Directory.Move(_folder["run"], _folder["kept"]);
        SortedDictionary<string, string>? done = null;
        bool alive = false;
        int mixed = 0;
        for (int operation = 0; !alive; operation++)
        {
            Copy(_folder["kept"], _folder["run"]);
            var files = new FailingSteps(operation, exchanges);
            try
            {
                Forget(request, files);
                alive = true;
            }
            catch (UserErrorException) when (files.IsDead)
            {
            }
            if (done is null) Learn();
            if (exchanges)
            {
                var now = Both();
                bool corpusIsNew = Same(now, done!, "corpus"), tokensAreNew = Same(now, done!, "tokens");
                Assert.True(corpusIsNew || Same(now, old, "corpus"), $"operation {operation}: the corpus is neither old nor new");
                Assert.True(tokensAreNew || Same(now, old, "tokens"), $"operation {operation}: the tokens are neither old nor new");
                Assert.True(corpusIsNew || !tokensAreNew);
                if (corpusIsNew && !tokensAreNew) mixed++;
                AssertVerified(_folder["run/model"]);   // and all it was made from
            }
            bool recorded = File.Exists(_folder["run/erasures.jsonl"]) && File.ReadAllText(_folder["run/erasures.jsonl"]).Contains("\"done\"", StringComparison.Ordinal);
            Assert.Equal(recorded ? 0 : 15, Forget(request).Documents);
            Assert.Equal(done, Both());
            Assert.Equal(["corpus", "model", "tokenizer", "tokens", "training"], Directory.GetDirectories(_folder["run"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            AssertVerified(_folder["run/model"]);
            Directory.Delete(_folder["run"], recursive: true);
        }
        Assert.True(!exchanges || mixed > 0);
        Directory.Move(_folder["kept"], _folder["run"]);

        SortedDictionary<string, string> Both()
        {
            var contents = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string name in (string[])["corpus", "tokens"])
                if (Directory.Exists(_folder["run/" + name]))
                    foreach ((string file, string hash) in TemporaryFolder.Contents(_folder["run/" + name])) contents[$"{name}/{file}"] = hash;
            return contents;
        }

        // The new tokens are the same in every run: nothing in them depends on the time or the key.
        void Learn()
        {
            string run = _folder["run"], aside = _folder["aside"];
            Directory.Move(run, aside);
            Copy(_folder["kept"], run);
            Forget(request);
            done = Both();
            Directory.Delete(run, recursive: true);
            Directory.Move(aside, run);
        }

        static bool Same(SortedDictionary<string, string> first, SortedDictionary<string, string> second, string name) =>
            first.Where(file => file.Key.StartsWith(name + "/", StringComparison.Ordinal)).SequenceEqual(second.Where(file => file.Key.StartsWith(name + "/", StringComparison.Ordinal)));
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
