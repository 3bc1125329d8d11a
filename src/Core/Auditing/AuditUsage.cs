namespace OpenEuroLLM.Core.Auditing;

/// <summary>What one key used of one model on one day.</summary>
/// <param name="Day">Day of UTC.</param>
/// <param name="KeyId">The key's id; null without keys.</param>
/// <param name="KeyName">Whose key it is, as of the last row.</param>
/// <param name="Model">The model; null for requests that were refused before any.</param>
/// <param name="Requests">Requests that were answered, or of which the answer was begun; several prompts of one request count once.</param>
/// <param name="Refused">Requests that were refused.</param>
/// <param name="PromptTokens">Tokens of the prompts.</param>
/// <param name="CachedTokens">Those of them that were in the prefix cache.</param>
/// <param name="AnswerTokens">Tokens of the answers.</param>
public sealed record AuditUsage(DateOnly Day, string? KeyId, string? KeyName, string? Model, long Requests, long Refused, long PromptTokens, long CachedTokens, long AnswerTokens)
{
    /// <summary>Sums rows by day, key and model, in this order.</summary>
    public static IReadOnlyList<AuditUsage> Of(IEnumerable<AuditEntry> entries)
    {
        var sums = new Dictionary<(DateOnly, string?, string?), AuditUsage>();
        foreach (AuditEntry entry in entries)
        {
            if (entry.Kind is not (AuditKind.Request or AuditKind.Refusal)) continue;
            var key = (DateOnly.FromDateTime(entry.At.UtcDateTime), entry.KeyId, entry.Model);
            AuditUsage sum = sums.GetValueOrDefault(key) ?? new AuditUsage(key.Item1, entry.KeyId, entry.KeyName, entry.Model, 0, 0, 0, 0, 0);
            bool refused = entry.Outcome == AuditOutcome.Refused;
            sums[key] = sum with
            {
                KeyName = entry.KeyName ?? sum.KeyName,
                Requests = sum.Requests + (refused || entry.Part > 0 ? 0 : 1),
                Refused = sum.Refused + (refused ? entry.Requests ?? 1 : 0),
                PromptTokens = sum.PromptTokens + (entry.PromptTokens ?? 0),
                CachedTokens = sum.CachedTokens + (entry.CachedTokens ?? 0),
                AnswerTokens = sum.AnswerTokens + (entry.AnswerTokens ?? 0),
            };
        }
        return [.. sums.Values.OrderBy(sum => sum.Day).ThenBy(sum => sum.KeyId, StringComparer.Ordinal).ThenBy(sum => sum.Model, StringComparer.Ordinal)];
    }
}
