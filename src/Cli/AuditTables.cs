using System.Globalization;
using System.Text;
using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Cli;

/// <summary>How rows and sums of an audit are shown.</summary>
internal static class AuditTables
{
    private const string Absent = "-";

    /// <summary>A row as a person reads it.</summary>
    public static string Line(AuditRow row, AuditEntry entry)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{row.Sequence,7}  {entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}  {entry.Kind,-8}");
        if (entry.Kind is AuditKind.Request or AuditKind.Refusal)
        {
            line.Append(CultureInfo.InvariantCulture, $"  {entry.KeyId ?? Absent,-12}  {entry.Outcome,-9}  {entry.Code,-12}  {entry.Route}  {entry.Model ?? Absent}");
            if (entry.Kind == AuditKind.Request) line.Append(CultureInfo.InvariantCulture, $"  {entry.PromptTokens ?? 0}+{entry.AnswerTokens ?? 0} tokens");
            if (entry.WholeMicroseconds is long whole) line.Append(CultureInfo.InvariantCulture, $"  {whole / 1e6:0.000} s");
            if (entry.Requests is int many) line.Append(CultureInfo.InvariantCulture, $"  {many} requests");
            line.Append("  ").Append(entry.RequestId);
            if (entry.KeyName is not null) line.Append("  ").Append(entry.KeyName);
        }
        if (entry.Kind == AuditKind.Model) line.Append(CultureInfo.InvariantCulture, $"  {entry.Model}  {entry.Fingerprint}  {entry.WeightsSha256}");
        if (entry.Software is not null) line.Append("  oellm ").Append(entry.Software);
        return line.ToString().TrimEnd();
    }

    /// <summary>A row as it is stored.</summary>
    public static string ToJson(AuditRow row) => JsonLine.Of(writer =>
    {
        writer.WriteNumber("row", row.Sequence);
        writer.WriteString("hash", Convert.ToHexStringLower(row.Hash));
        writer.WritePropertyName("record");
        writer.WriteRawValue(row.Record);
    });

    public static string ToJson(AuditUsage usage) => JsonLine.Of(writer =>
    {
        writer.WriteString("day", usage.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        writer.WriteString("keyId", usage.KeyId);
        writer.WriteString("keyName", usage.KeyName);
        writer.WriteString("model", usage.Model);
        writer.WriteNumber("requests", usage.Requests);
        writer.WriteNumber("refused", usage.Refused);
        writer.WriteNumber("promptTokens", usage.PromptTokens);
        writer.WriteNumber("cachedTokens", usage.CachedTokens);
        writer.WriteNumber("answerTokens", usage.AnswerTokens);
    });

    /// <summary>Sums as a table with a line of heads.</summary>
    public static IEnumerable<string> Of(IReadOnlyList<AuditUsage> usage)
    {
        string[][] rows = [["day", "key", "name", "model", "requests", "refused", "prompt", "cached", "answer"],
            .. usage.Select(each => new[] { each.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), each.KeyId ?? Absent, each.KeyName ?? Absent, each.Model ?? Absent,
                Number(each.Requests), Number(each.Refused), Number(each.PromptTokens), Number(each.CachedTokens), Number(each.AnswerTokens) })];
        return TextTable.Lines(rows, left: 4);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
