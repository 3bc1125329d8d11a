using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Evaluation;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;
using OpenEuroLLM.Training;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary>All stages of a recipe, one folder each; finished stages are left as they are, an interrupted one goes on.</summary>
/// <param name="recipe">The effective recipe.</param>
/// <param name="outFolder">The run's folder.</param>
/// <param name="threads">Threads; results do not depend on it.</param>
/// <param name="status">Where progress is told.</param>
/// <param name="cancellation">Stops after the step under way.</param>
internal sealed class Pipeline(Recipe recipe, string outFolder, int threads, StatusLine status, CancellationToken cancellation)
{
    private readonly string root = Path.GetFullPath(outFolder);
    private readonly LocalLauncher launcher = new(threads);
    private readonly IFileSystem files = PhysicalFileSystem.Instance;

    /// <summary>Nothing will be trained: a model that this machine cannot hold is no mistake.</summary>
    public bool PlanOnly { get; init; }

    public string Corpus => In("corpus");

    public string TokenizerFolder => In("tokenizer");

    public string Tokens => In("tokens");

    public string TrainingFolder => In("training");

    public string Export => In("export");

    public string EvaluationFolder => In("evaluation");

    public string Model => In("model");

    public string ReportFile => In("report.md");

    /// <summary>Runs every stage.</summary>
    public void Run()
    {
        CheckSettings();
        RequireOwnFolder();
        if (File.Exists(In(Manifest.FileName)))
        {
            var finished = Manifest.Read(files, root);
            if (!Same(finished.Settings, recipe.ToJson()))
                throw new UserErrorException($"{root}: a finished run of another recipe lies here; choose another --out.");
            status.Say($"{root}: this run is finished already.");
            return;
        }
        using var run = LiveDirectory.Open(root, "run", recipe.ToJson());
        KeepRecipe();
        BuildCorpus();
        TrainTokenizer();
        Tokenize();
        Train();
        ExportModel();
        Evaluate();
        PublishModel();
        var (markdown, html) = Report.Render(root);
        File.WriteAllText(ReportFile, markdown);
        File.WriteAllText(In("report.html"), html);
        run.Finish(threads);
    }

    /// <summary>The stages before training.</summary>
    public void Prepare()
    {
        CheckSettings();
        RequireOwnFolder();
        BuildCorpus();
        TrainTokenizer();
        Tokenize();
    }

    /// <summary>What a late stage would refuse is refused before the first one: hours may lie between them.</summary>
    private void CheckSettings()
    {
        var dial = ModelDial.For(recipe.Model, recipe.Training, recipe.Tokenizer.VocabularySize);
        if (!PlanOnly && !File.Exists(Path.Combine(TrainingFolder, Manifest.FileName))) TrainingMemory.Require(dial.Model, recipe.Training, dial.BatchTokens, threads);
        foreach (var task in recipe.Evaluation.Tasks)
        {
            if (!EvaluationSettings.KnownTasks.Contains(task))
                throw new UserErrorException($"evaluation.tasks: '{task}' is unknown{SuggestedName.Hint(task, [.. EvaluationSettings.KnownTasks])}");
        }
    }

