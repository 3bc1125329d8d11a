using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Training;

/// <summary>What a training run reads and writes.</summary>
/// <param name="Model">Section <c>model</c> of the recipe.</param>
/// <param name="Training">Section <c>training</c> of the recipe.</param>
/// <param name="TokensFolder">Finished folder of the stage "tokens".</param>
/// <param name="TokenizerFolder">Finished folder of the stage "tokenizer".</param>
/// <param name="OutFolder">The run's folder; a run that was interrupted goes on.</param>
public sealed record TrainingRun(ModelSettings Model, TrainingConfig Training, string TokensFolder, string TokenizerFolder, string OutFolder);

/// <summary>Pretraining: the loop, its checkpoints and its evidence.</summary>
/// <remarks>Everything a run writes except <c>run.json</c> is a function of settings and inputs: an interrupted run that is resumed ends
/// with the same bytes as one that was not.</remarks>
public sealed class Trainer : IDisposable
{
    /// <summary>Name of the result file.</summary>
    public const string ResultName = "training.json";

    private const string MetricsName = "metrics.jsonl";
    private const string SamplesName = "samples.jsonl";
    private const string RecipeName = "recipe.jsonc";

    private readonly TrainingRun run;
    private readonly TrainingConfig config;
    private readonly Engine engine;
    private readonly IClock clock;
    private readonly Tokenizer tokenizer;
    private readonly long parameters;
    private readonly JsonObject settings;

    /// <summary>Prepares a run; nothing is written yet.</summary>
    /// <param name="run">What it reads and writes.</param>
    /// <param name="engine">Carries the operations out.</param>
    /// <param name="clock">Measures rate and time left.</param>
    public Trainer(TrainingRun run, Engine engine, IClock? clock = null)
    {
        this.run = run;
        this.engine = engine;
        this.clock = clock ?? SystemClock.Instance;
        config = run.Training;
        _ = Manifest.Read(PhysicalFileSystem.Instance, run.TokensFolder);
        tokenizer = Tokenizer.Load(run.TokenizerFolder);
        Dial = ModelDial.For(run.Model, config, tokenizer.VocabularySize,
            tokenizer.TokenId(SpecialTokens.BeginOfText),
            [.. new[] { SpecialTokens.EndOfTurn, SpecialTokens.EndOfText }.Select(tokenizer.TokenId).OfType<int>()],
            tokenizer.TokenId(SpecialTokens.Padding));
        parameters = Dial.Model.Parameters;
        MicroBatch = Math.Min(config.MicroBatchTokens, Dial.BatchTokens);
        Steps = Math.Max(1, (config.Tokens + Dial.BatchTokens - 1) / Dial.BatchTokens);
        settings = new JsonObject
        {
            ["batchTokens"] = Dial.BatchTokens,
            ["learningRate"] = Dial.LearningRate,
            ["model"] = Dial.Model.ToJson("float32"),
            ["steps"] = Steps,
            ["training"] = JsonSerializer.SerializeToNode(config, TrainingJson.Default.TrainingConfig),
        };
        settings["training"]!.AsObject().Remove("recompute"); // changes no bit: a run goes on with another choice, and is the same run
    }

    /// <summary>Everything that follows from the size dial.</summary>
    public ModelDial Dial { get; }

    /// <summary>Steps of the whole run.</summary>
    public long Steps { get; }

    /// <summary>Looks at the model before each step; the seam through which tests damage it.</summary>
    internal Action<LanguageModel>? Watch { get; set; }

    /// <summary>Bytes of memory that there are; null asks the machine.</summary>
    internal long? Available { get; set; }

    private int MicroBatch { get; }

    /// <summary>What the run will cost.</summary>
    public TrainingPlan Plan() => TrainingPlan.For(Dial.Model, config, Dial.BatchTokens, engine.MeasureProductRate(clock), engine.Threads, TextBytes());

