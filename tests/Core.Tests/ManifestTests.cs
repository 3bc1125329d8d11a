using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

public sealed class ManifestTests
{
    private static readonly string _hash = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));

    public static TheoryData<string> Stages => [.. Golden.Keys];

    /// <summary>What each stage of a run records, with its real names of files, inputs and counts. Out of order on purpose.</summary>
    private static readonly Dictionary<string, Manifest> Golden = new[]
    {
        Make("corpus", """{"steps":[{"step":"min-words","words":5}],"seed":1,"source":"sample"}""", ["sample/fi.json", "sample/cs.json"], ["train/fi-00000.jsonl", "heldout/cs.jsonl", "train/cs-00000.jsonl"],
            new("min-words", "too-short", "fi", "sample", "Apache-2.0", 3, 120), new("min-words", "kept", "cs", "sample", "Apache-2.0", 40, 9_000), new("min-words", "kept", "cs", "sample", "Apache-2.0", 2, 300)),
        Make("tokenizer", """{"vocabularySize":4096}""", ["../corpus/manifest.json"], ["tokenizer.json", "chat_template.jinja", "tokenizer_config.json"]),
        Make("tokens", "{}", ["../tokenizer/manifest.json", "../corpus/manifest.json"], ["train.idx", "train.bin", "heldout-cs.bin", "heldout-cs.idx"],
            new ManifestCount("tokenize", "kept", "cs", Documents: 40, Bytes: 9_000, Tokens: 2_000)),
        Make("checkpoint", """{"step":100}""", ["../../../tokens/manifest.json"], ["model.safetensors", "optimizer.safetensors"]),
        Make("training", """{"learningRate":0.0003,"layers":4}""", ["../tokens/manifest.json"], ["training.json", "recipe.jsonc", "metrics.jsonl", "checkpoints/step-100/manifest.json"]),
        Make("export", """{"dtype":"bf16"}""", ["../training/manifest.json"], ["model.safetensors", "config.json"]),
        Make("evaluation", """{"tasks":["facts"]}""", ["../export/manifest.json", "../corpus/manifest.json"], ["evaluation.json"], new ManifestCount("facts", "scored", "cs", Documents: 20)),
        Make("model", "{}", ["../evaluation/manifest.json", "../export/manifest.json"], ["README.md", "lineage/corpus.manifest.json", "model.safetensors"]),
        Make("report", """{"title":"Zpráva „o modelu“ <&>"}""", ["../model/manifest.json"], ["report.md", "report.html"]),
    }.ToDictionary(manifest => manifest.Stage);

    private static Manifest Make(string stage, string settings, string[] inputs, string[] outputs, params ManifestCount[] counts) => new(
        stage, JsonNode.Parse(settings)!.AsObject(), [.. inputs.Select(path => new ManifestInput(path, _hash, path.EndsWith("manifest.json", StringComparison.Ordinal) ? _hash : null))],
        [.. outputs.Select(path => new ManifestOutput(path, path.Length, _hash))], counts, "0.1.0+golden");

    [Theory, MemberData(nameof(Stages))]
    public void The_manifest_of_a_stage_has_its_golden_bytes(string stage)
    {
        string file = Path.Combine(Repository.Root, "tests", "Core.Tests", "Golden", $"{stage}.manifest.json");
        Assert.Equal(File.ReadAllText(file), Encoding.UTF8.GetString(Golden[stage].ToJson()));
    }

    [Theory, MemberData(nameof(Stages))]
    public void Reading_and_writing_again_gives_the_same_bytes(string stage)
    {
        byte[] json = Golden[stage].ToJson();
        Assert.Equal(json, Manifest.Parse(json, "here").ToJson());
        Assert.Equal(Golden[stage].Sha256(), Manifest.Hash(json));
    }

    [Theory]
    [InlineData("""{"format":"oellm-manifest-2","stage":"x"}""", "format is 'oellm-manifest-2'; expected 'oellm-manifest-1'")]
    [InlineData("""{"format":"oellm-manifest-1","format":"oellm-manifest-1"}""", "not a manifest")]
    [InlineData("""{"format":"oellm-manifest-1","stage":"x","settings":{},"inputs":[],"outputs":[{"path":"../x","bytes":1,"sha256":"0"}],"counts":[],"codeVersion":"1"}""", "'../x' is not a path inside the folder")]
    [InlineData("""{"format":"oellm-manifest-1","stage":"x","settings":{},"inputs":[],"outputs":[{"path":"/etc/x","bytes":1,"sha256":"0"}],"counts":[],"codeVersion":"1"}""", "'/etc/x' is not a path inside the folder")]
    [InlineData("""{"format":"oellm-manifest-1","stage":"x","settings":[],"inputs":[],"outputs":[],"counts":[],"codeVersion":"1"}""", "not a manifest")]
    [InlineData("""{"format":"oellm-manifest-1","stage":"x","settings":{},"inputs":[],"counts":[],"codeVersion":"1"}""", "'outputs' is missing")]
    [InlineData("[]", "not a manifest")]
    [InlineData("{", "not a manifest")]
    [InlineData("", "not a manifest")]
    public void A_malformed_manifest_is_refused_in_one_line(string json, string message)
    {
        string found = Assert.Throws<UserErrorException>(() => Manifest.Parse(Encoding.UTF8.GetBytes(json), "dir/manifest.json")).Message;
        Assert.StartsWith("dir/manifest.json: ", found);
        Assert.Contains(message, found);
        Assert.DoesNotContain('\n', found);
    }

    [Fact]
    public void Every_changed_byte_of_a_run_record_is_found()
    {
        var record = new RunRecord(_hash, [new("../a/run.json", _hash)], new(2026, 11, 22, 1, 2, 3, 456, TimeSpan.FromHours(1)), new(2026, 11, 22, 2, 2, 3, TimeSpan.Zero),
            7200.5, "linux-x64", 2, 1, null, "not measured", 1_000_000);
        byte[] json = record.ToJson();
        var read = RunRecord.Parse(json, "run.json");
        Assert.Equal(json, read.ToJson());
        Assert.Equal(record with { Inputs = read.Inputs }, read);
        Assert.Contains("\"startedUtc\": \"2026-11-22T00:02:03.456Z\"", Encoding.UTF8.GetString(json));
        for (int i = 0; i < json.Length; i++)
        {
            json[i] ^= 1;
            Assert.Throws<UserErrorException>(() => RunRecord.Parse(json, "run.json"));
            json[i] ^= 1;
        }

        Assert.Throws<UserErrorException>(() => RunRecord.Parse([.. json, (byte)'\n'], "run.json"));
    }
}
