using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Cli.Tests;

public sealed class DoctorCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sound_installation_is_called_so()
    {
        string keys = _folder.At("keys.json"), audit = _folder.At("audit.db");
        new KeyStore(keys).Add(new ApiKey("", "a test", "", KeyScope.Usual, default));
        SqliteAuditStore.Open(audit).Dispose();

        Outcome outcome = Oellm.Succeeds("doctor", "--model", run.Model, "--port", "0", "--keys", keys, "--audit", audit);

        string[] lines = outcome.Output.TrimEnd('\n').Split('\n');
        foreach (string check in (string[])["program", "instructions", "processors", "memory", "large pages", "speed", "clock", "model", "tokenizer", "port", "keys", "certificate", "audit", "disk", "network"])
            Assert.Contains(lines, line => line.Length > 6 && line[6..].StartsWith(check, StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("1 of 1 keys are valid", StringComparison.Ordinal) && line.StartsWith("ok", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("all 1 rows are as they were written", StringComparison.Ordinal));
        Assert.EndsWith("0 do not work", lines[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.At("."), ".oellm-doctor-*"));
    }

    [Fact]
    public void What_does_not_work_is_named_with_what_to_do_and_the_rest_is_looked_at_all_the_same()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string keys = _folder.At("keys.json"), audit = _folder.Write("audit.db", new string('x', 5000));
        new KeyStore(keys).Add(new ApiKey("", "a test", "", KeyScope.Usual, default));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Outcome outcome = Oellm.Run("doctor", "--model", _folder.At("none"), "--port", ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--keys", keys, "--audit", audit, "--certificate", _folder.At("none.pem"), "--certificate-key", _folder.At("none.pem"), "--json");

        Assert.Equal(2, outcome.Code);
        Dictionary<string, (string Health, string? Advice)> found = outcome.Output.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!).Where(node => (string)node["check"]! != "disk")
            .ToDictionary(node => (string)node["check"]!, node => ((string)node["health"]!, (string?)node["advice"]));
        foreach (string check in (string[])["model", "tokenizer", "audit", "certificate"]) Assert.Equal("fail", found[check].Health);
        Assert.Equal("warn", found["port"].Health);
        if (!OperatingSystem.IsWindows()) Assert.Contains("chmod 600", found["keys"].Advice, StringComparison.Ordinal);
        Assert.All(found.Values.Where(finding => finding.Health != "ok"), finding => Assert.False(string.IsNullOrEmpty(finding.Advice)));
    }

    [Fact]
    public void Limits_of_a_container_are_seen()
    {
        Assert.Equal(1.5, DoctorMachine.Quota(["150000 100000"]));
        Assert.Null(DoctorMachine.Quota(["max 100000"]));
        Assert.Null(DoctorMachine.Quota([]));
        Finding limited = DoctorMachine.Processors(2, 8, 1.5);
        Assert.Equal((Health.Warn, "2 usable of 8, control group allows 1.5"), (limited.Health, limited.Found));
        Assert.Contains("--threads 1", limited.Advice, StringComparison.Ordinal);
        Assert.Equal(Health.Ok, DoctorMachine.Processors(2, 2, null).Health);
        Assert.Equal(Health.Fail, DoctorMachine.Memory(1 << 20).Health);
        Assert.Equal((Health.Warn, "switched off"), (DoctorMachine.LargePages(["always madvise [never]"]).Health, DoctorMachine.LargePages(["always madvise [never]"]).Found));
        Assert.Equal("madvise", DoctorMachine.LargePages(["always [madvise] never"]).Found);
        Assert.Equal(Health.Fail, DoctorMachine.Clock(new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero), TimeZoneInfo.Utc).Health);
    }
}