    /// <summary>Trains to the end, or goes on where an interrupted run stopped. A finished run is left as it is.</summary>
    /// <returns>The content of <c>training.json</c>.</returns>
    /// <exception cref="UserErrorException">Settings changed since the run began, loss or gradients are not finite, or the disk failed.</exception>
    public JsonObject Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var resultPath = Path.Combine(run.OutFolder, ResultName);
        if (File.Exists(Path.Combine(run.OutFolder, Manifest.FileName)))
        {
            var finished = Manifest.Read(PhysicalFileSystem.Instance, run.OutFolder);
            RequireSameSettings(finished.Settings);
            return JsonNode.Parse(File.ReadAllBytes(resultPath))!.AsObject();
        }
        TrainingMemory.Require(Dial.Model, config, Dial.BatchTokens, engine.Threads, Available);
        engine.Recompute = config.Recompute == Recomputation.Layers;
        using var folder = LiveDirectory.Open(run.OutFolder, "training", settings);
        folder.AddInputDirectory(run.TokensFolder);
        folder.AddInputDirectory(run.TokenizerFolder);
        KeepRecipe();
        var checkpoints = new CheckpointStore(run.OutFolder, settings);
        var newest = checkpoints.Newest();
        var step = newest?.Step ?? 0;
        CutBack(MetricsName, step);
        CutBack(SamplesName, step);
        using var model = newest is { } from ? ModelFolder.Load(from.Folder, engine, trainable: true) : LanguageModel.Create(Dial.Model, config.Seed, engine);
        using var optimizer = new AdamWOptimizer(model, config);
        if (newest is { } state)
        {
            FiniteNumbers.Require(model, state.Folder);
            optimizer.Load(state.Folder);
        }
        using var shard = TokenShard.Open(Path.Combine(run.TokensFolder, "train"), tokenizer.VocabularySize);
        var stream = new TokenPacker(shard, Dial.Model.ContextLength, config.Seed);
        var heldOut = new HeldOut(run.TokensFolder, tokenizer, Dial.Model.ContextLength, config.EvaluateTokens);
        var peak = engine.MeasureProductRate(clock);
        var every = config.CheckpointSteps ?? Math.Max(1, (Steps + 9) / 10);
        var look = config.EvaluateSteps ?? Math.Max(1, (Steps + 9) / 10);
        var tokens = new int[MicroBatch];
        var targets = new int[MicroBatch];
        var layout = new SequenceLayout();
        var (began, firstStep, loss) = (clock.Timestamp, step, double.NaN);
        var evaluations = new List<(string Language, double Nats, double BitsPerByte)>();
        using (var metrics = new MetricsFile(Path.Combine(run.OutFolder, MetricsName)))
        {
            if (step > 0) progress?.Report(Now($"resumed from {Path.GetFileName(newest!.Value.Folder)}"));
            while (step < Steps)
            {
                if (cancellation.IsCancellationRequested)
                {
                    metrics.Secure();
                    if (step > firstStep) checkpoints.Save(step, model, optimizer, config.KeepCheckpoints);
                    cancellation.ThrowIfCancellationRequested();
                }
                Watch?.Invoke(model);
                loss = Step(step);
                if (!double.IsFinite(loss))
                    throw new UserErrorException($"step {step + 1}: the loss is {loss.ToString(System.Globalization.CultureInfo.InvariantCulture)}; lower training.learningRate and start in a new folder. The last checkpoint is intact.");
                var rate = Dial.LearningRate * Schedule.At(config.Schedule, step, Steps, config.WarmupShare, config.DecayShare);
                var norm = optimizer.Update(step, rate);
                step++;
                metrics.Write(step, step * Dial.BatchTokens, loss, rate, norm);
                if (step % look == 0 || step == Steps)
                {
                    evaluations = [.. heldOut.Measure(model, MicroBatch)];
                    metrics.WriteHeldOut(step, evaluations);
                    WriteSamples(model, step, progress, Now);
                }
                if (step % every == 0 || step == Steps)
                {
                    metrics.Secure();
                    checkpoints.Save(step, model, optimizer, config.KeepCheckpoints);
                }
                progress?.Report(Now(null));
            }
        }
        if (evaluations.Count == 0) evaluations = [.. heldOut.Measure(model, MicroBatch)];
        if (double.IsNaN(loss)) loss = LastLoss();
        checkpoints.Keep(1); // which others there are depends on where the run was interrupted
        var result = Result(model, loss, stream, evaluations);
        File.WriteAllBytes(resultPath, CanonicalJson.Write(result));
        folder.Finish(engine.Threads);
        return result;

