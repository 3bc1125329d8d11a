using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace OpenEuroLLM.Core.Auditing;

/// <summary>Binds the rows of an audit to each other: hash = SHA-256(hash of the row before, number of the row as 8 bytes with the highest first,
/// bytes of the record). Before the first row stand 32 zero bytes.</summary>
public static class AuditChain
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>The hash of a row.</summary>
    /// <param name="before">The hash of the row before; 32 zero bytes for the first.</param>
    /// <param name="sequence">Number of the row, from 1.</param>
    /// <param name="record">Its record.</param>
    public static byte[] Hash(ReadOnlySpan<byte> before, long sequence, ReadOnlySpan<byte> record)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, sequence);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        hash.AppendData(number);
        hash.AppendData(record);
        return hash.GetHashAndReset();
    }

    /// <summary>Checks every row: that none is missing, was put in or changed, and that the end was not cut off.</summary>
    /// <param name="reader">The rows.</param>
    /// <param name="noted">A head that was noted down earlier; null for none. Only with it a history that was written anew as a whole is found.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <returns>The first thing that is wrong, or that nothing is.</returns>
    /// <exception cref="UserErrorException">The store cannot be read at all.</exception>
    public static AuditVerdict Verify(IAuditReader reader, AuditHead? noted = null, CancellationToken cancellation = default)
    {
        byte[] before = new byte[HashBytes];
        long rows = 0;
        AuditHead recorded = reader.Head; // before the rows: what is added meanwhile lies behind it
        byte[]? atRecorded = recorded.Rows == 0 ? before : null;
        try
        {
            foreach (AuditRow row in reader.Read())
            {
                cancellation.ThrowIfCancellationRequested();
                if (row.Sequence != rows + 1)
                    return AuditVerdict.Broken(rows, before, rows + 1, FormattableString.Invariant($"the next row is {row.Sequence}"), FormattableString.Invariant($"row {rows + 1}: rows were removed"));
                byte[] expected = Hash(before, row.Sequence, row.Record);
                if (!row.Hash.AsSpan().SequenceEqual(expected))
                    return AuditVerdict.Broken(rows, before, row.Sequence, "hash " + Convert.ToHexStringLower(row.Hash), "hash " + Convert.ToHexStringLower(expected) + ": the row was changed, or one before it was put in or exchanged");
                if (Unreadable(row) is string problem)
                    return AuditVerdict.Broken(rows, before, row.Sequence, problem, "a record of this version");
                (rows, before) = (row.Sequence, expected);
                if (rows == recorded.Rows) atRecorded = expected;
                if (rows == noted?.Rows && Convert.ToHexStringLower(expected) != noted.Hash)
                    return AuditVerdict.Broken(rows, before, rows, "hash " + Convert.ToHexStringLower(expected), $"hash {noted.Hash} as noted: the history up to here was written anew");
            }
        }
        catch (UserErrorException problem) when (rows > 0)
        {
            return AuditVerdict.Broken(rows, before, rows + 1, problem.Message, "a readable row");
        }
        long promised = Math.Max(recorded.Rows, noted?.Rows ?? 0);
        if (rows < promised)
            return AuditVerdict.Broken(rows, before, rows + 1, FormattableString.Invariant($"the end after row {rows}"),
                FormattableString.Invariant($"{promised} rows, as {(noted?.Rows == promised ? "noted" : "the file itself says")}: the end was cut off"));
        if (atRecorded is null || Convert.ToHexStringLower(atRecorded) != recorded.Hash)
            return AuditVerdict.Broken(rows, before, recorded.Rows, $"the head {recorded} beside the rows", "the hash of that row: rows or head were exchanged");
        return new AuditVerdict(true, new AuditHead(rows, Convert.ToHexStringLower(before)), null, null, null);
    }

    private static string? Unreadable(AuditRow row)
    {
        try
        {
            row.Entry();
            return null;
        }
        catch (JsonException problem)
        {
            return $"a record that cannot be read ({problem.Message.ReplaceLineEndings(" ")})";
        }
    }
}

/// <summary>What a check of an audit found.</summary>
/// <param name="Holds">Whether every row is as it was written.</param>
/// <param name="Head">The last row that is.</param>
/// <param name="BrokenRow">Number of the first row that is not; null when all are.</param>
/// <param name="Found">What was found there.</param>
/// <param name="Expected">What was expected there, and what the difference means.</param>
public sealed record AuditVerdict(bool Holds, AuditHead Head, long? BrokenRow, string? Found, string? Expected)
{
    internal static AuditVerdict Broken(long rows, byte[] hash, long row, string found, string expected) =>
        new(false, new AuditHead(rows, Convert.ToHexStringLower(hash)), row, found, expected);
}
