using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

public sealed class ManifestVerifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ManifestVerifierTests()
    {
        using (var corpus = AtomicDirectory.Create(_folder["run/corpus"], "corpus", new JsonObject { ["seed"] = 1 }))
        {
            Directory.CreateDirectory(Path.Combine(corpus.Path, "train"));
            File.WriteAllText(Path.Combine(corpus.Path, "train", "cs.jsonl"), "{}\n");
            File.WriteAllText(_folder["raw.txt"], "raw");
            File.WriteAllText(Path.Combine(corpus.Path, "raw.txt"), "an output of the same name");
            corpus.AddInputFile(_folder["raw.txt"], "raw.txt"); // from outside: only a name
            corpus.Commit();
        }

        using (var training = LiveDirectory.Open(_folder["run/training"], "training", []))
        {
            training.AddInputDirectory(_folder["run/corpus"]);
            using (var checkpoint = AtomicDirectory.Create(_folder["run/training/checkpoints/step-1"], "checkpoint", []))
            {
                File.WriteAllText(Path.Combine(checkpoint.Path, "model.safetensors"), "weights");
                checkpoint.Commit();
            }

            File.WriteAllText(_folder["run/training/metrics.jsonl"], "{\"step\":1}\n");
            training.Finish();
        }

        using var model = AtomicDirectory.Create(_folder["run/model"], "model", []);
        model.AddInputDirectory(_folder["run/training"]);
        File.WriteAllText(Path.Combine(model.Path, "README.md"), "# card");
        model.Commit();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_untouched_run_matches_also_after_it_was_moved()
    {
        var report = ManifestVerifier.Verify(_folder["run"]);
        Assert.Null(report.Problem);
        Assert.Equal((4, 1), (report.Folders, report.ExternalInputs));
        Directory.CreateDirectory(_folder["elsewhere"]);
        Directory.Move(_folder["run"], _folder["elsewhere/run"]);
        Assert.True(ManifestVerifier.Verify(_folder["elsewhere/run"]).Matches);
    }

    [Fact]
    public void A_changed_byte_in_any_file_is_found_and_named_also_after_the_run_was_moved()
    {
        Directory.Move(_folder["run"], _folder["moved"]);
        string[] files = Directory.GetFiles(_folder["moved"], "*", SearchOption.AllDirectories);
        Assert.Equal(5 + 2 * 4, files.Length); // text, its namesake, metrics, weights, card; manifest and run record of 4 folders
        foreach (string file in files)
        {
            byte[] original = File.ReadAllBytes(file);
            for (int position = 0; position < original.Length; position += Math.Max(1, original.Length / 23))
            {
                byte[] changed = [.. original];
                changed[position] ^= 1;
                File.WriteAllBytes(file, changed);
                var report = ManifestVerifier.Verify(_folder["moved"]);
                Assert.False(report.Matches, $"byte {position} of {file}");
                if (Path.GetFileName(file) is not ("manifest.json" or "run.json"))
                    Assert.Equal($"{Path.GetRelativePath(_folder["moved"], file)}: changed; its hash is not the one in the manifest", report.Problem);
            }

            File.WriteAllBytes(file, original);
        }

        Assert.True(ManifestVerifier.Verify(_folder["moved"]).Matches);
    }

    [Fact]
    public void A_changed_byte_in_an_input_is_found_from_the_folder_made_from_it()
    {
        File.WriteAllText(_folder["run/corpus/train/cs.jsonl"], "[]\n");
        Assert.Equal("../corpus/train/cs.jsonl: changed; its hash is not the one in the manifest", ManifestVerifier.Verify(_folder["run/model"]).Problem);
    }

    [Fact]
    public void A_folder_made_again_differently_breaks_the_chain()
    {
        using (var corpus = AtomicDirectory.Create(_folder["run/corpus"], "corpus", new JsonObject { ["seed"] = 2 }, replace: true))
        {
            File.WriteAllText(Path.Combine(corpus.Path, "cs.jsonl"), "{}\n");
            corpus.Commit();
        }

        Assert.True(ManifestVerifier.Verify(_folder["run/corpus"]).Matches);
        Assert.Equal("corpus/manifest.json: changed since training was made from it", ManifestVerifier.Verify(_folder["run"]).Problem);
    }

    [Theory]
    [InlineData("corpus/train/cs.jsonl", "corpus/train/cs.jsonl: missing")]
    [InlineData("corpus/run.json", "corpus/run.json: missing")]
    [InlineData("model/README.md", "model/README.md: missing")]
    [InlineData("corpus/manifest.json", "no manifest covers this file")]
    [InlineData("training/checkpoints/step-1/model.safetensors", "training/checkpoints/step-1/model.safetensors: missing")]
    public void A_missing_file_is_found(string file, string problem)
    {
        File.Delete(_folder["run/" + file]);
        Assert.Contains(problem, ManifestVerifier.Verify(_folder["run"]).Problem);
    }

    [Theory]
    [InlineData("model/extra.bin")]
    [InlineData("corpus/train/extra.jsonl")]
    [InlineData("training/checkpoints/step-2/weights")]
    [InlineData("loose.txt")]
    [InlineData("notes/loose.txt")]
    public void An_extra_file_is_found(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder["run/" + file])!);
        File.WriteAllText(_folder["run/" + file], "");
        Assert.StartsWith($"{file}: ", ManifestVerifier.Verify(_folder["run"]).Problem);
    }

    [Fact]
    public void A_missing_input_folder_is_counted_and_is_no_failure()
    {
        Directory.Move(_folder["run/model"], _folder["model"]);
        var report = ManifestVerifier.Verify(_folder["model"]);
        Assert.Equal((true, 1, 1), (report.Matches, report.Folders, report.ExternalInputs));
    }

    [Fact]
    public void A_folder_without_manifests_is_a_user_error()
    {
        Directory.CreateDirectory(_folder["empty"]);
        File.WriteAllText(_folder["empty/file"], "");
        Assert.Contains("no manifest.json", Assert.Throws<UserErrorException>(() => ManifestVerifier.Verify(_folder["empty"])).Message);
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => ManifestVerifier.Verify(_folder["nowhere"])).Message);
    }
}
