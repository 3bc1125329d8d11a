using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Serving.Auditing;

/// <summary>An audit in a file of SQLite, to be read, also while a server writes it.</summary>
public sealed class SqliteAuditReader : IAuditReader
{
    private readonly string path;
    private readonly SqliteAuditFile file;

    /// <summary>Opens the audit.</summary>
    /// <exception cref="UserErrorException">There is none, or it cannot be read.</exception>
    public SqliteAuditReader(string path)
    {
        this.path = path;
        file = SqliteProblem.Explaining(path, () => SqliteAuditFile.OpenToRead(path));
    }

    /// <inheritdoc/>
    public AuditHead Head
    {
        get
        {
            var (rows, hash) = SqliteProblem.Explaining(path, () => file.Head());
            return new AuditHead(rows, Convert.ToHexStringLower(hash));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<AuditRow> Read(long from = 1)
    {
        using IEnumerator<AuditRow> rows = file.Read(from).GetEnumerator();
        while (SqliteProblem.Explaining(path, rows.MoveNext)) yield return rows.Current;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
