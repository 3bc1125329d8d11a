using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class PersonalDataStepTests : IDisposable
{
    private const string Account = "DE89370400440532013000";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Manifest Build(string name, PersonalData step) => CorpusStage.Run(
        new CorpusConfig(_folder["texts"], ["de"], [step], HeldOutShare: 0), _folder[name], new LocalLauncher(2), cancellation: TestContext.Current.CancellationToken);

    private string[] Texts(string name) => [.. File.ReadAllLines(_folder[name + "/train/de-00000.jsonl"]).Select(line => (string)JsonNode.Parse(line)!["text"]!)];

    private void Write() => _folder.Write("texts/a.jsonl", string.Concat(new[] { $"Bitte an {Account} zahlen, danke.", "Hier steht nichts davon.", $"Wieder {Account}, und a.b@firma-nord.de auch." }
        .Select((text, i) => Encoding.UTF8.GetString(new Document($"{i}", text, "de", "s", "l").ToJsonLine()) + "\n")));

    [Fact]
    public void Accounts_are_masked_counted_and_recorded_without_the_account()
    {
        Write();
        Manifest manifest = Build("out", new PersonalData());
        string[] texts = Texts("out");
        Assert.All(texts, text => Assert.DoesNotContain(Account, text, StringComparison.Ordinal));
        Assert.Equal(2, texts.Count(text => text.Contains(Placeholder.Of(PersonalDataType.Iban), StringComparison.Ordinal)));
        Assert.Contains("Hier steht nichts davon.", texts);
        Assert.Equal(2, manifest.Counts.Single(count => count is { Step: "personal-data", Reason: "found-iban" }).Documents);
        Assert.Equal(2, manifest.Counts.Single(count => count is { Step: "personal-data", Reason: "changed" }).Documents);
        string ledger = File.ReadAllText(_folder["out/ledger.jsonl"]);
        Assert.DoesNotContain(Account, ledger, StringComparison.Ordinal);
        JsonNode[] lines = [.. ledger.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(["0", "2"], lines.Select(line => (string?)line["id"]));
        Assert.All(lines, line => Assert.Contains(line["record"]!["findings"]!.AsArray(), finding => (string?)finding!["type"] == "iban" && (int)finding["version"]! >= 1 && (string?)finding["tier"] == "A"));
    }

    [Fact]
    public void Surrogates_are_the_same_for_the_same_and_follow_the_key_file()
    {
        Write();
        _folder.Write("key", "0123456789abcdef0123456789abcdef");
        Manifest first = Build("one", new PersonalData(PersonalDataMode.Surrogate, KeyFile: _folder["key"]));
        string[] accounts = [.. Texts("one").Where(text => text.Contains("DE", StringComparison.Ordinal)).Select(text => text[text.IndexOf("DE", StringComparison.Ordinal)..][..22])];
        Assert.Equal(2, accounts.Length);
        Assert.Equal(accounts[0], accounts[1]);
        Assert.NotEqual(Account, accounts[0]);
        Assert.DoesNotContain("0123456789abcdef", File.ReadAllText(_folder["one/manifest.json"]), StringComparison.Ordinal);
        _folder.Write("key", "fedcba9876543210fedcba9876543210");
        Manifest second = Build("two", new PersonalData(PersonalDataMode.Surrogate, KeyFile: _folder["key"]));
        Assert.NotEqual(first.Sha256(), second.Sha256());
        Assert.DoesNotContain(Texts("two"), text => text.Contains(accounts[0], StringComparison.Ordinal));
    }

    [Fact]
    public void Documents_are_dropped_or_only_counted_as_the_recipe_says()
    {
        Write();
        Assert.Single(Texts2(Build("dropped", new PersonalData(PersonalDataMode.Drop)), "dropped"));
        Manifest counted = Build("counted", new PersonalData(PersonalDataMode.Count));
        Assert.Equal(2, Texts("counted").Count(text => text.Contains(Account, StringComparison.Ordinal)));
        Assert.Contains(counted.Counts, count => count.Reason == "found-iban");
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => Build("none", new PersonalData(PersonalDataMode.Surrogate, KeyFile: _folder["nokey"]))).Message, StringComparison.Ordinal);

        string[] Texts2(Manifest manifest, string name)
        {
            Assert.Equal(2, manifest.Counts.Single(count => count is { Step: "personal-data", Reason: "personal-data" }).Documents);
            return Texts(name);
        }
    }
}
