using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency.Tests;

/// <summary>A small run written by hand: the same bytes at every writing.</summary>
internal sealed class MadeUpRun : IDisposable
{
    private readonly double? _joules;

    public MadeUpRun(string source = "oellm-sample", string license = "Apache-2.0", string language = "cs", string reason = "too-short", string? name = null, double? joules = null, bool facts = true)
    {
        _joules = joules;
        string training = new JsonObject
        {
            ["parameters"] = 3_412_000,
            ["layers"] = 4,
            ["width"] = 192,
            ["heads"] = 6,
            ["keyValueHeads"] = 3,
            ["headDimension"] = 32,
            ["hidden"] = 512,
            ["vocabularySize"] = 4096,
            ["contextLength"] = 256,
            ["steps"] = 4,
            ["batchTokens"] = 2048,
            ["tokens"] = 1_200_000,
            ["epochs"] = 8.5,
            ["flops"] = 2.53e13,
            ["finalTrainLoss"] = 0.81234,
            ["weightsSha256"] = new string('a', 64),
            ["heldoutLoss"] = new JsonObject { [language] = 0.9 },
            ["heldoutBitsPerByte"] = new JsonObject { [language] = 0.42 },
            ["dial"] = new JsonArray(new JsonObject { ["setting"] = "model.width", ["value"] = "192", ["reason"] = "64 + 32 · layers" }, new JsonObject { ["setting"] = "training.learningRate", ["value"] = "0.004", ["reason"] = reason }),
        }.ToJsonString();
        var score = new JsonObject { ["bitsPerByte"] = 0.4213, ["heldoutBytes"] = 12_345, ["heldoutDocuments"] = 20 };
        if (facts)
        {
            foreach (var (key, value) in new JsonObject
            {
                ["seenAccuracy"] = 0.975,
                ["seenItems"] = 40,
                ["seenInterval"] = new JsonArray(0.871, 0.996),
                ["unseenAccuracy"] = 0.85,
                ["unseenItems"] = 20,
                ["unseenInterval"] = new JsonArray(0.64, 0.948),
                ["chance"] = 0.25,
                ["generatedExact"] = 0.5,
                ["generatedItems"] = 20,
                ["generatedInterval"] = new JsonArray(0.299, 0.701),
            }) score[key] = value?.DeepClone();
        }

        string evaluation = new JsonObject
        {
            ["model"] = new JsonObject { ["weightsSha256"] = new string('b', 64) },
            ["languages"] = new JsonObject
            {
                [language] = score,
                ["fi"] = new JsonObject { ["bitsPerByte"] = 1.9, ["heldoutBytes"] = 900, ["unseenAccuracy"] = 0.3, ["unseenItems"] = 20, ["unseenInterval"] = new JsonArray(0.145, 0.519), ["chance"] = 0.25 },
            },
        }.ToJsonString();
        const string metrics = """
            {"step":1,"tokens":2048,"loss":8.31,"learningRate":0.001,"gradientNorm":2.5}
            {"step":2,"tokens":4096,"loss":5.5,"learningRate":0.004,"gradientNorm":1.5}
            {"step":2,"heldoutLoss":{"cs":5.25,"fi":6}}
            {"step":3,"tokens":6144,"loss":null}
            {"step":4,"tokens":8192,"loss":0.81234,"learningRate":0.0001,"gradientNorm":0.5}
            {"step":4,"heldoutLoss":{"cs":0.9,"fi":4.2}}
            """;
        var steps = new JsonArray(new JsonObject { ["step"] = "rights-reserved" }, new JsonObject { ["step"] = "personal-data", ["mode"] = "Mask" });
        Stage("corpus", [], new JsonObject { ["seed"] = 1, ["steps"] = steps },
            new("personal-data", "found-iban", language, source, license, 4, 800), new("personal-data", "changed", language, source, license, 4, 800), new("personal-data", "became", language, source, license, 4, 790),
            new("read", "read", language, source, license, 110, 20_000), new("read", "read", "fi", "law", "CC BY-SA 3.0", 30, 9_000), new("min-words", reason, language, source, license, 10, 200),
            new("normalise", "changed", language, source, license, 7, 900), new("split", "held-out", language, source, license, 10, 1_800), new("split", "train", language, source, license, 90, 18_000),
            new("split", "train", "fi", "law", "CC BY-SA 3.0", 30, 9_000), new("examination", "seen", language, source, null, 40));
        Stage("tokenizer", new() { ["tokenizer.json"] = "{}" }, new JsonObject { ["vocabularySize"] = 4096 });
        Stage("tokens", new() { ["train.bin"] = "x" }, [], new("tokenize", "train", language, Tokens: 5_000), new ManifestCount("tokenize", "held-out", language, Tokens: 600));
        var settings = new JsonObject { ["seed"] = 1, ["model"] = new JsonObject { ["layers"] = 4 }, ["prompts"] = new JsonArray() };
        if (name is not null) settings["name"] = name;
        Stage("training", new() { ["training.json"] = training, ["metrics.jsonl"] = metrics.ReplaceLineEndings("\n") + "\n" }, settings);
        Stage("export", new() { ["model.safetensors"] = "w" }, []);
        Stage("evaluation", new() { ["evaluation.json"] = evaluation }, []);
        Directory.CreateDirectory(At("model/lineage"));
        foreach (string stage in Lineage.StageNames)
        {
            File.Copy(At($"{stage}/manifest.json"), At($"model/lineage/{stage}.manifest.json"));
            File.Copy(At($"{stage}/run.json"), At($"model/lineage/{stage}.run.json"));
        }

        File.Copy(At("training/training.json"), At("model/lineage/training.json"));
        File.Copy(At("evaluation/evaluation.json"), At("model/lineage/evaluation.json"));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("oellm-transparency-").FullName;

    public string Model => At("model");

    public string At(string path) => Path.Combine(Folder, path);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Stage(string stage, Dictionary<string, string> files, JsonObject settings, params ManifestCount[] counts)
    {
        Directory.CreateDirectory(At(stage));
        foreach (var (name, content) in files) File.WriteAllText(At($"{stage}/{name}"), content);
        var manifest = new Manifest(stage, settings, [],
            [.. files.Select(file => new ManifestOutput(file.Key, Encoding.UTF8.GetByteCount(file.Value), Manifest.Hash(Encoding.UTF8.GetBytes(file.Value))))], counts, "0.1.0+madeup");
        var start = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var run = new RunRecord(manifest.Sha256(), [], start, start.AddSeconds(90), 90, "linux-x64, Example CPU", 2, 2, _joules,
            _joules is null ? "not measured: no readable counters" : "processor package counters (1)", 750_000_000);
        File.WriteAllBytes(At($"{stage}/manifest.json"), manifest.ToJson());
        File.WriteAllBytes(At($"{stage}/run.json"), run.ToJson());
    }
}

internal static class Repository
{
    public static string Golden(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenEuroLLM.slnx"))) return Path.Combine(folder.FullName, "tests", "Transparency.Tests", "Golden", name);
        throw new InvalidOperationException("The tests must run from inside the repository.");
    }
}
