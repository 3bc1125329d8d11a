using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency.Tests;

public sealed class ModelCardTests
{
    [Fact]
    public void The_card_of_a_known_run_is_golden()
    {
        using var run = new MadeUpRun();
        Assert.Equal(File.ReadAllText(Repository.Golden("card.md")), ModelCard.Render(run.Model));
    }

    [Fact]
    public void Model_folder_and_run_folder_give_the_same_card_wherever_they_lie_and_whatever_the_culture()
    {
        using MadeUpRun first = new(), second = new();
        string card = ModelCard.Render(first.Model);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("fi-FI");
            Assert.Equal(card, ModelCard.Render(second.Folder));
            Directory.Delete(second.Model, recursive: true);
            Assert.Equal(card, ModelCard.Render(second.Folder));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void What_was_not_measured_is_said_and_what_was_is_told()
    {
        using (var run = new MadeUpRun()) Assert.Contains("Energy of training: not measured: no readable counters.", ModelCard.Render(run.Model));
        using (var run = new MadeUpRun(joules: 7_200_000)) Assert.Contains("Energy of training: 7.20e6 J (2 kWh), processor package counters (1).", ModelCard.Render(run.Model));
    }

    [Fact]
    public void Limitations_follow_from_the_facts()
    {
        using (var run = new MadeUpRun())
        {
            string card = ModelCard.Render(run.Model);
            Assert.Contains("not distinguishable from guessing in: fi.", card);
            Assert.Contains("share-alike", card);
            Assert.Contains("repeated 8.5 times", card);
            Assert.DoesNotContain("generated from templates", card); // the law texts are real
            Assert.DoesNotContain("There is training text but no evaluation", card);
        }

        using (var run = new MadeUpRun(facts: false)) Assert.Contains("| cs | 0.421 | 12.3 kB | – | – | – | – | – |", ModelCard.Render(run.Model));
    }

    [Fact]
    public void Without_an_evaluation_the_card_says_so()
    {
        using var run = new MadeUpRun();
        foreach (string file in (string[])["evaluation.manifest.json", "evaluation.run.json", "evaluation.json"]) File.Delete(run.At("model/lineage/" + file));
        string card = ModelCard.Render(run.Model);
        Assert.Contains("  results: []\n", card);
        Assert.Contains("No evaluation was recorded.", card);
    }

    [Theory]
    [InlineData("training.json", "is not the file that the manifest of stage 'training' names")]
    [InlineData("evaluation.json", "is not the file that the manifest of stage 'evaluation' names")]
    [InlineData("training.manifest.json", "names another hash")]
    [InlineData("corpus.run.json", "does not match the hash it carries of itself")]
    public void A_changed_file_is_refused(string file, string message)
    {
        using var run = new MadeUpRun();
        string path = run.At("model/lineage/" + file);
        File.WriteAllText(path, File.ReadAllText(path).Replace('0', '1'));
        string found = Assert.Throws<UserErrorException>(() => ModelCard.Render(run.Model)).Message;
        Assert.Contains(message, found);
        Assert.DoesNotContain('\n', found);
    }

    [Fact]
    public void A_folder_without_lineage_is_refused()
    {
        using var run = new MadeUpRun();
        Assert.Contains("not found; expected a model folder", Assert.Throws<UserErrorException>(() => ModelCard.Render(run.At("corpus"))).Message);
        Assert.Contains("not found; expected a model folder", Assert.Throws<UserErrorException>(() => ModelCard.Render(run.At("nowhere"))).Message);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("a\n---\nlicense: evil\n# heading")]
    [InlineData("cell | another | cell")]
    [InlineData("[click](javascript:alert(1)) ![x](http://evil.example/x.png)")]
    [InlineData("\"quoted\" 'single' \\ back")]
    [InlineData("\u202Edesrever\u0000\u001b[31m")]
    [InlineData("- item: &anchor *alias {}")]
    public void Hostile_names_stay_text(string hostile)
    {
        using var run = new MadeUpRun(source: hostile, license: hostile, reason: hostile, name: hostile);
        string[] lines = ModelCard.Render(run.Model).Split('\n');
        int end = Array.IndexOf(lines, "---", 1);
        Assert.Equal("---", lines[0]);
        Assert.All(lines[1..end], line => Assert.Matches("""^( *- )?("([^"\\]|\\.)*"|[a-z_]+:|[a-z_-]+: (\[\]|"([^"\\]|\\.)*"|[a-z_.0-9-]+)|[a-z-]+:)$""", line.TrimStart()));
        string body = string.Join('\n', lines[(end + 1)..]);
        Assert.DoesNotContain("<script", body);
        Assert.DoesNotMatch("""(?<!\\)\]\(""", body);
        Assert.DoesNotContain('\u202E', body);
        Assert.DoesNotContain('\0', body);
        Assert.DoesNotContain("\n# heading", body);
        Assert.DoesNotContain("\nlicense: evil", body);
        // No cell of a table was split or joined.
        foreach (var table in body.Split("\n\n").Where(block => block.StartsWith('|')))
            Assert.Single(table.TrimEnd('\n').Split('\n').Select(line => line.Replace("\\\\", "", StringComparison.Ordinal).Replace("\\|", "", StringComparison.Ordinal).Count(letter => letter == '|')).Distinct());
    }
}
