using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>The way of a language's documents through the pipeline, from the counts of a corpus folder's manifest.</summary>
/// <param name="Language">Language code.</param>
/// <param name="Read">Documents read.</param>
/// <param name="ReadBytes">Their text, in bytes of UTF-8.</param>
/// <param name="Train">Documents for training.</param>
/// <param name="TrainBytes">Their text, in bytes.</param>
/// <param name="HeldOut">Documents held out.</param>
/// <param name="HeldOutBytes">Their text, in bytes.</param>
/// <param name="Changed">Documents that a step changed and kept.</param>
/// <param name="Dropped">Documents that ended at each step, by <c>step: reason</c>.</param>
public sealed record LanguageFunnel(
    string Language, long Read, long ReadBytes, long Train, long TrainBytes, long HeldOut, long HeldOutBytes, long Changed,
    IReadOnlyDictionary<string, long> Dropped)
{
    /// <summary>The row as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["language"] = Language,
        ["read"] = Read,
        ["readBytes"] = ReadBytes,
        ["train"] = Train,
        ["trainBytes"] = TrainBytes,
        ["heldOut"] = HeldOut,
        ["heldOutBytes"] = HeldOutBytes,
        ["changed"] = Changed,
        ["dropped"] = new JsonObject(Dropped.Select(reason => KeyValuePair.Create(reason.Key, (JsonNode?)reason.Value))),
    };
}

/// <summary>Reads the counts of a corpus folder. Every document read stands in exactly one other count: dropped for a reason, held out, or
/// training text; only <see cref="Changed"/> is told beside.</summary>
public static class CorpusReport
{
    /// <summary>Step under which what is no document is counted: files of other kinds, bad lines, damaged records.</summary>
    public const string SourceStep = "source";

    /// <summary>Step under which documents are counted as they are read.</summary>
    public const string ReadStep = "read";

    /// <summary>Step under which the two sides are counted.</summary>
    public const string SplitStep = "split";

    /// <summary>Step under which examination items are counted.</summary>
    public const string ExaminationStep = "examination";

    /// <summary>Reason of training documents.</summary>
    public const string Train = "train";

    /// <summary>Reason of held-out documents.</summary>
    public const string HeldOut = "held-out";

    /// <summary>Reason of documents dropped because their text is held out.</summary>
    public const string CopyOfHeldOut = "copy-of-held-out";

    /// <summary>Reason of documents dropped because the language has all the text it may have.</summary>
    public const string OverBudget = "over-budget";

    /// <summary>Reason of documents that a step changed and kept, with the bytes they had before.</summary>
    public const string Changed = "changed";

    /// <summary>The same documents with the bytes they had afterwards.</summary>
    public const string Became = "became";

    /// <summary>Reason of documents that a step gave another language, under the one they had.</summary>
    public const string MovedOut = "moved-out";

    /// <summary>The same documents under the language they got.</summary>
    public const string MovedIn = "moved-in";

    /// <summary>Reason of documents dropped because a step failed on them.</summary>
    public const string Failed = "failed";

    /// <summary>Reason of documents dropped because a step cut out all their text.</summary>
    public const string NothingLeft = "nothing-left";

    /// <summary>Reason of documents written once more because their language is to have more text than there is.</summary>
    public const string Repeated = "repeated";

    /// <summary>Whether a count is of documents that end there, dropped or kept: each document read stands in exactly one of them.</summary>
    public static bool IsEnd(ManifestCount count)
    {
        ArgumentNullException.ThrowIfNull(count);
        return count.Language is not null && count.Step is not (ReadStep or ExaminationStep) && count.Reason is not (Changed or Became or MovedOut or MovedIn or Repeated);
    }

    /// <summary>A row for each language, in ordinal order.</summary>
    public static IReadOnlyList<LanguageFunnel> Of(Manifest manifest) => [.. manifest.Counts
        .Where(count => count.Language is not null && count.Step != ExaminationStep)
        .GroupBy(count => count.Language!)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => Row(group.Key, [.. group]))];

    private static LanguageFunnel Row(string language, List<ManifestCount> counts)
    {
        (long Documents, long Bytes) Sum(string step, string reason)
        {
            IEnumerable<ManifestCount> matching = counts.Where(count => count.Step == step && count.Reason == reason);
            return (matching.Sum(count => count.Documents), matching.Sum(count => count.Bytes));
        }

        (long read, long readBytes) = Sum(ReadStep, ReadStep);
        (long train, long trainBytes) = Sum(SplitStep, Train);
        (long heldOut, long heldOutBytes) = Sum(SplitStep, HeldOut);
        var dropped = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (ManifestCount count in counts)
        {
            if (!IsEnd(count) || (count.Step == SplitStep && count.Reason is Train or HeldOut)) continue;
            string reason = $"{count.Step}: {count.Reason}";
            dropped[reason] = dropped.GetValueOrDefault(reason) + count.Documents;
        }
        return new LanguageFunnel(
            language, read, readBytes, train, trainBytes, heldOut, heldOutBytes,
            counts.Where(count => count.Reason == Changed).Sum(count => count.Documents), dropped);
    }
}
