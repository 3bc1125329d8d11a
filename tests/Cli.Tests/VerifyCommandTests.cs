using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli.Tests;

public sealed class VerifyCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Made()
    {
        string path = _folder.At("out");
        using var output = AtomicDirectory.Create(path, "test", []);
        File.WriteAllText(Path.Combine(output.Path, "a.txt"), "text");
        output.Commit();
        return path;
    }

    [Fact]
    public void Says_what_it_checked()
    {
        var (code, output, error) = Oellm.Run("verify", Made());
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("everything matches; files 3, folders 1, ", output);
    }

    [Fact]
    public void Names_the_first_thing_that_does_not_match()
    {
        string path = Made();
        File.WriteAllText(Path.Combine(path, "a.txt"), "test");
        Assert.Equal(new Outcome(2, "", $"oellm: {path}: does not match. a.txt: changed; its hash is not the one in the manifest.\n"), Oellm.Run("verify", path));
        var (code, output, _) = Oellm.Run("verify", path, "--json");
        Assert.Equal(2, code);
        Assert.False((bool)JsonNode.Parse(output)!["matches"]!);
        Assert.StartsWith("a.txt: changed", (string)JsonNode.Parse(output)!["problem"]!);
    }

    [Fact]
    public void Folders_that_are_none_of_ours_are_refused()
    {
        Oellm.Refuses(["verify", _folder.Root], _folder.Root, "manifest.json");
        Oellm.Refuses(["verify", _folder.At("nowhere")], _folder.At("nowhere"), "not found");
        Oellm.Refuses(["verify", _folder.Write("file", "x")], _folder.At("file"));
    }

    [Fact]
    public void A_whole_run_matches_where_it_was_made_and_after_it_was_moved()
    {
        Assert.Equal((0, ""), (run.VerifiedInPlace.Code, run.VerifiedInPlace.Error));
        Assert.False(Directory.Exists(run.MadeIn));
        string moved = Oellm.Succeeds("verify", run.Root).Output;
        Assert.Equal(run.VerifiedInPlace.Output.Replace(run.MadeIn, run.Root, StringComparison.Ordinal), moved);
        Assert.Contains("everything matches", moved, StringComparison.Ordinal);
        Assert.DoesNotContain("not checked", moved, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_alone_matches_and_what_it_came_from_is_counted_as_absent()
    {
        string report = Oellm.Succeeds("verify", _folder.Copy(run.Model, "model"), "--json").Output;
        Assert.True((bool)JsonNode.Parse(report)!["matches"]!);
        Assert.True((int)JsonNode.Parse(report)!["externalInputs"]! > 0);
    }

    [Fact]
    public void A_changed_byte_in_any_file_of_a_moved_run_is_found_and_the_file_is_named()
    {
        string copy = _folder.Copy(run.Root, "copy");
        string[] files = Directory.GetFiles(copy, "*", SearchOption.AllDirectories);
        Assert.InRange(files.Length, 60, 1000);
        foreach (string file in files)
        {
            byte[] bytes = File.ReadAllBytes(file);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
            Oellm.Refuses(["verify", copy], "does not match", Path.GetRelativePath(copy, file).Replace('\\', '/'));
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
        }
        Oellm.Succeeds("verify", copy);
    }

    [Fact]
    public void A_file_that_is_missing_cut_or_new_is_found()
    {
        string copy = _folder.Copy(run.Root, "copy"), weights = Path.Combine(copy, "model", "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        File.WriteAllBytes(weights, bytes[..^1]);
        Oellm.Refuses(["verify", copy], "model/model.safetensors", "bytes");
        File.Delete(weights);
        Oellm.Refuses(["verify", copy], "model/model.safetensors", "missing");
        File.WriteAllBytes(weights, bytes);
        string surplus = Path.Combine(copy, "training", "notes.txt");
        File.WriteAllText(surplus, "x");
        Oellm.Refuses(["verify", copy], "training/notes.txt", "does not list");
    }
}
