using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Training.Tests;

public sealed class TrainingTests : IClassFixture<SmallCorpus>
{
    private static readonly ModelSettings Model = new(Layers: 1, ContextLength: 16, Width: 32, Heads: 4, KeyValueHeads: 2, Hidden: 48);
    private static readonly TrainingConfig Config = new(Tokens: 12 * 128, BatchTokens: 128, MicroBatchTokens: 64, LearningRate: 0.01, CheckpointSteps: 4, EvaluateSteps: 6, Prompts: ["red and"]);

    private readonly SmallCorpus corpus;

    public TrainingTests(SmallCorpus corpus) => this.corpus = corpus;

    [Fact]
    public void An_interrupted_run_that_is_resumed_writes_the_same_bytes_as_an_undisturbed_one()
    {
        var (whole, broken) = (corpus.New(), corpus.New());
        var expected = Run(whole, Config);
        for (var at = 3; at <= 9; at += 6) Assert.ThrowsAny<OperationCanceledException>(() => Run(broken, Config, stopAfter: at));
        var actual = Run(broken, Config);
        Assert.Equal(expected.ToJsonString(), actual.ToJsonString());
        foreach (var name in new[] { "metrics.jsonl", "samples.jsonl", "recipe.jsonc", "training.json", "manifest.json", "checkpoints/step-0000012/model.safetensors", "checkpoints/step-0000012/optimizer.safetensors" })
            Assert.True(File.ReadAllBytes(Path.Combine(whole, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(broken, name))), $"{name} differs");
        Assert.True(ManifestVerifier.Verify(broken).Matches);
    }

    [Fact]
    public void Lines_that_a_killed_run_wrote_after_its_checkpoint_are_cut_and_the_abandoned_checkpoint_is_removed()
    {
        var (whole, killed) = (corpus.New(), corpus.New());
        Run(whole, Config);
        Assert.ThrowsAny<OperationCanceledException>(() => Run(killed, Config, stopAfter: 5));
        File.AppendAllText(Path.Combine(killed, "metrics.jsonl"), "{\"step\":6,\"loss\":9}\n{\"step\":7,\"lo");
        Directory.CreateDirectory(Path.Combine(killed, "checkpoints", "step-0000008.partial-999999"));
        File.WriteAllText(Path.Combine(killed, "checkpoints", "step-0000008.partial-999999", "model.safetensors"), "torn");
        Run(killed, Config);
        Assert.Empty(Directory.GetDirectories(Path.Combine(killed, "checkpoints"), "*.partial-*"));
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(Path.Combine(killed, "metrics.jsonl")));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_the_weights()
    {
        var hashes = new[] { 1, 2, 3 }.Select(threads => Run(corpus.New(), Config, threads: threads)["weightsSha256"]!.ToString()).ToList();
        Assert.Single(hashes.Distinct());
        Assert.NotEqual(hashes[0], Run(corpus.New(), Config with { Seed = 2 })["weightsSha256"]!.ToString());
    }

