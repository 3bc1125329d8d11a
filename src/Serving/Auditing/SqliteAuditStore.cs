using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Serving.Auditing;

/// <summary>An audit in a file of SQLite, written by this process alone. One thread writes: whatever came while the disk was flushed goes out
/// with the next flush, so that many requests share one.</summary>
public sealed class SqliteAuditStore : IAuditStore
{
    private const int LargestGroup = 1024;
    private const int MostWaiting = 10_000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly FileStream turn;
    private readonly SqliteAuditFile file;
    private readonly Thread writer;
    private readonly object gate = new();       // also the writer's bell
    private readonly Queue<Pending> waiting = new();
    private (long Rows, byte[] Hash) head;
    private (long Rows, byte[] Hash, int Group)? attempted; // the head after a group of which it is not known whether it was written
    private (int? Pages, bool Changed) limit;
    private string? obstacle;
    private bool closing;
    private long lost;

    private SqliteAuditStore(string path, FileStream turn, SqliteAuditFile file)
    {
        (this.path, this.turn, this.file) = (path, turn, file);
        head = file.Head();
        writer = new Thread(Write) { IsBackground = true, Name = "audit" };
    }

    /// <summary>Opens an audit, or makes it where there is no file.</summary>
    /// <param name="path">The file; its folder is made where it is missing.</param>
    /// <param name="clock">The clock; null for the machine's.</param>
    /// <exception cref="UserErrorException">The file cannot be written, is damaged, is something else, or another server writes it.</exception>
    public static SqliteAuditStore Open(string path, IClock? clock = null)
    {
        path = Path.GetFullPath(path);
        return SqliteProblem.Explaining(path, () =>
        {
            PhysicalFileSystem.Instance.CreateDirectory(Path.GetDirectoryName(path)!);
            FileStream turn = TakeTurn(path);
            SqliteAuditFile? file = null;
            try
            {
                file = SqliteAuditFile.OpenToWrite(path);
                var store = new SqliteAuditStore(path, turn, file);
                if (store.head.Rows == 0)
                    store.WriteNow(new AuditEntry(AuditKind.Created, AuditEntry.Moment((clock ?? SystemClock.Instance).UtcNow), Software: BuildVersion.Current, File: RandomNumberGenerator.GetHexString(32, lowercase: true)));
                store.writer.Start();
                return store;
            }
            catch
            {
                file?.Dispose();
                turn.Dispose();
                throw;
            }
        });
    }

    /// <inheritdoc/>
    public string? Obstacle
    {
        get { lock (gate) return obstacle; }
    }

    /// <inheritdoc/>
    public long Lost
    {
        get { lock (gate) return lost; }
    }

    /// <inheritdoc/>
    public int Waiting
    {
        get { lock (gate) return waiting.Count; }
    }

    /// <inheritdoc/>
    public AuditHead Head
    {
        get { lock (gate) return new AuditHead(head.Rows, Convert.ToHexStringLower(head.Hash)); }
    }

    /// <summary>Where the rows are.</summary>
    public string Location => path;

