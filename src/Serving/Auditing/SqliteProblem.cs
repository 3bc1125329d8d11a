using Microsoft.Data.Sqlite;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Auditing;

/// <summary>What SQLite's errors mean for whoever runs the server, in one line.</summary>
internal static class SqliteProblem
{
    // Result codes of SQLite, see sqlite.org/rescode.html.
    private const int Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, NotFound = 14, Full = 13, Constraint = 19, NotADatabase = 26;

    /// <summary>The message, beginning with the file.</summary>
    public static string Explain(SqliteException failure, string path) => $"{path}: " + failure.SqliteErrorCode switch
    {
        Full => "the disk is full, so that no row of the audit can be written; free some space.",
        Busy or Locked => "another program holds the audit locked; end it.",
        ReadOnly => "the audit cannot be written; expected a file and a folder that this user may write to.",
        InputOutput => "the disk failed while the audit was read or written; look at the system's log.",
        Corrupt => "the audit is damaged; keep it for examination and go on with another --audit FILE.",
        NotFound => "the audit cannot be opened; check the path and its permissions.",
        Constraint => "a row was refused: another program has added rows, or the file was changed; 'oellm audit verify' says where.",
        NotADatabase => "is no audit; expected a file that 'oellm serve --audit' made.",
        _ => $"the audit failed with SQLite's error {failure.SqliteErrorCode} ({failure.Message.ReplaceLineEndings(" ")}).",
    };

    /// <summary>Runs something on a database; its errors become the user's.</summary>
    /// <exception cref="UserErrorException">SQLite or the disk failed.</exception>
    public static T Explaining<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException failure)
        {
            throw new UserErrorException(Explain(failure, path), failure);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, path);
        }
    }
}
