using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class BenchSpeculateTests(SmallRun run)
{
    [Fact]
    public void Guessing_ahead_is_compared_with_the_same_tokens()
    {
        var result = JsonNode.Parse(Oellm.Succeeds("bench", "speculate", "--model", run.Model, "--prompt", "one two one two one two", "--new-tokens", "40", "--runs", "2", "--seconds", "0", "--threads", "1", "--json").Output)!;
        Assert.True((double)result["ratio"]! > 0);
        Assert.Equal(2, (int)result["pairs"]!);
        Assert.InRange((int)result["acceptedTokens"]!, 0, (int)result["guessedTokens"]!);
        Oellm.Refuses(["bench", "speculate", "--model", run.Model, "--speculate", "0", "--runs", "1"], "--speculate is 0; expected 1 to 64.");
    }
}