        double Step(long number)
        {
            var sum = 0.0;
            for (var done = 0; done < Dial.BatchTokens; done += MicroBatch)
            {
                engine.Reset();
                stream.Fill(number * Dial.BatchTokens + done, tokens, targets, layout);
                engine.Record();
                var losses = model.Loss(model.Forward(tokens, layout), targets, 1.0 / Dial.BatchTokens);
                foreach (var one in losses.Values) sum += one;
                engine.Backward();
            }
            return sum / Dial.BatchTokens;
        }

        TrainingProgress Now(string? note)
        {
            var seconds = Math.Max(1e-9, clock.SecondsSince(began));
            var perSecond = (step - firstStep) * Dial.BatchTokens / seconds;
            return new TrainingProgress(step, Steps, loss, perSecond, perSecond * 6.0 * parameters / peak,
                step == firstStep ? double.NaN : (Steps - step) * Dial.BatchTokens / perSecond, note);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => engine.Reset();

    /// <summary>Bytes of the tokens that a run reads, which are mapped into memory, and of what is held for each document.</summary>
    private long TextBytes()
    {
        var (data, index) = (new FileInfo(Path.Combine(run.TokensFolder, "train.bin")), new FileInfo(Path.Combine(run.TokensFolder, "train.idx")));
        return data.Exists && index.Exists ? data.Length + 2 * index.Length : 0;
    }

    private JsonObject Result(LanguageModel model, double loss, TokenPacker stream, List<(string Language, double Nats, double BitsPerByte)> evaluations) => new()
    {
        ["batchTokens"] = Dial.BatchTokens,
        ["contextLength"] = Dial.Model.ContextLength,
        ["dial"] = new JsonArray([.. Dial.Settings.Select(entry => (JsonNode)new JsonObject { ["reason"] = entry.Reason, ["setting"] = entry.Setting, ["value"] = entry.Value })]),
        ["epochs"] = Round((double)Steps * Dial.BatchTokens / stream.RowsPerEpoch),
        ["finalTrainLoss"] = Round(loss),
        ["flops"] = 6.0 * parameters * Steps * Dial.BatchTokens,
        ["headDimension"] = Dial.Model.HeadDimension,
        ["heads"] = Dial.Model.Heads,
        ["heldoutBitsPerByte"] = PerLanguage(evaluations, entry => entry.BitsPerByte),
        ["heldoutLoss"] = PerLanguage(evaluations, entry => entry.Nats),
        ["hidden"] = Dial.Model.Hidden,
        ["keyValueHeads"] = Dial.Model.KeyValueHeads,
        ["layers"] = Dial.Model.Layers,
        ["learningRate"] = Dial.LearningRate,
        ["parameters"] = parameters,
        ["steps"] = Steps,
        ["tokens"] = Steps * Dial.BatchTokens,
        ["vocabularySize"] = Dial.Model.VocabularySize,
        ["weightsSha256"] = model.WeightsSha256(),
        ["width"] = Dial.Model.Width,
    };

    private static JsonObject PerLanguage(IEnumerable<(string Language, double Nats, double BitsPerByte)> entries, Func<(string Language, double Nats, double BitsPerByte), double> value)
    {
        var json = new JsonObject();
        foreach (var entry in entries) json[entry.Language] = Round(value(entry));
        return json;
    }

    /// <summary>Greedy continuations of the recipe's prompts: the model is seen learning.</summary>
    private void WriteSamples(LanguageModel model, long step, IProgress<TrainingProgress>? progress, Func<string?, TrainingProgress> now)
    {
        if (config.Prompts.Count == 0) return;
        using var writer = new StreamWriter(Path.Combine(run.OutFolder, SamplesName), append: true) { NewLine = "\n" };
        foreach (var prompt in config.Prompts)
        {
            var text = Continue(model, prompt);
            writer.WriteLine(Line(new JsonObject { ["continuation"] = text, ["prompt"] = prompt, ["step"] = step }));
            progress?.Report(now($"{prompt} → {text.Trim()}"));
        }
    }

    private string Continue(LanguageModel model, string prompt, int mostTokens = 16)
    {
        using var cache = model.CreateCache((model.ContextLength + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens);
        using var sequence = cache.Begin();
        var layout = new SequenceLayout();
        var logits = new float[model.VocabularySize];
        var next = new List<int>([tokenizer.TokenId(SpecialTokens.BeginOfText) ?? 0, .. tokenizer.Encode(prompt)]);
        var made = new List<int>();
        while (made.Count < mostTokens && sequence.Length + next.Count <= model.ContextLength)
        {
            engine.Reset();
            layout.Clear();
            layout.Add(next.Count, sequence);
            var hidden = model.Forward(next.ToArray(), layout);
            model.Logits(hidden, [next.Count - 1], logits);
            var best = 0;
            for (var id = 1; id < logits.Length; id++)
                if (logits[id] > logits[best]) best = id;
            if (tokenizer.IsSpecial(best)) break;
            made.Add(best);
            next = [best];
        }
        engine.Reset();
        return tokenizer.Decode(made.ToArray());
    }

    /// <summary>Writes the recipe at the first start; later starts must bring the same.</summary>
    private void KeepRecipe()
    {
        var path = Path.Combine(run.OutFolder, RecipeName);
        var kept = CanonicalJson.Write(new JsonObject { ["settings"] = settings.DeepClone(), ["tokens"] = Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(run.TokensFolder, Manifest.FileName)) });
        if (!File.Exists(path))
        {
            File.WriteAllBytes(path + ".partial", kept);
            File.Move(path + ".partial", path, overwrite: true);
            return;
        }
        if (!File.ReadAllBytes(path).AsSpan().SequenceEqual(kept))
            throw new UserErrorException($"{run.OutFolder}: an unfinished run with other settings or other tokens lies here; use another --out, or the same recipe to go on with it.");
    }

    private void RequireSameSettings(JsonObject found)
    {
        if (!CanonicalJson.Write(found).AsSpan().SequenceEqual(CanonicalJson.Write(settings)))
            throw new UserErrorException($"{run.OutFolder}: a finished run with other settings lies here; use another --out.");
    }

    /// <summary>Removes the lines that a killed run wrote after its last checkpoint; the resumed run writes them again.</summary>
    private void CutBack(string name, long step)
    {
        var path = Path.Combine(run.OutFolder, name);
        if (!File.Exists(path)) return;
        var kept = new List<string>();
        foreach (var line in File.ReadLines(path))
        {
            try
            {
                if (JsonNode.Parse(line)?["step"]?.GetValue<long>() is { } written && written <= step) kept.Add(line);
            }
            catch (JsonException)
            {
                break; // the torn last line of a killed run
            }
        }
        File.WriteAllText(path + ".partial", string.Concat(kept.Select(line => line + "\n")));
        File.Move(path + ".partial", path, overwrite: true);
    }

    /// <summary>One compact line, letters of all languages as they are.</summary>
    private static string Line(JsonObject json)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) json.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private double LastLoss() => File.ReadLines(Path.Combine(run.OutFolder, MetricsName))
        .Select(line => JsonNode.Parse(line)?["loss"]?.GetValue<double>()).Last(loss => loss is not null)!.Value;

    private static double Round(double value) => MetricsFile.Round(value);
}
