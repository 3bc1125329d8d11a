using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>What a licence, or a source, gave to a language.</summary>
/// <param name="Language">Language code: of what was read as it says itself, of what is kept as it was found to be.</param>
/// <param name="Name">The licence or source.</param>
/// <param name="Read">What was read.</param>
/// <param name="Train">What is for training, each document once.</param>
/// <param name="HeldOut">What is held out.</param>
/// <param name="Repeated">What was written to the training text once more.</param>
public sealed record OriginAccount(string Language, string Name, Amount Read, Amount Train, Amount HeldOut, Amount Repeated);

/// <summary>Where the documents of a corpus come from and under what licence.</summary>
public static class CorpusOrigins
{
    /// <summary>A row for each licence of each language.</summary>
    public static IReadOnlyList<OriginAccount> Licences(Manifest manifest) => By(manifest, count => count.License);

    /// <summary>A row for each source of each language.</summary>
    public static IReadOnlyList<OriginAccount> Sources(Manifest manifest) => By(manifest, count => count.Source);

    private static List<OriginAccount> By(Manifest manifest, Func<ManifestCount, string?> name) => [.. manifest.Counts
        .Where(count => count.Language is not null && (count.Step, count.Reason) is
            (CorpusReport.ReadStep, CorpusReport.ReadStep) or (CorpusReport.SplitStep, CorpusReport.Train or CorpusReport.HeldOut or CorpusReport.Repeated))
        .GroupBy(count => (Language: count.Language!, Name: name(count) ?? ""))
        .OrderBy(group => group.Key.Language, StringComparer.Ordinal).ThenBy(group => group.Key.Name, StringComparer.Ordinal)
        .Select(group =>
        {
            Amount Sum(string reason) => Amount.Sum(group.Where(count => count.Reason == reason).Select(Amount.Of));
            return new OriginAccount(group.Key.Language, group.Key.Name, Sum(CorpusReport.ReadStep), Sum(CorpusReport.Train), Sum(CorpusReport.HeldOut), Sum(CorpusReport.Repeated));
        })];
}
