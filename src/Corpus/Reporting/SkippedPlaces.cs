using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>What of the input was no document, for one reason.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How often, by the manifest; null of documents on which a step failed, which are counted at that step.</param>
/// <param name="Listed">How many places <c>skipped.jsonl</c> names.</param>
/// <param name="Places">The first of them.</param>
public sealed record SkippedReason(string Reason, long? Count, long Listed, IReadOnlyList<string> Places);

/// <summary>Reads what was passed over: how much from the manifest, where from <c>skipped.jsonl</c>.</summary>
public static class SkippedPlaces
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = WorkUnit.SkippedFile;

    private const int MostReasons = 1_000;   // a step that fails says why in its own words, which may be different for each document
    private const string Others = "other reasons";

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
        var counted = manifest.Counts.Where(count => count.Step == CorpusReport.SourceStep).GroupBy(count => count.Reason)
            .ToDictionary(group => group.Key, group => group.Sum(count => count.Documents));
        var listed = new SortedDictionary<string, (long Count, List<string> Places)>(StringComparer.Ordinal);
        FolderLines.Read(files, Path.Combine(folder, FileName), "an entry with place and reason", line =>
        {
            using var json = FolderLines.Object(line);
            string reason = FolderLines.Text(json, "reason"), place = FolderLines.Text(json, "place");
            if (!listed.ContainsKey(reason) && !counted.ContainsKey(reason) && listed.Count >= MostReasons) reason = Others;
            var entry = listed.TryGetValue(reason, out var before) ? before : (0, []);
            if (entry.Places.Count < most) entry.Places.Add(place);
            listed[reason] = (entry.Count + 1, entry.Places);
        });
        return [.. counted.Keys.Union(listed.Keys).Order(StringComparer.Ordinal).Select(reason =>
        {
            (long Count, List<string> Places) found = listed.TryGetValue(reason, out var entry) ? entry : (0, []);
            return new SkippedReason(reason, counted.TryGetValue(reason, out long count) ? count : null, found.Count, found.Places);
        })];
    }
}
