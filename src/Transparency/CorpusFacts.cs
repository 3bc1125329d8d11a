using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency;

/// <summary>What went into training, by language, source and licence.</summary>
internal sealed record DataRow(string Language, string Source, string License, long TrainDocuments, long TrainBytes, long HeldOutDocuments);

/// <summary>Documents that left the pipeline, or reached its end, at one step for one reason.</summary>
internal sealed record FunnelRow(string Step, string Reason, long Documents, long Bytes);

/// <summary>What was done about something that may keep a document from being learned from.</summary>
/// <param name="Subject">What it is about.</param>
/// <param name="Step">The step that looked after it; null when none did.</param>
/// <param name="Outcome">What was found, or dropped and why; null when nothing was.</param>
/// <param name="Documents">In how many documents.</param>
internal sealed record DutyRow(string Subject, string? Step, string? Outcome, long Documents);

/// <summary>Reads the counts of the corpus and tokens stages.</summary>
internal static class CorpusFacts
{
    // The names that the corpus stage counts under; see its manifest.
    private const string ReadStep = "read", SplitStep = "split", ExaminationStep = "examination", TasksStep = "evaluation-tasks", Train = "train", HeldOut = "held-out", Found = "found-";

    // What is told beside the way of the documents: each of these documents is counted elsewhere too.
    private static readonly string[] Beside = ["changed", "became", "moved-in", "moved-out", "repeated"];

    public static IReadOnlyList<DataRow> Data(Lineage lineage) => [.. Counts(lineage, "corpus")
        .Where(count => count.Step == SplitStep && count.Reason is Train or HeldOut)
        .GroupBy(count => (Language: count.Language ?? "", Source: count.Source ?? "", License: count.License ?? ""))
        .OrderBy(group => group.Key.Language, StringComparer.Ordinal).ThenBy(group => group.Key.Source, StringComparer.Ordinal).ThenBy(group => group.Key.License, StringComparer.Ordinal)
        .Select(group => new DataRow(
            group.Key.Language, group.Key.Source, group.Key.License,
            group.Where(count => count.Reason == Train).Sum(count => count.Documents), group.Where(count => count.Reason == Train).Sum(count => count.Bytes),
            group.Where(count => count.Reason == HeldOut).Sum(count => count.Documents)))];

    /// <summary>Training tokens by language, where the tokens stage counted them.</summary>
    public static IReadOnlyDictionary<string, long> Tokens(Lineage lineage) => Counts(lineage, "tokens")
        .Where(count => count.Language is not null && count.Tokens > 0 && !count.Reason.StartsWith("held", StringComparison.Ordinal))
        .GroupBy(count => count.Language!)
        .ToDictionary(group => group.Key, group => group.Sum(count => count.Tokens));

    // Steps that judge whether a document may be learned from, and what they look for.
    private static readonly (string Step, string Subject)[] Duties =
        [("rights-reserved", "reserved rights"), ("personal-data", "personal data"), ("decontamination", "texts of evaluation sets"), ("erasure", "documents to be forgotten")];

    /// <summary>For each duty, whether a step of the recipe looked after it, and what it found and dropped: from the counts of the corpus alone.</summary>
    public static IReadOnlyList<DutyRow> Dutiful(Lineage lineage)
    {
        if (lineage["corpus"]?.Manifest is not { } manifest) return [];
        var rows = new List<DutyRow>();
        foreach ((string step, string subject) in Duties)
        {
            JsonObject? settings = (manifest.Settings["steps"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault(item => (string?)item["step"] == step);
            var counts = manifest.Counts.Where(count => count.Step == step && count.Language is not null && !Beside.Contains(count.Reason)).ToList();
            if (settings is null && counts.Count == 0)
            {
                rows.Add(new DutyRow(subject, null, null, 0));
                continue;
            }
            string how = ((string?)settings?["mode"] ?? (string?)settings?["action"]) is { } action ? $"{step} ({action})" : step;
            if (counts.Count == 0) rows.Add(new DutyRow(subject, how, null, 0));
            rows.AddRange(counts.GroupBy(count => count.Reason).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new DutyRow(
                subject, how, group.Key.StartsWith(Found, StringComparison.Ordinal) ? $"found: {group.Key[Found.Length..]}" : $"dropped: {group.Key}", group.Sum(count => count.Documents))));
        }
        return rows;
    }

    /// <summary>First what was read, then every loss, then the two sides of the split.</summary>
    public static IReadOnlyList<FunnelRow> Funnel(Lineage lineage)
    {
        static int Order(FunnelRow row) => row.Step == ReadStep ? 0 : row is { Step: SplitStep, Reason: HeldOut } ? 2 : row is { Step: SplitStep, Reason: Train } ? 3 : 1;
        return [.. Counts(lineage, "corpus")
            .Where(count => count.Step is not (ExaminationStep or TasksStep) && !count.Reason.StartsWith(Found, StringComparison.Ordinal) && !Beside.Contains(count.Reason))
            .GroupBy(count => (count.Step, count.Reason))
            .Select(group => new FunnelRow(group.Key.Step, group.Key.Reason, group.Sum(count => count.Documents), group.Sum(count => count.Bytes)))
            .OrderBy(Order).ThenByDescending(row => row.Documents).ThenBy(row => row.Step, StringComparer.Ordinal).ThenBy(row => row.Reason, StringComparer.Ordinal)];
    }

    private static IReadOnlyList<ManifestCount> Counts(Lineage lineage, string stage) => lineage[stage]?.Manifest.Counts ?? [];
}
