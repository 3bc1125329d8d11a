using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Core.Auditing;

/// <summary>A row as it is stored: the bytes that are hashed, and the hash that binds them to all rows before.</summary>
/// <param name="Sequence">Number of the row, from 1 without gaps.</param>
/// <param name="Record">The entry as JSON (<see cref="ToRecord"/>).</param>
/// <param name="Hash">See <see cref="AuditChain"/>; 32 bytes.</param>
public sealed record AuditRow(long Sequence, byte[] Record, byte[] Hash)
{
    /// <summary>Longest record, in bytes; a longer one is not ours.</summary>
    public const int MaxRecordBytes = 16 << 10;

    /// <summary>What the row says.</summary>
    /// <exception cref="JsonException">The record is none of this version.</exception>
    public AuditEntry Entry() => Record.Length > MaxRecordBytes
        ? throw new JsonException(FormattableString.Invariant($"the record has {Record.Length} bytes; expected at most {MaxRecordBytes}"))
        : JsonSerializer.Deserialize(Record, AuditJson.Default.AuditEntry) ?? throw new JsonException("the record is null");

    /// <summary>The bytes of an entry: compact JSON in ASCII, fields in the order of <see cref="AuditEntry"/>, what is null left out.</summary>
    public static byte[] ToRecord(AuditEntry entry) => JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry);
}

/// <summary>A state of the audit to be noted down elsewhere: whoever has it can tell later whether one of the rows up to it was changed or removed.</summary>
/// <param name="Rows">Number of rows; 0 for none.</param>
/// <param name="Hash">The hash of the last one, 64 hex digits; of no rows, 64 zeros.</param>
public sealed record AuditHead(long Rows, string Hash)
{
    /// <summary>The head of no rows.</summary>
    public static AuditHead Empty { get; } = new(0, new string('0', AuditChain.HashBytes * 2));

    /// <summary>The form in which it is noted down: <c>ROWS:HASH</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows}:{Hash}");

    /// <summary>Reads <c>ROWS:HASH</c>.</summary>
    /// <exception cref="UserErrorException">It is none.</exception>
    public static AuditHead Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out long rows)
            && text.Length - colon - 1 == AuditChain.HashBytes * 2 && text[(colon + 1)..].All(char.IsAsciiHexDigit))
            return new AuditHead(rows, text[(colon + 1)..].ToLowerInvariant());
        throw new UserErrorException($"'{(text.Length > 100 ? text[..100] + "…" : text)}' is no head of an audit; expected ROWS:HASH as 'oellm audit head' prints it.");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 4, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AuditEntry))]
internal sealed partial class AuditJson : JsonSerializerContext;