    [Fact]
    public void The_model_learns_what_follows_what()
    {
        var folder = corpus.New();
        var result = Run(folder, Config with { Tokens = 100 * 128, Prompts = ["the colour after red is"] });
        Assert.InRange(result["finalTrainLoss"]!.GetValue<double>(), 0, 1.0);
        foreach (var language in new[] { "en", "de" }) Assert.InRange(result["heldoutLoss"]![language]!.GetValue<double>(), 0, 1.2);
        Assert.StartsWith(" green", JsonNode.Parse(File.ReadLines(Path.Combine(folder, "samples.jsonl")).Last())!["continuation"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_with_other_settings_is_refused_in_the_same_folder()
    {
        var folder = corpus.New();
        Assert.ThrowsAny<OperationCanceledException>(() => Run(folder, Config, stopAfter: 5));
        Assert.Contains("an unfinished run with other settings", Assert.Throws<UserErrorException>(() => Run(folder, Config with { ClipNorm = 2 })).Message, StringComparison.Ordinal);
        Run(folder, Config);
        Assert.Contains("a finished run with other settings", Assert.Throws<UserErrorException>(() => Run(folder, Config with { ClipNorm = 2 })).Message, StringComparison.Ordinal);
        Assert.NotNull(Run(folder, Config)["weightsSha256"]);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_at_its_step_and_keeps_the_last_checkpoint()
    {
        var folder = corpus.New();
        var wild = Config with { LearningRate = 1, WeightDecay = 10, ClipNorm = 1e6, WarmupShare = 0, Tokens = 4000 * 128, CheckpointSteps = 1 };
        var error = Assert.Throws<UserErrorException>(() => Run(folder, wild with { LearningRate = 1 }, poisonAfter: 3));
        Assert.Contains("step ", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "checkpoints", "step-0000003", "manifest.json")));
    }

    [Fact]
    public void Every_predictable_token_comes_once_in_an_epoch_and_a_batch_depends_on_its_number_alone()
    {
        using var shard = TokenShard.Open(Path.Combine(corpus.Tokens, "train"));
        var packer = new TokenPacker(shard, 16, seed: 5);
        var rows = (int)packer.RowsPerEpoch;
        var expected = new List<(int, int)>();
        for (var document = 0; document < shard.Documents; document++)
        {
            var tokens = new int[shard.Length(document)];
            shard.Read(document, 0, tokens);
            expected.AddRange(tokens.Zip(tokens.Skip(1)));
        }
        var layout = new SequenceLayout();
        var (inputs, targets) = (new int[rows], new int[rows]);
        packer.Fill(0, inputs, targets, layout);
        Assert.Equal(rows, layout.Rows);
        Assert.Equal(expected.Order(), inputs.Zip(targets).Order());
        var (second, secondTargets) = (new int[rows], new int[rows]);
        packer.Fill(rows, second, secondTargets, layout);
        Assert.Equal(expected.Order(), second.Zip(secondTargets).Order());
        Assert.NotEqual(inputs, second);
        var again = new TokenPacker(shard, 16, seed: 5);
        var (piece, pieceTargets) = (new int[37], new int[37]);
        again.Fill(rows + 11, piece, pieceTargets, layout);
        Assert.Equal(second.AsSpan(11, 37).ToArray(), piece);
        Assert.Equal(secondTargets.AsSpan(11, 37).ToArray(), pieceTargets);
        packer.Fill(3, piece, pieceTargets, layout);
        Assert.Equal(inputs.AsSpan(3, 37).ToArray(), piece);
    }

    [Fact]
    public void Schedules_rise_stay_and_fall()
    {
        double At(ScheduleKind kind, long step) => Schedule.At(kind, step, 100, 0.1, 0.2);
        Assert.Equal(0.1, At(ScheduleKind.WarmupStableDecay, 0), 12);
        Assert.Equal(1, At(ScheduleKind.WarmupStableDecay, 9), 12);
        Assert.Equal(1, At(ScheduleKind.WarmupStableDecay, 79), 12);
        Assert.Equal(20.0 / 21, At(ScheduleKind.WarmupStableDecay, 80), 12);
        Assert.Equal(1.0 / 21, At(ScheduleKind.WarmupStableDecay, 99), 12);
        Assert.Equal(1, At(ScheduleKind.Cosine, 10), 12);
        Assert.Equal(0.55, At(ScheduleKind.Cosine, 55), 12);
        Assert.InRange(At(ScheduleKind.Cosine, 99), 0.1, 0.101);
    }

    [Fact]
    public void The_dial_fits_itself_together_and_says_why()
    {
        for (var layers = 1; layers <= 64; layers++)
        {
            var dial = ModelDial.For(new ModelSettings(Layers: layers), new TrainingConfig(), 1000);
            Assert.Equal(dial.Model.Width, dial.Model.Heads * dial.Model.HeadDimension);
            Assert.Equal(0, dial.Model.Heads % dial.Model.KeyValueHeads);
            Assert.All(dial.Settings, setting => Assert.NotEmpty(setting.Reason));
        }
        Assert.Contains("divides model.width", Assert.Throws<UserErrorException>(() => ModelDial.For(new ModelSettings(Heads: 7), new TrainingConfig(), 1000)).Message, StringComparison.Ordinal);
        Assert.Contains("a multiple of training.microBatchTokens", Assert.Throws<UserErrorException>(() => ModelDial.For(new ModelSettings(), new TrainingConfig(BatchTokens: 5000), 1000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_that_are_missing_are_named()
    {
        using var engine = new Engine(1);
        var error = Assert.Throws<UserErrorException>(() => new Trainer(new TrainingRun(Model, Config, corpus.New(), corpus.TokenizerFolder, corpus.New()), engine));
        Assert.DoesNotContain('\n', error.Message);
    }

    private JsonObject Run(string folder, TrainingConfig config, int threads = 2, int? stopAfter = null, int? poisonAfter = null)
    {
        using var engine = new Engine(threads);
        using var stop = new CancellationTokenSource();
        using var trainer = new Trainer(new TrainingRun(Model, config, corpus.Tokens, corpus.TokenizerFolder, folder), engine);
        trainer.Watch = model =>
        {
            if (poisonAfter is not null && File.Exists(Path.Combine(folder, "checkpoints", $"step-{poisonAfter:D7}", "manifest.json"))) model.Weights[1].Values.Fill(float.NaN);
        };
        return trainer.Run(new Direct(progress =>
        {
            if (stopAfter is { } step && progress.Step >= step) stop.Cancel();
        }), stop.Token);
    }

    private sealed class Direct(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}

/// <summary>Two small invented languages, tokenized.</summary>
public sealed class SmallCorpus : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("oellm-training-").FullName;
    private int runs;

    public SmallCorpus()
    {
        var texts = Enumerable.Range(0, 60).Select(i => (Language: i % 2 == 0 ? "en" : "de", Text: i % 2 == 0
            ? $"the colour after red is green, the colour after green is blue, number {i % 7}" : $"die Farbe nach rot ist gelb, die Farbe nach gelb ist grau, Zahl {i % 5}")).ToList();
        TokenizerFolder = Path.Combine(root, "tokenizer");
        Tokens = Path.Combine(root, "tokens");
        var tokenizer = BpeTrainer.Train(texts.Select(text => new TrainingText(Encoding.UTF8.GetBytes(text.Text), text.Language)), new BpeTrainerConfig(320), new LocalLauncher(1));
        using (var folder = AtomicDirectory.Create(TokenizerFolder, "tokenizer", []))
        {
            tokenizer.Save(folder.Path);
            folder.Commit();
        }
        using (var folder = AtomicDirectory.Create(Tokens, "tokens", []))
        {
            Write(Path.Combine(folder.Path, "train"), texts.Skip(4).Select(text => text.Text));
            foreach (var language in new[] { "en", "de" })
                Write(Path.Combine(folder.Path, "heldout-" + language), texts.Take(4).Where(text => text.Language == language).Select(text => text.Text));
            folder.Commit();
        }

        void Write(string prefix, IEnumerable<string> documents)
        {
            using var writer = new TokenShardWriter(prefix, tokenizer.VocabularySize);
            foreach (var text in documents)
                writer.Add([tokenizer.TokenId(SpecialTokens.BeginOfText)!.Value, .. tokenizer.Encode(text), tokenizer.TokenId(SpecialTokens.EndOfText)!.Value]);
            writer.Finish();
        }
    }

    public string TokenizerFolder { get; }

    public string Tokens { get; }

    public string New() => Path.Combine(root, $"run-{++runs}");

    public void Dispose() => Directory.Delete(root, recursive: true);
}
