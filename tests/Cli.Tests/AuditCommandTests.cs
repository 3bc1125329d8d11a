using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Cli.Tests;

public sealed class AuditCommandTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Shows_who_used_what()
    {
        string file = await Made();
        string[] lines = Oellm.Succeeds("audit", "show", "--audit", file).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.Contains("created", lines[0], StringComparison.Ordinal);
        foreach (string word in (string[])["2026-03-01 12:00:00.000", "request", "0123456789ab", "completed", "stop", "POST /v1/messages", "europa", "10+4 tokens", "req_1", "Registry"])
            Assert.Contains(word, lines[1], StringComparison.Ordinal);
        Assert.Contains("7 requests", lines[4], StringComparison.Ordinal);
        Assert.Single(Oellm.Succeeds("audit", "show", "--audit", file, "--last", "1").Output.TrimEnd('\n').Split('\n'));
        Assert.Equal(2, Oellm.Succeeds("audit", "show", "--audit", file, "--key", "0123456789ab", "--since", "2026-03-01", "--until", "2026-03-02").Output.TrimEnd('\n').Split('\n').Length);

        JsonNode row = JsonNode.Parse(Oellm.Succeeds("audit", "show", "--audit", file, "--json").Output.Split('\n')[1])!;
        Assert.Equal((2, "req_1", 64), ((int)row["row"]!, (string)row["record"]!["requestId"]!, ((string)row["hash"]!).Length));
    }

    [Fact]
    public async Task Sums_by_day_key_and_model()
    {
        string file = await Made();
        Assert.Equal(
            """
            day         key           name      model   requests  refused  prompt  cached  answer
            2026-03-01  -             -         -              0        7       0       0       0
            2026-03-01  0123456789ab  Registry  europa         2        0      20      16       8
            2026-03-02  0123456789ab  Registry  europa         1        0      10       8       4

            """.ReplaceLineEndings("\n"), Oellm.Succeeds("audit", "usage", "--audit", file).Output);
        JsonNode sum = JsonNode.Parse(Oellm.Succeeds("audit", "usage", "--audit", file, "--json", "--since", "2026-03-02").Output)!;
        Assert.Equal(("2026-03-02", "0123456789ab", 10, 4), ((string)sum["day"]!, (string)sum["keyId"]!, (int)sum["promptTokens"]!, (int)sum["answerTokens"]!));
    }

    [Fact]
    public async Task Proves_that_nothing_was_changed_and_names_what_was()
    {
        string file = await Made();
        string head = Oellm.Succeeds("audit", "head", "--audit", file).Output.TrimEnd('\n');
        Assert.StartsWith("5:", head, StringComparison.Ordinal);
        Assert.Contains($"all 5 rows are as they were written. Head: {head}", Oellm.Succeeds("audit", "verify", "--audit", file, "--head", head).Output, StringComparison.Ordinal);

        Change(file, "DROP TRIGGER audit_no_update; UPDATE audit SET record = replace(record, 'Registry', 'Nobody') WHERE sequence = 3");
        Assert.Contains("row 3 is broken: found hash ", Oellm.Refuses(["audit", "verify", "--audit", file], file), StringComparison.Ordinal);
        Outcome json = Oellm.Run("audit", "verify", "--audit", file, "--json");
        JsonNode verdict = JsonNode.Parse(json.Output)!;
        Assert.Equal((2, false, 3, 2), (json.Code, (bool)verdict["holds"]!, (int)verdict["brokenRow"]!, (int)verdict["rows"]!));
    }

    [Fact]
    public async Task An_audit_that_was_cut_off_in_all_places_is_found_by_a_noted_head()
    {
        string file = await Made();
        string head = Oellm.Succeeds("audit", "head", "--audit", file).Output.TrimEnd('\n');
        Change(file, "DROP TRIGGER audit_no_delete; DROP TRIGGER head_follows_rows; DELETE FROM audit WHERE sequence = 5; UPDATE head SET rows = 4, hash = (SELECT hash FROM audit WHERE sequence = 4)");
        Oellm.Succeeds("audit", "verify", "--audit", file);
        Oellm.Refuses(["audit", "verify", "--audit", file, "--head", head], "found the end after row 4", "5 rows, as noted", "cut off");
    }

    [Fact]
    public void Wrong_questions_are_named()
    {
        Oellm.Refuses(["audit", "show", "--audit", _folder.At("none.db")], "none.db", "there is no such file");
        Oellm.Refuses(["audit", "usage", "--audit", _folder.Write("letter.db", "Dear Sir or Madam, this is not a database at all. " + new string('x', 1000))], "letter.db", "is no audit");
        Oellm.Refuses(["audit", "show", "--audit", "x", "--last", "-1"], "--last is -1");
        Oellm.Refuses(["audit", "show", "--audit", "x", "--since", "March"], "--since is 'March'");
        Oellm.Refuses(["audit", "verify", "--audit", "x", "--head", "12"], "ROWS:HASH");
    }

    private async Task<string> Made()
    {
        string file = _folder.At("audit.db");
        using SqliteAuditStore store = SqliteAuditStore.Open(file);
        foreach ((string id, int day) in new[] { ("req_1", 0), ("req_2", 0), ("req_3", 1) })
            await store.AppendAsync(new AuditEntry(AuditKind.Request, Noon.AddDays(day), id, KeyId: "0123456789ab", KeyName: "Registry", Route: "POST /v1/messages", Model: "europa",
                PromptTokens: 10, CachedTokens: 8, AnswerTokens: 4, WholeMicroseconds: 1_500_000, Outcome: AuditOutcome.Completed, Code: "stop"));
        await store.AppendAsync(new AuditEntry(AuditKind.Refusal, Noon, "req_4", Outcome: AuditOutcome.Refused, Code: "invalid_api_key", Status: 401, Requests: 7));
        return file;
    }

    private static void Change(string file, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own texts
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
