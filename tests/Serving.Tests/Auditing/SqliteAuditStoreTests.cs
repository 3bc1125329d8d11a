using Microsoft.Data.Sqlite;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Serving.Tests.Auditing;

public sealed class SqliteAuditStoreTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-audit-");

    private string File => Path.Combine(folder.FullName, "audit.db");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task What_was_appended_is_there_after_opening_it_again_and_the_chain_goes_on()
    {
        AuditHead head;
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
        {
            Assert.Equal(2, await store.AppendAsync(Entry("a")));
            Assert.Equal(3, await store.AppendAsync(Entry("b")));
            head = store.Head;
        }
        using (SqliteAuditStore again = SqliteAuditStore.Open(File))
        {
            Assert.Equal(head, again.Head);
            Assert.Equal(4, await again.AppendAsync(Entry("c")));
        }
        using var reader = new SqliteAuditReader(File);
        AuditVerdict verdict = Checked(reader, head);
        Assert.True(verdict.Holds, verdict.Found);
        AuditEntry[] entries = [.. reader.Read().Select(row => row.Entry())];
        Assert.Equal([AuditKind.Created, AuditKind.Request, AuditKind.Request, AuditKind.Request], entries.Select(entry => entry.Kind));
        Assert.Equal(["a", "b", "c"], entries.Skip(1).Select(entry => entry.RequestId));
        Assert.Equal(32, entries[0].File!.Length);
        Assert.Equal(["c"], reader.Read(4).Select(row => row.Entry().RequestId));
    }

    [Fact]
    public async Task Rows_that_come_together_are_all_written_once_and_in_one_chain()
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
        {
            long[] numbers = await Task.WhenAll(Enumerable.Range(0, 3000).Select(row => Task.Run(() => store.AppendAsync(Entry(row.ToString(System.Globalization.CultureInfo.InvariantCulture))), TestContext.Current.CancellationToken)));
            Assert.Equal(Enumerable.Range(2, 3000).Select(row => (long)row), numbers.Order());
        }
        using var reader = new SqliteAuditReader(File);
        Assert.True(Checked(reader).Holds);
        Assert.Equal(3000, reader.Read(2).Select(row => row.Entry().RequestId).Distinct().Count());
    }

    [Fact]
    public async Task Rows_can_be_read_while_they_are_written()
    {
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        await store.AppendAsync(Entry("a"));
        using var reader = new SqliteAuditReader(File);
        Assert.Equal(2, reader.Head.Rows);
        await store.AppendAsync(Entry("b"));
        Assert.True(Checked(reader).Holds);
        Assert.Equal(3, store.Read().Count());
    }

    [Theory]
    [InlineData("UPDATE audit SET record = '{}' WHERE sequence = 2", "never changed")]
    [InlineData("DELETE FROM audit WHERE sequence = 2", "never removed")]
    [InlineData("DELETE FROM audit", "never removed")]
    [InlineData("INSERT OR REPLACE INTO audit VALUES (2, '{}', zeroblob(32))", "at the end")]
    [InlineData("INSERT INTO audit VALUES (9, '{}', zeroblob(32))", "at the end")]
    [InlineData("UPDATE head SET rows = 1", "follows the rows")]
    [InlineData("UPDATE head SET rows = 4, hash = zeroblob(32)", "follows the rows")]
    [InlineData("DELETE FROM head", "follows the rows")]
    public async Task The_database_itself_refuses_changes(string sql, string words)
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
        {
            await store.AppendAsync(Entry("a"));
            await store.AppendAsync(Entry("b"));
        }
        Assert.Contains(words, Assert.Throws<SqliteException>(() => Change(sql)).Message, StringComparison.Ordinal);
        using var reader = new SqliteAuditReader(File);
        Assert.True(Checked(reader).Holds);
    }

    [Fact]
    public async Task Whoever_removes_the_triggers_breaks_the_chain()
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
            for (int row = 0; row < 5; row++) await store.AppendAsync(Entry("a"));
        Change("DROP TRIGGER audit_no_update; UPDATE audit SET record = replace(record, '\"answerTokens\":3', '\"answerTokens\":2') WHERE sequence = 4");
        using (var changed = new SqliteAuditReader(File)) Assert.Equal(4, Checked(changed).BrokenRow);
        Change("DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE sequence >= 4");
        using var cut = new SqliteAuditReader(File);
        AuditVerdict verdict = Checked(cut);
        Assert.Equal((4, "the end after row 3"), (verdict.BrokenRow, verdict.Found));
    }

    [Fact]
    public async Task A_full_disk_is_said_at_once_and_rows_are_written_when_there_is_room_again()
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
        {
            store.LimitPages(1);
            AuditUnavailableException? full = null;
            for (int row = 0; row < 10_000 && full is null; row++)
            {
                try
                {
                    await store.AppendAsync(Entry("before"));
                }
                catch (AuditUnavailableException problem)
                {
                    full = problem;
                }
            }
            Assert.Contains("the disk is full", full!.Message, StringComparison.Ordinal);
            Assert.Equal(full.Message, store.Obstacle);
            await Assert.ThrowsAsync<AuditUnavailableException>(() => store.AppendAsync(Entry("kept")));
            Assert.True(store.Waiting >= 1);
            store.LimitPages(null);
            while (store.Obstacle is not null) await Task.Delay(10, TestContext.Current.CancellationToken);
            await store.AppendAsync(Entry("after"));
            Assert.Equal(0, store.Lost);
        }
        using var reader = new SqliteAuditReader(File);
        Assert.True(Checked(reader).Holds);
        string?[] names = [.. reader.Read(2).Select(row => row.Entry().RequestId)];
        Assert.Equal("kept after", string.Join(' ', names[^2..]));
    }

    [Fact]
    public void Only_one_server_writes_an_audit()
    {
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        Assert.Contains("another server writes this audit", Assert.Throws<UserErrorException>(() => SqliteAuditStore.Open(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_holds_the_file_locked_stops_rows_and_nothing_else()
    {
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        using (var other = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false }.ToString()))
        {
            other.Open();
            using SqliteTransaction held = other.BeginTransaction(deferred: false);
            Assert.Contains("another program holds the audit locked", (await Assert.ThrowsAsync<AuditUnavailableException>(() => store.AppendAsync(Entry("kept")))).Message, StringComparison.Ordinal);
        }
        while (store.Obstacle is not null) await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.Equal(2, store.Head.Rows);
    }

    [Fact]
    public async Task Rows_of_another_program_are_not_built_upon()
    {
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        Change("INSERT INTO audit VALUES (2, '{\"kind\":\"request\"}', zeroblob(32))");
        Assert.Contains("another program has changed the audit", (await Assert.ThrowsAsync<AuditUnavailableException>(() => store.AppendAsync(Entry("a")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_removed_is_noticed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not let an open file be removed");
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        System.IO.File.Delete(File);
        Assert.Contains("removed or renamed", (await Assert.ThrowsAsync<AuditUnavailableException>(() => store.AppendAsync(Entry("a")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_something_else_are_refused()
    {
        System.IO.File.WriteAllText(File, new string('x', 5000));
        Assert.Contains("is no audit", Refused(), StringComparison.Ordinal);

        System.IO.File.Delete(File);
        Change("CREATE TABLE letters (a)");
        Assert.Contains("database of another program", Refused(), StringComparison.Ordinal);

        System.IO.File.Delete(File);
        Assert.Contains("there is no such file", Assert.Throws<UserErrorException>(() => new SqliteAuditReader(File)).Message, StringComparison.Ordinal);

        Directory.CreateDirectory(File);
        Assert.Throws<UserErrorException>(() => SqliteAuditStore.Open(File));

        string Refused()
        {
            string message = Assert.Throws<UserErrorException>(() => SqliteAuditStore.Open(File)).Message;
            Assert.Equal(message, Assert.Throws<UserErrorException>(() => new SqliteAuditReader(File)).Message);
            return message;
        }
    }

    [Fact]
    public async Task A_damaged_file_is_named_as_such()
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File))
            for (int row = 0; row < 500; row++) _ = store.AppendAsync(Entry("a"));
        byte[] bytes = await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken);
        Assert.True(bytes.Length > 40_000);
        bytes.AsSpan(32_768, 4096).Fill(0xA5);
        await System.IO.File.WriteAllBytesAsync(File, bytes, TestContext.Current.CancellationToken);
        using var reader = new SqliteAuditReader(File);
        AuditVerdict verdict = Checked(reader);
        Assert.False(verdict.Holds);
        Assert.NotNull(verdict.BrokenRow);
    }

    [Fact]
    public void Nobody_but_the_owner_reads_the_file()
    {
        using SqliteAuditStore store = SqliteAuditStore.Open(File);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public async Task The_view_shows_requests_in_sql()
    {
        using (SqliteAuditStore store = SqliteAuditStore.Open(File)) await store.AppendAsync(Entry("a"));
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT sum(answer_tokens) FROM requests";
        Assert.Equal(3L, command.ExecuteScalar());
    }

    private static AuditEntry Entry(string id) => new(AuditKind.Request, Noon, id, KeyName: "Ministry of Silly Examples", Route: "POST /v1/chat/completions", PromptTokens: 2, AnswerTokens: 3, Outcome: AuditOutcome.Completed, Code: "stop");

    private void Change(string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = File, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own texts
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static AuditVerdict Checked(IAuditReader reader, AuditHead? noted = null) => AuditChain.Verify(reader, noted, TestContext.Current.CancellationToken);
}
