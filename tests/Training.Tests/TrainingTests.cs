using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Training.Tests;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone; // one test counts the bytes that the whole process allocates

[Collection(nameof(Alone))]
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
        AssertSameRun(whole, broken);
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

    public static TheoryData<string> Kinds => [.. ModelFamily.AllKinds];

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_of_model_learns_and_recomputing_layers_changes_no_byte(string kind)
    {
        var shape = Model with { Kind = kind, Layers = 2, KeyValueHeads = null };
        var (whole, again) = (corpus.New(), corpus.New());
        var config = Config with { Tokens = 24 * 128, CheckpointSteps = 12 };
        var result = Run(whole, config, shape: shape);
        var first = JsonNode.Parse(File.ReadLines(Path.Combine(whole, "metrics.jsonl")).First(line => line.Contains("\"loss\"", StringComparison.Ordinal)))!["loss"]!.GetValue<double>();
        Assert.InRange(result["finalTrainLoss"]!.GetValue<double>(), 0, 0.75 * first);
        Run(again, config with { Recompute = Recomputation.Layers }, shape: shape);
        AssertSameRun(whole, again, step: 24);
        using var engine = new Engine(1);
        using var model = ModelFolder.Load(Path.Combine(whole, "checkpoints", "step-0000024"), engine, trainable: false);
        Assert.Contains(kind, model.Config.Family.Kinds);
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
    public void A_gradient_that_is_not_finite_stops_the_run_at_its_step_and_names_the_tensor()
    {
        var (whole, broken) = (corpus.New(), corpus.New());
        Run(whole, Config);
        var error = Assert.Throws<UserErrorException>(() => Run(broken, Config, watch: (model, step) =>
        {
            if (step == 6) model.Weights[4].Gradient[5] = float.PositiveInfinity;
        }));
        Assert.Contains("step 7: the gradient of model.layers.0.self_attn.v_proj.weight is Infinity at row 0, column 5; expected finite numbers.", error.Message, StringComparison.Ordinal);
        Assert.Equal(6, File.ReadAllLines(Path.Combine(broken, "metrics.jsonl")).Count(line => line.Contains("gradientNorm", StringComparison.Ordinal)));
        // The folder is as good as if the run had been killed there.
        Run(broken, Config);
        AssertSameRun(whole, broken);
    }

    [Fact]
    public void An_update_that_is_refused_has_changed_nothing()
    {
        using var engine = new Engine(2);
        using var model = LanguageModel.Create(new LlamaConfig(1, 32, 4, 2, 8, 48, 100, 16), 1, engine);
        using var optimizer = new AdamWOptimizer(model, Config);
        void Gradients()
        {
            foreach (var weight in model.Weights) weight.Gradient.Fill(0.01f);
        }
        Gradients();
        optimizer.Update(0, 0.1);
        var (folder, again) = (Directory.CreateDirectory(corpus.New()).FullName, Directory.CreateDirectory(corpus.New()).FullName);
        var before = model.WeightsSha256();
        optimizer.Save(folder);
        Gradients();
        model.Weights[^1].Gradient[3] = float.NaN; // the last to be looked at
        var error = Assert.Throws<UserErrorException>(() => optimizer.Update(1, 0.1));
        Assert.Contains("step 2: the gradient of model.norm.weight is NaN at row 0, column 3", error.Message, StringComparison.Ordinal);
        optimizer.Save(again);
        Assert.Equal(before, model.WeightsSha256());
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "optimizer.safetensors")), File.ReadAllBytes(Path.Combine(again, "optimizer.safetensors")));
        Gradients();
        model.Weights[^1].Gradient[3] = 1e30f; // finite, but its square is not
        Assert.Contains("has a norm beyond single precision", Assert.Throws<UserErrorException>(() => optimizer.Update(1, 0.1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_with_damaged_numbers_is_neither_written_nor_trained_on()
    {
        var folder = corpus.New();
        Assert.ThrowsAny<OperationCanceledException>(() => Run(folder, Config, stopAfter: 5));
        var checkpoint = new CheckpointStore(folder, []).Newest()!.Value.Folder;
        using var engine = new Engine(1);
        using var model = ModelFolder.Load(checkpoint, engine, trainable: true);
        using var optimizer = new AdamWOptimizer(model, Config);
        optimizer.Load(checkpoint);
        model.Weights[2].Values[33] = float.NegativeInfinity;
        var error = Assert.Throws<UserErrorException>(() => new CheckpointStore(folder, []).Save(9, model, optimizer, 2));
        Assert.Contains("step 9: tensor model.layers.0.self_attn.q_proj.weight holds -Infinity at row 1, column 1; expected finite numbers.", error.Message, StringComparison.Ordinal);
        Assert.Equal(checkpoint, new CheckpointStore(folder, []).Newest()!.Value.Folder);
        var file = Path.Combine(checkpoint, "model.safetensors");
        long place;
        using (var tensors = SafetensorsFile.Open(file)) place = tensors.Tensor("model.layers.0.self_attn.q_proj.weight").FileOffset + 33 * sizeof(float);
        using (var stream = File.OpenWrite(file))
        {
            stream.Position = place;
            stream.Write(BitConverter.GetBytes(float.NegativeInfinity));
        }
        error = Assert.Throws<UserErrorException>(() => Run(folder, Config));
        Assert.StartsWith(checkpoint, error.Message, StringComparison.Ordinal);
        foreach (var said in new[] { "model.layers.0.self_attn.q_proj.weight", "row 1", "infinite" }) Assert.True(error.Message.Contains(said, StringComparison.Ordinal), error.Message);
    }

    [Theory]
    [InlineData(Recomputation.None)]
    [InlineData(Recomputation.Layers)]
    public void A_step_of_the_whole_loop_allocates_nothing_after_the_first_ones(Recomputation recompute)
    {
        const int steps = 60, window = 5;
        var bytes = new long[steps + 1];
        Run(corpus.New(), Config with { Tokens = steps * 128, CheckpointSteps = 1000, EvaluateSteps = 1000, Recompute = recompute },
            progress: now => bytes[now.Step] = GC.GetTotalAllocatedBytes(precise: true));
        // The runner's own threads may allocate meanwhile, so one quiet window is enough: a step that allocates does so in every window.
        Assert.Equal(0, Enumerable.Range(4, steps / window - 6).Min(i => bytes[(i + 1) * window] - bytes[i * window]));
    }

    [Fact]
    public void Recomputing_layers_changes_no_byte_of_a_run_and_may_be_switched_on_in_its_middle()
    {
        var (whole, changed) = (corpus.New(), corpus.New());
        Run(whole, Config);
        Assert.ThrowsAny<OperationCanceledException>(() => Run(changed, Config, stopAfter: 5));
        Run(changed, Config with { Recompute = Recomputation.Layers });
        AssertSameRun(whole, changed);
    }

    [Theory]
    [InlineData(1, 32, 48, 64, 16, Recomputation.None)]
    [InlineData(1, 32, 48, 64, 16, Recomputation.Layers)]
    [InlineData(3, 64, 200, 512, 100, Recomputation.None)]
    [InlineData(3, 64, 200, 512, 100, Recomputation.Layers)]
    [InlineData(2, 64, 128, 64, 600, Recomputation.Layers)]
    public void The_plan_knows_the_memory_that_a_run_then_takes(int layers, int width, int hidden, int microBatch, int context, Recomputation recompute)
    {
        var model = Model with { Layers = layers, Width = width, Hidden = hidden, ContextLength = context };
        var config = Config with { Tokens = 2 * microBatch, BatchTokens = microBatch, MicroBatchTokens = microBatch, Recompute = recompute };
        using var engine = new Engine(2);
        using var trainer = new Trainer(new TrainingRun(model, config, corpus.Tokens, corpus.TokenizerFolder, corpus.New()), engine);
        var weights = 0L;
        trainer.Watch = trained => weights = trained.Weights.Sum(weight => weight.Count) * sizeof(float);
        trainer.Run(cancellation: TestContext.Current.CancellationToken);
        var predicted = trainer.Plan().Memory;
        Assert.Equal((weights, weights, 2 * weights), (predicted.Weights, predicted.Gradients, predicted.Optimizer));
        // Measuring the product rate takes three matrices of 4 MB; documents may be shorter than the context.
        Assert.InRange(predicted.Step, engine.StepBytes < 13 << 20 ? 0 : (long)(0.9 * engine.StepBytes), engine.StepBytes * 11 / 10);
        Assert.InRange(predicted.Kernels, 0.9 * engine.FixedBytes, 1.1 * engine.FixedBytes + 64 * 1024);
    }

    [Fact]
    public void A_run_that_needs_more_memory_than_there_is_is_refused_before_anything_is_written()
    {
        var folder = corpus.New();
        var large = Config with { BatchTokens = 65_536, MicroBatchTokens = 65_536 };
        var error = Assert.Throws<UserErrorException>(() => Run(folder, large, available: 100_000_000));
        Assert.Matches(@"^Training needs about [0-9]+ MB of memory \(0 MB for weights, gradients and optimizer, [0-9]+ MB for a micro-batch\), 100 MB are available; "
            + @"set training\.recompute=layers \(then about [0-9]+ MB\), or lower training\.microBatchTokens \(now 65536\), or lower model\.layers \(now 1\) or model\.width \(now 32\)\.$", error.Message);
        Assert.False(Directory.Exists(folder));
        Assert.Contains("the largest matrix", Assert.Throws<UserErrorException>(() =>
            TrainingMemory.Require(ModelDial.For(new ModelSettings(Layers: 1, Width: 65_536), Config, 1 << 17).Model, Config, 128, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_not_finite_are_found_wherever_they_lie()
    {
        for (var length = 0; length < 40; length++)
        {
            var values = Enumerable.Repeat(float.MaxValue, length).ToArray();
            Assert.Equal(-1, FiniteNumbers.FirstOther(values));
            for (var i = length - 1; i >= 0; i--)
            {
                values[i] = (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity };
                Assert.Equal(i, FiniteNumbers.FirstOther(values));
            }
        }
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
        Assert.Contains("model.kind is qwen; did you mean 'qwen2'? this version trains llama, ", Assert.Throws<UserErrorException>(() =>
            ModelDial.For(new ModelSettings(Kind: "qwen"), new TrainingConfig(), 1000)).Message, StringComparison.Ordinal);
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

    private static void AssertSameRun(string expected, string actual, int step = 12)
    {
        var checkpoint = FormattableString.Invariant($"checkpoints/step-{step:D7}/");
        foreach (var name in new[] { "metrics.jsonl", "samples.jsonl", "recipe.jsonc", "training.json", "manifest.json", checkpoint + "model.safetensors", checkpoint + "optimizer.safetensors" })
            Assert.True(File.ReadAllBytes(Path.Combine(expected, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, name))), $"{name} differs");
        Assert.True(ManifestVerifier.Verify(actual).Matches);
    }

    private JsonObject Run(string folder, TrainingConfig config, int threads = 2, int? stopAfter = null, int? poisonAfter = null,
        Action<LanguageModel, long>? watch = null, Action<TrainingProgress>? progress = null, long? available = null, ModelSettings? shape = null)
    {
        using var engine = new Engine(threads);
        using var stop = new CancellationTokenSource();
        using var trainer = new Trainer(new TrainingRun(shape ?? Model, config, corpus.Tokens, corpus.TokenizerFolder, folder), engine) { Available = available };
        var step = 0L;
        trainer.Watch = model =>
        {
            watch?.Invoke(model, step);
            if (poisonAfter is not null && File.Exists(Path.Combine(folder, "checkpoints", $"step-{poisonAfter:D7}", "manifest.json"))) model.Weights[1].Values.Fill(float.NaN);
        };
        return trainer.Run(new Direct(now =>
        {
            step = now.Step;
            progress?.Invoke(now);
            if (stopAfter is { } last && now.Step >= last) stop.Cancel();
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
