using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class KeysCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Store => folder.At("keys.json");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_key_is_made_listed_replaced_and_revoked()
    {
        string key = Oellm.Succeeds("keys", "add", "--store", Store, "--name", "registry", "--days", "90", "--streams", "4").Output.Trim();
        Assert.Matches("^oellm_[0-9a-f]{12}_[0-9a-f]{64}$", key);
        string id = key.Substring(6, 12);
        string listed = Oellm.Succeeds("keys", "list", "--store", Store).Output;
        Assert.Contains(id, listed, StringComparison.Ordinal);
        Assert.Contains("registry", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(key[19..], listed + File.ReadAllText(Store), StringComparison.Ordinal);
        JsonNode next = JsonNode.Parse(Oellm.Succeeds("keys", "rotate", id, "--store", Store, "--json").Output)!;
        Assert.Equal((true, 4, "registry"), ((bool)next["valid"]!, (int)next["streams"]!, (string)next["name"]!));
        Oellm.Succeeds("keys", "revoke", id, "--store", Store);
        string[] valid = [.. Oellm.Succeeds("keys", "list", "--store", Store, "--json").Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).Where(entry => (bool)entry["valid"]!).Select(entry => (string)entry["id"]!)];
        Assert.Equal([(string)next["id"]!], valid);
        Oellm.Refuses(["keys", "revoke", id, "--store", Store], "was revoked before");
        Oellm.Refuses(["keys", "rotate", id, "--store", Store], "revoked or has expired");
    }

    [Fact]
    public void Settings_that_make_no_sense_are_refused()
    {
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", " "], "--name");
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", "a", "--scopes", "chat,modls"], "modls", "models");
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", "a", "--scopes", ","], "--scopes");
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", "a", "--days", "0"], "--days");
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", "a", "--tokens-per-day", "-5"], "--tokens-per-day");
        Oellm.Refuses(["keys", "revoke", "0123456789ab", "--store", Store], "0123456789ab");
        Assert.False(File.Exists(Store));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"version":2,"keys":[]}""")]
    [InlineData("""{"version":1,"keys":[null]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"0123456789ab","name":"a","sha256":"zz","scopes":["chat"],"created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"0123456789ab"}]}""")]
    public void A_file_that_is_no_store_is_refused_and_left_as_it_is(string content)
    {
        File.WriteAllText(Store, content);
        Oellm.Refuses(["keys", "list", "--store", Store], "keys.json", "'oellm keys add'");
        Oellm.Refuses(["keys", "add", "--store", Store, "--name", "a"], "keys.json");
        Assert.Equal(content, File.ReadAllText(Store));
    }
}
