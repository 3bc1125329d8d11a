using System.Text.Json.Nodes;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Cli.Tests;

public sealed class BenchBlocksTests
{
    [Fact]
    public void More_bits_lose_less_and_importance_helps_where_it_counts()
    {
        var rows = Oellm.Succeeds("bench", "blocks", "--rows", "2", "--json").Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToDictionary(row => (string)row["type"]!);
        Assert.Equal(BlockFormat.All.Where(format => format.IsQuantized).Select(format => format.Name).Order(), rows.Keys.Order());
        double Error(string type, string what = "error") => (double)rows[type][what]!;
        foreach (var (more, less) in new[] { ("Q8_0", "Q6_K"), ("Q6_K", "Q5_K"), ("Q5_K", "Q4_K"), ("Q4_K", "Q3_K"), ("Q3_K", "Q2_K"), ("Q5_0", "Q4_0"), ("Q5_1", "Q4_1") })
            Assert.True(Error(more) < Error(less), $"{more} loses {Error(more)}, {less} {Error(less)}");
        foreach (string type in rows.Keys.Where(type => type != "Q8_0"))
            Assert.True(Error(type, "weightedErrorWithImportance") < Error(type, "weightedError"), type);
        Assert.Equal(Error("Q8_0", "weightedError"), Error("Q8_0", "weightedErrorWithImportance"));
        Assert.InRange(Error("Q4_K"), 0.05, 0.08);
        Oellm.Refuses(["bench", "blocks", "--rows", "0"], "--rows is 0; expected 1 to 4096.");
    }
}