    /// <summary>A run's folder is new, empty, or one that a run began: other files would get into its manifest.</summary>
    private void RequireOwnFolder()
    {
        for (string? at = root; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at)) throw new UserErrorException($"{at}: is a file; expected a folder for the run, choose another --out.");
        }
        bool began = File.Exists(In("recipe.jsonc")) || Directory.Exists(Corpus) || Directory.Exists(Corpus + ".work");
        if (Directory.Exists(root) && !began && Directory.EnumerateFileSystemEntries(root).Any())
            throw new UserErrorException($"{root}: holds other files; expected a new or empty folder, or a run to go on with. Choose another --out.");
    }

    private void BuildCorpus()
    {
        status.Say($"corpus      {recipe.Corpus.Source}, {recipe.Corpus.Languages.Count} languages");
        CorpusStage.Run(recipe.Corpus, Corpus, launcher, CorpusProgress(), cancellation: cancellation);
    }

    private void TrainTokenizer()
    {
        var settings = recipe.Tokenizer;
        status.Say(FormattableString.Invariant($"tokenizer   byte-level BPE, {settings.VocabularySize} tokens"));
        if (IsCurrent(TokenizerFolder, TokenizerStage.Name, [Corpus], [.. settings.ToJson().Select(setting => (setting.Key, setting.Value!))])) return;
        TokenizerStage.Run(CorpusTexts(), settings, TokenizerFolder, ChatTemplate.Text, folder => folder.AddInputDirectory(Corpus), launcher,
            new DirectProgress<TokenizerTrainingProgress>(now => status.Update(now.Total is { } total
                ? FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done} of {total}") : FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done / 1e6:0.0} MB"))),
            replace: false, cancellation);
    }

    private void Tokenize()
    {
        status.Say("tokens      documents to shards");
        TokenizeStage.Run(Corpus, TokenizerFolder, Tokens, launcher, CorpusProgress(), cancellation: cancellation);
    }

    private void Train()
    {
        using var engine = new Engine(threads);
        using var trainer = new Trainer(new TrainingRun(recipe.Model, recipe.Training, Tokens, TokenizerFolder, TrainingFolder), engine);
        TrainCommand.Describe(trainer, status);
        trainer.Run(TrainCommand.Progress(status), cancellation);
    }

    private void ExportModel()
    {
        if (IsCurrent(Export, "export", [TrainingFolder, TokenizerFolder])) return;
        status.Say("export      weights as bf16, Hugging Face folder");
        using var engine = new Engine(threads);
        var newest = Directory.GetDirectories(Path.Combine(TrainingFolder, "checkpoints"), "step-*").Max(StringComparer.Ordinal)!;
        using var model = LanguageModel.Load(newest, engine);
        using var folder = AtomicDirectory.Create(Export, "export", new JsonObject { ["license"] = recipe.License, ["name"] = recipe.Name, ["type"] = "BF16" });
        folder.AddInputDirectory(TrainingFolder);
        folder.AddInputDirectory(TokenizerFolder);
        ModelFolder.Save(model, folder.Path, SafetensorsType.BF16);
        foreach (var name in new[] { "tokenizer.json", "tokenizer_config.json", "chat_template.jinja" })
            File.Copy(Path.Combine(TokenizerFolder, name), Path.Combine(folder.Path, name));
        folder.Commit(threads);
    }

    private void Evaluate()
    {
        if (IsCurrent(EvaluationFolder, EvaluationReport.StageName, [Export, Corpus])) return;
        status.Say("evaluation  held-out text and facts, language by language");
        using var engine = InferenceEngine.Load(Export, threads);
        var report = Evaluator.Run(engine, Corpus, recipe.Evaluation, progress: new DirectProgress<EvaluationProgress>(now =>
            status.Update(FormattableString.Invariant($"evaluation  {now.Task} {now.Done} of {now.Total}, {StatusLine.Time(now.SecondsLeft ?? double.NaN)} left"))), cancellation: cancellation);
        report.Save(EvaluationFolder, Export, Corpus);
    }

    /// <summary>The export, its card, and the manifests of every stage it came through.</summary>
    private void PublishModel()
    {
        if (IsCurrent(Model, "model", [Export, EvaluationFolder])) return;
        status.Say("model       card and lineage");
        using var folder = AtomicDirectory.Create(Model, "model", new JsonObject { ["license"] = recipe.License, ["name"] = recipe.Name });
        folder.AddInputDirectory(Export);
        folder.AddInputDirectory(EvaluationFolder);
        foreach (var output in Manifest.Read(files, Export).Outputs) File.Copy(Path.Combine(Export, output.Path), Path.Combine(folder.Path, output.Path));
        var lineage = Directory.CreateDirectory(Path.Combine(folder.Path, "lineage")).FullName;
        foreach (var stage in new[] { Corpus, TokenizerFolder, Tokens, TrainingFolder, Export, EvaluationFolder })
        {
            foreach (var name in new[] { Manifest.FileName, RunRecord.FileName })
                File.Copy(Path.Combine(stage, name), Path.Combine(lineage, $"{Path.GetFileName(stage)}.{name}"));
        }
        File.Copy(Path.Combine(TrainingFolder, "training.json"), Path.Combine(lineage, "training.json"));
        File.Copy(Path.Combine(EvaluationFolder, EvaluationReport.FileName), Path.Combine(lineage, EvaluationReport.FileName));
        File.WriteAllBytes(Path.Combine(lineage, "recipe.json"), CanonicalJson.Write(recipe.ToJson()));
        File.WriteAllText(Path.Combine(folder.Path, "README.md"), ModelCard.Render(folder.Path));
        folder.Commit(threads);
    }

    private IEnumerable<TrainingText> CorpusTexts()
    {
        foreach (var path in Directory.GetFiles(Path.Combine(Corpus, "train"), "*.jsonl").Order(StringComparer.Ordinal))
        {
            var number = 0;
            foreach (var line in File.ReadLines(path))
            {
                var document = Document.Parse(System.Text.Encoding.UTF8.GetBytes(line), FormattableString.Invariant($"{path}:{++number}"));
                yield return new TrainingText(System.Text.Encoding.UTF8.GetBytes(document.Text), document.Lang);
            }
        }
    }

    /// <summary>Whether a stage is finished, from the same inputs and with the same settings.</summary>
    /// <exception cref="UserErrorException">It is finished, but with others.</exception>
    private bool IsCurrent(string folder, string stage, IReadOnlyList<string> inputs, params ReadOnlySpan<(string Name, JsonNode Value)> settings)
    {
        if (!File.Exists(Path.Combine(folder, Manifest.FileName))) return false;
        var manifest = Manifest.Read(files, folder);
        foreach (var input in inputs)
        {
            var hash = Manifest.HashFile(files, Path.Combine(input, Manifest.FileName));
            if (!manifest.Inputs.Any(recorded => recorded.Sha256 == hash))
                throw new UserErrorException($"{folder}: the stage {stage} was made from another {Path.GetFileName(input)}; choose another --out, or remove this folder.");
        }
        foreach (var (name, value) in settings)
        {
            if (manifest.Settings[name]?.ToJsonString() != value.ToJsonString())
                throw new UserErrorException($"{folder}: the stage {stage} was made with {name} = {manifest.Settings[name]?.ToJsonString() ?? "nothing"}, not {value.ToJsonString()}; choose another --out, or remove this folder.");
        }
        return true;
    }

    private void KeepRecipe()
    {
        var path = In("recipe.jsonc");
        var kept = CanonicalJson.Write(recipe.ToJson());
        if (File.Exists(path) && !File.ReadAllBytes(path).AsSpan().SequenceEqual(kept))
            throw new UserErrorException($"{root}: an unfinished run of another recipe lies here; choose another --out, or repeat the same settings to go on.");
        if (File.Exists(path)) return;
        File.WriteAllBytes(path + ".partial", kept);
        File.Move(path + ".partial", path, overwrite: true);
    }

    private DirectProgress<CorpusProgress> CorpusProgress() => new(now => status.Update(FormattableString.Invariant(
        $"{now.Phase,-11} {now.Done / 1e6:0.0} of {now.Total / 1e6:0.0} MB, {now.PerSecond / 1e6:0.0} MB/s, {StatusLine.Time(now.SecondsLeft ?? double.NaN)} left")));

    private static bool Same(JsonNode? left, JsonNode? right) => CanonicalJson.Write(left).AsSpan().SequenceEqual(CanonicalJson.Write(right));

    private string In(string name) => Path.Combine(root, name);
}
