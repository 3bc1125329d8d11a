using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusPiiTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_would_be_masked_is_shown_by_language_and_rule_with_its_surroundings()
    {
        string file = _folder.Write("letter.txt", "Il-karta tal-identità tiegħi hija 1234567M. <script>alert(1)</script> IBAN: DE89370400440532013000, żur mitt.mt.");
        string[] lines = Oellm.Succeeds("corpus", "pii", file, "--lang", "mt", "--list", "--html", _folder.At("found.html")).Output.TrimEnd().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("mt  mt-identity-card  ⟦NATIONAL-ID⟧  …Il-karta tal-identità tiegħi hija [1234567M].", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("mt  iban  ⟦IBAN⟧", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("mt ", lines[3], StringComparison.Ordinal);
        Assert.EndsWith("iban 1, mt-identity-card 1", lines[3], StringComparison.Ordinal);
        string page = File.ReadAllText(_folder.At("found.html"));
        Assert.Contains("1234567M", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        JsonNode row = JsonNode.Parse(Oellm.Succeeds("corpus", "pii", file, "--json").Output)!;
        Assert.Equal(("und", 1), ((string?)row["language"], (int?)row["rules"]!["iban"]));
    }

    [Fact]
    public void A_language_that_is_none_is_refused() =>
        Oellm.Refuses(["corpus", "pii", _folder.Write("letter.txt", "Text."), "--lang", "xx"], "language 'xx' is unknown");
}
