namespace OpenEuroLLM.Core.Auditing;

/// <summary>Rows of an audit, to be read.</summary>
public interface IAuditReader : IDisposable
{
    /// <summary>The last row, as the store keeps it beside the rows; by itself it proves nothing, see <see cref="AuditChain.Verify"/>.</summary>
    /// <exception cref="UserErrorException">The store cannot be read.</exception>
    AuditHead Head { get; }

    /// <summary>The rows in order, as of the moment of the call.</summary>
    /// <param name="from">The first row wanted, from 1.</param>
    /// <exception cref="UserErrorException">The store cannot be read.</exception>
    IEnumerable<AuditRow> Read(long from = 1);
}

/// <summary>An audit that one process writes: rows are added at the end and never changed. SQLite is the embedded form.</summary>
public interface IAuditStore : IAuditReader
{
    /// <summary>Why rows cannot be written at the moment, or null. Whoever would have to write one should not begin what it is about.</summary>
    string? Obstacle { get; }

    /// <summary>Entries that were given up because they could not be written for too long.</summary>
    long Lost { get; }

    /// <summary>Entries that wait to be written.</summary>
    int Waiting { get; }

    /// <summary>Adds a row.</summary>
    /// <returns>Ends with the row's number when the row is on the disk and will be there after a power failure.</returns>
    /// <exception cref="AuditUnavailableException">In the task: the row is not written yet. It is kept, and written as soon as that is possible.</exception>
    Task<long> AppendAsync(AuditEntry entry);
}

/// <summary>A row could not be written; the message is for the server's log and may name a file.</summary>
public sealed class AuditUnavailableException(string message) : Exception(message);
