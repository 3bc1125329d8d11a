using Microsoft.Data.Sqlite;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Serving.Auditing;

/// <summary>An audit in one file of SQLite; see <c>docs/formats/audit.md</c>. One thread uses a connection at a time.</summary>
internal sealed class SqliteAuditFile : IDisposable
{
    /// <summary>Marks the file as ours: "oela".</summary>
    public const int ApplicationId = 0x6F656C61;
    public const int Version = 1;
    private const int BusySeconds = 2;

    // The head moves with every row that is added and cannot move otherwise, so that a row is neither put between, replaced nor taken off the end.
    private const string Schema = """
        CREATE TABLE audit (sequence INTEGER PRIMARY KEY, record TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), rows INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
        INSERT INTO head VALUES (1, 0, zeroblob(32));
        CREATE TRIGGER audit_in_order BEFORE INSERT ON audit WHEN NEW.sequence IS NOT (SELECT rows + 1 FROM head) BEGIN SELECT RAISE(ABORT, 'rows are added at the end of the audit only'); END;
        CREATE TRIGGER audit_moves_head AFTER INSERT ON audit BEGIN UPDATE head SET rows = NEW.sequence, hash = NEW.hash; END;
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'rows of the audit are never changed'); END;
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'rows of the audit are never removed'); END;
        CREATE TRIGGER head_follows_rows BEFORE UPDATE ON head WHEN NEW.rows <> OLD.rows + 1 OR NEW.hash IS NOT (SELECT hash FROM audit WHERE sequence = NEW.rows) BEGIN SELECT RAISE(ABORT, 'the head follows the rows'); END;
        CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the head follows the rows'); END;
        CREATE VIEW requests AS SELECT sequence, record ->> 'at' AS at, record ->> 'requestId' AS request_id, record ->> 'keyId' AS key_id, record ->> 'keyName' AS key_name,
            record ->> 'route' AS route, record ->> 'model' AS model, record ->> 'promptTokens' AS prompt_tokens, record ->> 'answerTokens' AS answer_tokens,
            record ->> 'wholeMicroseconds' AS whole_microseconds, record ->> 'outcome' AS outcome, record ->> 'code' AS code FROM audit WHERE record ->> 'kind' IN ('request', 'refusal');
        """;

    private readonly SqliteConnection connection;
    private readonly string path;

    private SqliteAuditFile(SqliteConnection connection, string path) => (this.connection, this.path) = (connection, path);

