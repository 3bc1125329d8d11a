using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Where documents come from: what every count is split by.</summary>
internal readonly record struct Origin(string Language, string Source, string License);

/// <summary>Counts documents, bytes and tokens by step, reason and origin.</summary>
internal sealed class Funnel
{
    private readonly SortedDictionary<string, long> _skipped = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Step, string Reason, Origin Origin), (long Documents, long Bytes, long Tokens)> _counts = [];

    /// <summary>Counts one document.</summary>
    public void Add(string step, string reason, Origin origin, long bytes, long tokens = 0)
    {
        (long documents, long sum, long sumOfTokens) = _counts.GetValueOrDefault((step, reason, origin));
        _counts[(step, reason, origin)] = (documents + 1, sum + bytes, sumOfTokens + tokens);
    }

    /// <summary>Counts something of the input that is no document.</summary>
    public void Skip(string reason) => _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;

    /// <summary>The counts, in an order that depends on nothing but themselves.</summary>
    public IEnumerable<ManifestCount> Counts() => _skipped
        .Select(skipped => new ManifestCount(CorpusReport.SourceStep, skipped.Key, Documents: skipped.Value))
        .Concat(DocumentCounts());

    private IEnumerable<ManifestCount> DocumentCounts() => _counts
        .OrderBy(count => count.Key.Step, StringComparer.Ordinal).ThenBy(count => count.Key.Reason, StringComparer.Ordinal)
        .ThenBy(count => count.Key.Origin.Language, StringComparer.Ordinal).ThenBy(count => count.Key.Origin.Source, StringComparer.Ordinal)
        .ThenBy(count => count.Key.Origin.License, StringComparer.Ordinal)
        .Select(count => new ManifestCount(
            count.Key.Step, count.Key.Reason, count.Key.Origin.Language, count.Key.Origin.Source, count.Key.Origin.License,
            count.Value.Documents, count.Value.Bytes, count.Value.Tokens));
}
