using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class TrainCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_plan_says_what_a_run_costs_and_writes_nothing()
    {
        string target = _folder.At("run");
        var plan = JsonNode.Parse(Oellm.Succeeds("train", run.In("recipe.jsonc"), "--plan", "--json", "--out", target, "model.layers=4", "training.tokens=1000000").Output)!;
        Assert.Equal(["dial", "flops", "memory", "memoryBytes", "parameters", "productFlopsPerSecond", "seconds", "steps", "tokens"], plan.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.True((long)plan["tokens"]! >= 1_000_000);
        Assert.Equal(6.0 * (long)plan["parameters"]! * (long)plan["tokens"]!, (double)plan["flops"]!, 1.0);
        Assert.Equal("192", (string)plan["dial"]!["model.width"]!);
        Assert.False(Path.Exists(target));
        string table = Oellm.Succeeds("train", run.In("recipe.jsonc"), "--plan", "--out", target).Output;
        foreach (string row in (string[])["model.width", "parameters", "operations", "memory", "time", "GFLOP/s"]) Assert.Contains(row, table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", null)]
    [InlineData("3", null)]
    [InlineData("2", "DOTNET_EnableAVX512")]
    public void The_same_bits_with_any_number_of_threads_and_any_instruction_set(string threads, string? switchedOff)
    {
        string target = Prepared("other");
        string[] command = ["train", run.In("recipe.jsonc"), "--out", target, "--threads", threads, "--json"];
        var outcome = switchedOff is null ? Oellm.Run(command) : Oellm.Process(command, variable: switchedOff);
        Assert.True(outcome.Code == 0, outcome.Error);
        Assert.Equal(JsonNode.Parse(File.ReadAllText(run.In("training", "training.json")))!.ToJsonString(), JsonNode.Parse(outcome.Output)!.ToJsonString());
        Assert.Equal(SmallRun.Results(run.Root, "training"), SmallRun.Results(target, "training"));
    }

    [Theory]
    [InlineData("train.idx", true, "train.idx")]
    [InlineData("train.idx", false, "train.idx")]
    [InlineData("train.bin", false, "train.bin")]
    public void A_corrupt_token_shard_in_a_finished_folder_is_named(string file, bool header, string named)
    {
        string target = Prepared("damaged"), shard = Path.Combine(target, "tokens", file);
        byte[] bytes = File.ReadAllBytes(shard);
        if (header) bytes[0] ^= 0xff;
        File.WriteAllBytes(shard, header ? bytes : bytes[..^100]);
        Oellm.Refuses(["train", run.In("recipe.jsonc"), "--out", target], named);
        Assert.False(Path.Exists(Path.Combine(target, "training", "training.json")));
    }

    [Fact]
    public void Other_settings_in_the_folder_of_a_finished_training_are_refused() =>
        Oellm.Refuses(["train", run.In("recipe.jsonc"), "training.learningRate=0.001", "--out", run.Root], "training", "other settings", "--out");

    /// <summary>The stages before training, of the small run.</summary>
    private string Prepared(string name)
    {
        foreach (string stage in (string[])["corpus", "tokenizer", "tokens"]) _folder.Copy(run.In(stage), Path.Combine(name, stage));
        return _folder.At(name);
    }
}
