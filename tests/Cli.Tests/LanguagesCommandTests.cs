using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class LanguagesCommandTests
{
    [Fact]
    public void Languages_are_listed_one_a_line()
    {
        string output = Oellm.Succeeds("languages").Output;
        Assert.Equal(1 + 37, output.TrimEnd().Split('\n').Length);
        Assert.Contains("sr    srp    candidate    sr-Cyrl sr-Latn", output);
    }

    [Fact]
    public void Languages_are_listed_for_machines_too()
    {
        var rows = Oellm.Succeeds("languages", "--json").Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(37, rows.Count);
        Assert.Equal(24, rows.Count(row => (string)row["status"]! == "official" && (bool)row["sample"]!));
        Assert.Contains(rows, row => (string)row["code"]! == "ka" && (string)row["nativeName"]! == "ქართული" && !(bool)row["sample"]!);
    }

    [Fact]
    public async Task Output_that_cannot_be_written_is_the_user_s_affair()
    {
        await using var full = new ListeningWriter(_ => throw new IOException("No space left on device", 28));
        using var error = new StringWriter { NewLine = "\n" };
        int code = await Program.RunAsync(["languages"], full, error, TestContext.Current.CancellationToken);
        Oellm.Refused(new Outcome(code, "", error.ToString()), "standard output: the disk is full");
    }
}
