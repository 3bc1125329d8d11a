using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class EvaluateCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Repeats_the_results_of_the_run()
    {
        string output = Oellm.Succeeds("evaluate", "--model", run.Model, "--corpus", run.In("corpus"), "--tasks", "bits-per-byte", "--json", "--out", _folder.At("evaluation")).Output;
        var (again, first) = (JsonNode.Parse(output)!["languages"]!.AsObject(), JsonNode.Parse(run.Made.Output)!["languages"]!.AsObject());
        Assert.Equal(["en", "ga", "mt"], again.Select(language => language.Key));
        Assert.All(again, language => Assert.Equal((double)first[language.Key]!["bitsPerByte"]!, (double)language.Value!["bitsPerByte"]!));
        Oellm.Succeeds("verify", _folder.At("evaluation"));
    }

    [Fact]
    public void Scores_single_files_in_a_table()
    {
        string text = _folder.Write("letter.txt", "The capital of France is Paris. The weather is fine.");
        string table = Oellm.Succeeds("evaluate", "--model", run.Model, "--bits-per-byte", text).Output;
        Assert.Contains("letter.txt", table, StringComparison.Ordinal);
        Assert.Contains("bits/byte", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_questions_are_named()
    {
        string[] command = ["evaluate", "--model", run.Model];
        Oellm.Refuses(command, "--corpus", "--bits-per-byte");
        Oellm.Refuses([.. command, "--corpus", run.In("corpus"), "--tasks", "fact"], "'fact'", "did you mean 'facts'?");
        Oellm.Refuses([.. command, "--corpus", run.In("corpus"), "--heldout-bytes", "0"], "--heldout-bytes is 0; expected 1 or more.");
        Oellm.Refuses([.. command, "--corpus", _folder.Root], _folder.Root);
        Oellm.Refuses([.. command, "--corpus", run.In("tokens")], run.In("tokens"));
        Oellm.Refuses([.. command, "--bits-per-byte", _folder.At("nowhere.txt")], _folder.At("nowhere.txt"));
    }
}
