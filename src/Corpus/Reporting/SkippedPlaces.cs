using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>What of the input was no document, for one reason.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How often, by the manifest.</param>
/// <param name="Listed">How many places <c>skipped.jsonl</c> names.</param>
/// <param name="Places">The first of them.</param>
public sealed record SkippedReason(string Reason, long Count, long Listed, IReadOnlyList<string> Places);

/// <summary>Reads what was passed over: how much from the manifest, where from <c>skipped.jsonl</c>.</summary>
public static class SkippedPlaces
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = WorkUnit.SkippedFile;

    private const int MostReasons = 1_000;

    /// <summary>A row for each reason, in ordinal order.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="folder">The corpus folder.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="most">How many places of a reason are named.</param>
    /// <exception cref="UserErrorException">A line of the file is no entry; the message says which.</exception>
    public static IReadOnlyList<SkippedReason> Read(IFileSystem files, string folder, Manifest manifest, int most)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(manifest);
        var listed = new SortedDictionary<string, (long Count, List<string> Places)>(StringComparer.Ordinal);
        FolderLines.Read(files, Path.Combine(folder, FileName), "an entry with place and reason", line =>
        {
            using var json = FolderLines.Object(line);
            string reason = FolderLines.Text(json, "reason"), place = FolderLines.Text(json, "place");
            if (!listed.TryGetValue(reason, out var entry))
            {
                if (listed.Count == MostReasons) throw new FormatException(FormattableString.Invariant($"more than {MostReasons} reasons"));
                entry = (0, []);
            }
            if (entry.Places.Count < most) entry.Places.Add(place);
            listed[reason] = (entry.Count + 1, entry.Places);
        });
        var counted = manifest.Counts.Where(count => count.Step == CorpusReport.SourceStep).GroupBy(count => count.Reason)
            .ToDictionary(group => group.Key, group => group.Sum(count => count.Documents));
        return [.. counted.Keys.Union(listed.Keys).Order(StringComparer.Ordinal).Select(reason =>
            new SkippedReason(reason, counted.GetValueOrDefault(reason), listed.GetValueOrDefault(reason).Count, listed.TryGetValue(reason, out var entry) ? entry.Places : []))];
    }
}