    /// <summary>Opens an audit to be written, or makes it. Only one process does so at a time: the caller holds the lock.</summary>
    /// <exception cref="SqliteException">The file is damaged, or no database.</exception>
    /// <exception cref="UserErrorException">It is a database of something else.</exception>
    public static SqliteAuditFile OpenToWrite(string path)
    {
        if (!File.Exists(path)) Create(path);
        SqliteAuditFile file = Open(path, SqliteOpenMode.ReadWrite);
        try
        {
            // A write-ahead log that is flushed at each commit: one flush for a whole group of rows, and readers are never in the way.
            file.Run("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;");
            if (file.Scalar("PRAGMA application_id") == 0 && file.Scalar("SELECT count(*) FROM sqlite_schema") == 0)
            {
                file.Run("PRAGMA journal_mode = WAL;");
                using SqliteTransaction whole = file.connection.BeginTransaction(deferred: false);
                file.Run(FormattableString.Invariant($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version};") + Schema, whole);
                whole.Commit();
            }
            file.RequireOurs();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens an audit to be read, also while a server writes it.</summary>
    /// <exception cref="SqliteException">The file is damaged, or no database.</exception>
    /// <exception cref="UserErrorException">There is none, or it is a database of something else.</exception>
    public static SqliteAuditFile OpenToRead(string path)
    {
        if (!File.Exists(path)) throw new UserErrorException($"{path}: there is no such file; expected an audit, as 'oellm serve --audit FILE' writes it.");
        SqliteAuditFile file = Open(path, SqliteOpenMode.ReadOnly);
        try
        {
            file.RequireOurs();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The last row.</summary>
    public (long Rows, byte[] Hash) Head(SqliteTransaction? transaction = null)
    {
        using SqliteCommand command = Command("SELECT rows, hash FROM head", transaction);
        using SqliteDataReader reader = command.ExecuteReader();
        if (!reader.Read()) throw new UserErrorException($"{path}: has lost the record of its last row; 'oellm audit verify' needs an unchanged file.");
        return (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
    }

    /// <summary>Adds rows, all or none; they are on the disk when this returns.</summary>
    /// <param name="expected">The head that the file must have: nobody else may have written.</param>
    /// <param name="rows">The rows behind it.</param>
    /// <returns>False when the file has another head.</returns>
    public bool Append((long Rows, byte[] Hash) expected, IReadOnlyList<AuditRow> rows)
    {
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
        var head = Head(transaction);
        if (head.Rows != expected.Rows || !head.Hash.AsSpan().SequenceEqual(expected.Hash)) return false;
        using SqliteCommand insert = Command("INSERT INTO audit (sequence, record, hash) VALUES ($sequence, CAST($record AS TEXT), $hash)", transaction);
        SqliteParameter sequence = insert.Parameters.Add("$sequence", SqliteType.Integer), record = insert.Parameters.Add("$record", SqliteType.Blob), hash = insert.Parameters.Add("$hash", SqliteType.Blob);
        foreach (AuditRow row in rows)
        {
            (sequence.Value, record.Value, hash.Value) = (row.Sequence, row.Record, row.Hash);
            insert.ExecuteNonQuery();
        }
        transaction.Commit();
        return true;
    }

    /// <summary>Rows in order. A record or hash of a size that none of ours has comes as empty, which breaks the chain there.</summary>
    public IEnumerable<AuditRow> Read(long from)
    {
        using SqliteCommand command = Command($"SELECT sequence, CASE WHEN octet_length(record) <= {AuditRow.MaxRecordBytes} THEN record ELSE '' END, CASE WHEN octet_length(hash) = {AuditChain.HashBytes} THEN hash ELSE x'' END "
            + "FROM audit WHERE sequence >= $from ORDER BY sequence", null);
        command.Parameters.AddWithValue("$from", from);
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read()) yield return new AuditRow(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2));
    }

    /// <summary>Brings everything from the write-ahead log into the file, so that the file alone is whole.</summary>
    public void Gather() => Run("PRAGMA wal_checkpoint(TRUNCATE);");

    /// <summary>Lets the file grow no further, as a full disk would; for tests.</summary>
    public void LimitPages(int? pages) => Run(FormattableString.Invariant($"PRAGMA max_page_count = {pages ?? int.MaxValue - 1};"));

    public void Dispose() => connection.Dispose();

    private static SqliteAuditFile Open(string path, SqliteOpenMode mode)
    {
        // Without a pool: a closed file is closed, and a lock of another program is met within seconds.
        var address = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = BusySeconds };
        var connection = new SqliteConnection(address.ToString());
        try
        {
            connection.Open();
            return new SqliteAuditFile(connection, path);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>An empty file that nobody but the owner reads: who asked when is nobody else's business.</summary>
    private static void Create(string path)
    {
        PhysicalFileSystem.Instance.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (new FileStream(path, options)) { }
        PhysicalFileSystem.Instance.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    private void RequireOurs()
    {
        long application = Scalar("PRAGMA application_id"), version = Scalar("PRAGMA user_version");
        if (application != ApplicationId) throw new UserErrorException($"{path}: is a database of another program; expected an audit, as 'oellm serve --audit FILE' writes it.");
        if (version != Version) throw new UserErrorException(FormattableString.Invariant($"{path}: is an audit of version {version}; expected {Version}, this program's."));
    }

    private long Scalar(string sql)
    {
        using SqliteCommand command = Command(sql, null);
        return (long)command.ExecuteScalar()!;
    }

    private void Run(string sql, SqliteTransaction? transaction = null)
    {
        using SqliteCommand command = Command(sql, transaction);
        command.ExecuteNonQuery();
    }

    // All texts are constants of this file; values come as parameters.
#pragma warning disable CA2100
    private SqliteCommand Command(string sql, SqliteTransaction? transaction) => new(sql, connection, transaction);
#pragma warning restore CA2100
}
