using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CardCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Prints_the_card_with_its_front_matter()
    {
        string card = Oellm.Succeeds("card", run.Model).Output;
        Assert.StartsWith("---\n", card, StringComparison.Ordinal);
        string front = card[4..card.IndexOf("\n---\n", 4, StringComparison.Ordinal)];
        Assert.Contains("license: \"apache-2.0\"", front, StringComparison.Ordinal);
        Assert.Contains("- name: \"quickstart\"", front, StringComparison.Ordinal);
        foreach (string language in (string[])["en", "ga", "mt"]) Assert.Contains($"\n- \"{language}\"\n", front, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(Path.Combine(run.Model, "README.md")), card);
        Assert.Equal(card, Oellm.Succeeds("card", run.Root).Output);
        Assert.Equal(card, (string)JsonNode.Parse(Oellm.Succeeds("card", run.Model, "--json").Output)!["card"]!);
    }

    [Fact]
    public void A_folder_without_lineage_is_refused()
    {
        Oellm.Refuses(["card", _folder.Root], _folder.Root);
        Oellm.Refuses(["card", _folder.At("nowhere")], _folder.At("nowhere"), "not found");
    }

    [Fact]
    public void A_changed_result_is_refused()
    {
        string model = _folder.Copy(run.Model, "model"), evaluation = Path.Combine(model, "lineage", "evaluation.json");
        File.WriteAllText(evaluation, File.ReadAllText(evaluation).Replace("0.", "1.", StringComparison.Ordinal));
        Oellm.Refuses(["card", model], "evaluation.json");
    }
}
