using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

public sealed class LiveDirectoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Checkpoint(int step)
    {
        using var checkpoint = AtomicDirectory.Create(_folder[$"run/checkpoints/step-{step}"], "checkpoint", new JsonObject { ["step"] = step });
        File.WriteAllText(Path.Combine(checkpoint.Path, "weights"), $"{step}");
        checkpoint.Commit();
    }

    [Fact]
    public void Does_not_exist_for_readers_until_it_is_finished()
    {
        using (var run = LiveDirectory.Open(_folder["run"], "training", []))
        {
            File.WriteAllText(_folder["run/metrics.jsonl"], "{}\n");
            Checkpoint(10);
        }

        Assert.Throws<UserErrorException>(() => Manifest.Read(PhysicalFileSystem.Instance, _folder["run"]));
        Assert.Contains("no manifest covers", ManifestVerifier.Verify(_folder["run"]).Problem);

        using (var resumed = LiveDirectory.Open(_folder["run"], "training", []))
        {
            Checkpoint(20);
            var manifest = resumed.Finish();
            Assert.Equal(
                ["checkpoints/step-10/manifest.json", "checkpoints/step-20/manifest.json", "metrics.jsonl"],
                manifest.Outputs.Select(output => output.Path));
        }

        Assert.True(ManifestVerifier.Verify(_folder["run"]).Matches);
        Assert.Contains("is finished", Assert.Throws<UserErrorException>(() => LiveDirectory.Open(_folder["run"], "training", [])).Message);
        var record = RunRecord.Parse(File.ReadAllBytes(_folder["run/run.json"]), "run.json");
        Assert.Null(record.EnergyJoules);
        Assert.Contains("resumed", record.EnergySource);
    }

    [Fact]
    public void Opening_again_removes_what_a_killed_run_was_writing()
    {
        Directory.CreateDirectory(_folder["run/checkpoints/step-30.partial-999999999"]);
        File.WriteAllText(_folder["run/checkpoints/step-30.partial-999999999/weights"], "half");
        using var run = LiveDirectory.Open(_folder["run"], "training", []);
        Assert.Empty(Directory.GetDirectories(_folder["run/checkpoints"]));
    }

    [Fact]
    public void A_failure_while_finishing_leaves_no_manifest_and_finishing_again_works()
    {
        using (LiveDirectory.Open(_folder["run"], "training", [])) Checkpoint(1);
        var counting = new FaultyFileSystem(0, () => new IOException());
        int opened;
        using (var run = LiveDirectory.Open(_folder["run"], "training", [], counting))
        {
            opened = counting.Operations;
            run.Finish();
        }

        byte[] manifest = File.ReadAllBytes(_folder["run/manifest.json"]);
        for (int failAt = opened + 1; failAt < counting.Operations; failAt++)
        {
            File.Delete(_folder["run/manifest.json"]);
            using (var run = LiveDirectory.Open(_folder["run"], "training", [], new FaultyFileSystem(failAt, () => new IOException("disk gone"), dead: true)))
                Assert.Throws<UserErrorException>(() => run.Finish());
            if (!File.Exists(_folder["run/manifest.json"]))
            {
                using var again = LiveDirectory.Open(_folder["run"], "training", []);
                again.Finish();
            }

            Assert.True(ManifestVerifier.Verify(_folder["run"]).Matches);
            Assert.Equal(manifest, File.ReadAllBytes(_folder["run/manifest.json"]));
        }
    }
}
