using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency;

/// <summary>What went into training, by language, source and licence.</summary>
internal sealed record DataRow(string Language, string Source, string License, long TrainDocuments, long TrainBytes, long HeldOutDocuments);

/// <summary>Documents that left the pipeline, or reached its end, at one step for one reason.</summary>
internal sealed record FunnelRow(string Step, string Reason, long Documents, long Bytes);

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