    /// <inheritdoc/>
    public Task<long> AppendAsync(AuditEntry entry)
    {
        var pending = new Pending(AuditRow.ToRecord(entry));
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closing, this);
            if (obstacle is not null)
            {
                // Whoever waits is told at once; the row is written later.
                pending.Told.SetException(new AuditUnavailableException(obstacle));
                if (waiting.Count >= MostWaiting) lost++;
                else waiting.Enqueue(pending);
            }
            else
            {
                waiting.Enqueue(pending);
            }
            Monitor.PulseAll(gate);
        }
        return pending.Told.Task;
    }

    /// <inheritdoc/>
    public IEnumerable<AuditRow> Read(long from = 1)
    {
        using var reader = new SqliteAuditReader(path);
        foreach (AuditRow row in reader.Read(from)) yield return row;
    }

    /// <summary>Writes what waits, as far as it can be written, and closes the file.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (closing) return;
            closing = true;
            Monitor.PulseAll(gate);
        }
        writer.Join();
    }

    /// <summary>Lets the file grow no further, as a full disk would; for tests.</summary>
    internal void LimitPages(int? pages)
    {
        lock (gate) limit = (pages, true);
    }

    private static FileStream TakeTurn(string path)
    {
        string name = path + ".lock";
        try
        {
            return new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (File.Exists(name))
        {
            throw new UserErrorException($"{path}: another server writes this audit; give each its own --audit FILE.", failure);
        }
    }

    private void Write()
    {
        while (NextGroup() is { } group)
        {
            (int written, string? problem) = TryWrite(group);
            lock (gate)
            {
                obstacle = problem;
                for (int i = 0; i < written; i++) waiting.Dequeue();
                if (problem is not null)
                {
                    foreach (Pending pending in waiting) pending.Told.TrySetException(new AuditUnavailableException(problem));
                    if (!closing) Monitor.Wait(gate, RetryAfter);
                    else
                    {
                        lost += waiting.Count;
                        waiting.Clear();
                    }
                }
            }
            for (int i = 0; i < written; i++) group[i].Told.TrySetResult(head.Rows - written + 1 + i);
        }
        Close();
    }

    /// <summary>The oldest rows that wait, which stay in the queue until they are written; null when there are none and none will come.</summary>
    private Pending[]? NextGroup()
    {
        lock (gate)
        {
            while (waiting.Count == 0 && !closing) Monitor.Wait(gate);
            return waiting.Count == 0 ? null : [.. waiting.Take(LargestGroup)];
        }
    }

    /// <summary>Writes a group; returns how many of its rows are on the disk now, and why not all.</summary>
    private (int Written, string? Problem) TryWrite(Pending[] group)
    {
        try
        {
            ApplyLimit();
            // SQLite would go on writing a file that has no name any more.
            if (!File.Exists(path)) return (0, $"{path}: the audit was removed or renamed under the server; put it back, or start the server anew.");
            var now = head;
            if (attempted is { } unsure)
            {
                // The commit failed: whether the rows are there only the file can tell.
                var found = file.Head();
                attempted = null;
                if (found.Rows == unsure.Rows && found.Hash.AsSpan().SequenceEqual(unsure.Hash))
                {
                    SetHead((unsure.Rows, unsure.Hash));
                    return (unsure.Group, null);
                }
            }
            var rows = new AuditRow[group.Length];
            for (int i = 0; i < rows.Length; i++)
            {
                byte[] hash = AuditChain.Hash(now.Hash, now.Rows + 1, group[i].Record);
                rows[i] = new AuditRow(now.Rows + 1, group[i].Record, hash);
                now = (now.Rows + 1, hash);
            }
            attempted = (now.Rows, now.Hash, group.Length);
            if (!file.Append(head, rows))
            {
                attempted = null;
                return (0, $"{path}: its last row is not the one that was written last; another program has changed the audit. Start the server with another --audit FILE.");
            }
            attempted = null;
            SetHead(now);
            return (group.Length, null);
        }
        catch (SqliteException failure)
        {
            return (0, SqliteProblem.Explain(failure, path));
        }
        catch (UserErrorException failure)
        {
            return (0, failure.Message);
        }
    }

    private void SetHead((long Rows, byte[] Hash) value)
    {
        lock (gate) head = value;
    }

    private void WriteNow(AuditEntry entry)
    {
        if (TryWrite([new Pending(AuditRow.ToRecord(entry))]).Problem is string problem) throw new UserErrorException(problem);
    }

    private void ApplyLimit()
    {
        lock (gate)
        {
            if (limit.Changed) file.LimitPages(limit.Pages);
            limit.Changed = false;
        }
    }

    private void Close()
    {
        try
        {
            file.Gather();
        }
        catch (SqliteException)
        {
            // What is written is written; the next to open the file gathers it.
        }
        file.Dispose();
        turn.Dispose();
    }

    private sealed record Pending(byte[] Record)
    {
        public TaskCompletionSource<long> Told { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
