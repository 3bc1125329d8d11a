using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency;

/// <summary>Everything a document may be written from: the manifests and run records of the stages, and the result files they cover.</summary>
internal sealed record Lineage(
    IReadOnlyList<StageFacts> Stages, TrainingResult Training, IReadOnlyDictionary<string, LanguageScore> Scores, string? EvaluatedWeightsSha256)
{
    /// <summary>The stages whose facts a model carries, in their order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = ["corpus", "tokenizer", "tokens", "training", "export", "evaluation"];

    private const string ModelFolder = "model", LineageFolder = "lineage";

    public StageFacts? this[string stage] => Stages.FirstOrDefault(facts => facts.Name == stage);

    /// <summary>Reads a model folder (its <c>lineage/</c>), a run folder that holds one, or the stage folders of a run.</summary>
    /// <exception cref="UserErrorException">There is no lineage, or a file does not match its manifest.</exception>
    public static Lineage OfModel(string folder)
    {
        string own = Path.Combine(folder, LineageFolder), inner = Path.Combine(folder, ModelFolder, LineageFolder);
        return Directory.Exists(own) ? Load(stage => Carried(own, stage), name => Path.Combine(own, name))
            : Directory.Exists(inner) ? Load(stage => Carried(inner, stage), name => Path.Combine(inner, name))
            : OfRun(folder);
    }

    /// <summary>Reads the stage folders of a run.</summary>
    /// <exception cref="UserErrorException">The training stage is missing, or a file does not match its manifest.</exception>
    public static Lineage OfRun(string folder)
    {
        if (!Directory.Exists(folder)) throw new UserErrorException($"{folder}: not found; expected a model folder or the folder of a run.");
        return Load(
            stage => (Path.Combine(folder, stage, Manifest.FileName), Path.Combine(folder, stage, RunRecord.FileName)),
            name => Path.Combine(folder, Path.GetFileNameWithoutExtension(name), name));
    }

    private static (string Manifest, string Run) Carried(string folder, string stage) =>
        (Path.Combine(folder, $"{stage}.{Manifest.FileName}"), Path.Combine(folder, $"{stage}.{RunRecord.FileName}"));

    private static Lineage Load(Func<string, (string Manifest, string Run)> locate, Func<string, string> result)
    {
        var stages = new List<StageFacts>();
        foreach (string name in StageNames)
        {
            var (manifestPath, runPath) = locate(name);
            if (!File.Exists(manifestPath)) continue;
            byte[] bytes = Read(manifestPath);
            var manifest = Manifest.Parse(bytes, manifestPath);
            string hash = Manifest.Hash(bytes);
            var run = File.Exists(runPath) ? RunRecord.Parse(Read(runPath), runPath) : null;
            if (run is not null && run.ManifestSha256 != hash)
                throw new UserErrorException($"{manifestPath}: changed; {runPath} names another hash, make the folder again.");
            stages.Add(new StageFacts(name, manifest, hash, run));
        }

        var training = stages.Find(stage => stage.Name == "training")
            ?? throw new UserErrorException($"{locate("training").Manifest}: not found; expected a model folder with its lineage, or the folder of a finished run.");
        var trainingResult = TrainingResult.Parse(Covered(training, result("training.json"), "training.json"));
        var evaluation = stages.Find(stage => stage.Name == "evaluation");
        var evaluated = evaluation is null ? null : Covered(evaluation, result("evaluation.json"), "evaluation.json");
        return new Lineage(stages, trainingResult, LanguageScore.ParseAll(evaluated), (evaluated?["model"] as JsonObject)?["weightsSha256"]?.ToString());
    }

    /// <summary>The content of a result file, once it is certain that it is the one its stage wrote.</summary>
    internal static byte[] CoveredBytes(StageFacts stage, string path, string output)
    {
        byte[] bytes = Read(path);
        string? expected = stage.Manifest.Outputs.FirstOrDefault(candidate => candidate.Path == output)?.Sha256;
        if (Manifest.Hash(bytes) != expected)
            throw new UserErrorException($"{path}: is not the file that the manifest of stage '{stage.Name}' names; make the folder again.");
        return bytes;
    }

    private static JsonObject Covered(StageFacts stage, string path, string output)
    {
        try
        {
            return JsonNode.Parse(CoveredBytes(stage, path, output)) as JsonObject ?? throw new JsonException("not an object");
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: not valid JSON; make the folder again.", exception);
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }
}

/// <summary>What one stage left.</summary>
internal sealed record StageFacts(string Name, Manifest Manifest, string ManifestSha256, RunRecord? Run);
