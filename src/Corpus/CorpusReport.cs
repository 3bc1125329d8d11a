using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Reporting;

namespace OpenEuroLLM.Corpus;

/// <summary>The way of a language's documents through the pipeline in one row: read, and moved in, less moved out, dropped and held out, is training text.</summary>
/// <param name="Language">Language code.</param>
/// <param name="Read">Documents read in this language, or in none that is known.</param>
/// <param name="ReadBytes">Their text, in bytes of UTF-8.</param>
/// <param name="MovedIn">Documents of other languages that a step found to be of this one.</param>
/// <param name="MovedOut">Documents of this language that a step found to be of another.</param>
/// <param name="Train">Documents for training, each once.</param>
/// <param name="TrainBytes">Their text, in bytes.</param>
/// <param name="Tokens">Their tokens; null where the corpus was built without a tokenizer.</param>
/// <param name="HeldOut">Documents held out.</param>
/// <param name="HeldOutBytes">Their text, in bytes.</param>
/// <param name="Repeated">Training documents that were written once more, so that the language has its share: a document written three times counts two.</param>
/// <param name="RepeatedBytes">Their text, in bytes.</param>
/// <param name="Changed">Documents that a step changed and kept.</param>
/// <param name="Dropped">Documents that ended at each step, by <c>step: reason</c>.</param>
public sealed record LanguageFunnel(
    string Language, long Read, long ReadBytes, long MovedIn, long MovedOut, long Train, long TrainBytes, long? Tokens, long HeldOut, long HeldOutBytes,
    long Repeated, long RepeatedBytes, long Changed, IReadOnlyDictionary<string, long> Dropped)
{
    /// <summary>The row as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["language"] = Language,
        ["read"] = Read,
        ["readBytes"] = ReadBytes,
        ["movedIn"] = MovedIn,
        ["movedOut"] = MovedOut,
        ["train"] = Train,
        ["trainBytes"] = TrainBytes,
        ["trainTokens"] = Tokens,
        ["heldOut"] = HeldOut,
        ["heldOutBytes"] = HeldOutBytes,
        ["repeated"] = Repeated,
        ["repeatedBytes"] = RepeatedBytes,
        ["changed"] = Changed,
        ["dropped"] = new JsonObject(Dropped.Select(reason => KeyValuePair.Create(reason.Key, (JsonNode?)reason.Value))),
    };

    /// <summary>The row of an account.</summary>
    /// <param name="account">The way of a language's documents.</param>
    /// <param name="countsTokens">Whether tokens were counted.</param>
    internal static LanguageFunnel Of(LanguageAccount account, bool countsTokens)
    {
        var dropped = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (StepAccount step in account.Steps)
            foreach ((string reason, Amount amount) in step.Dropped) dropped[$"{step.Step}: {reason}"] = amount.Documents;
        return new LanguageFunnel(
            account.Language, account.Read.Documents, account.Read.Bytes, account.Steps.Sum(step => step.MovedIn.Documents), account.Steps.Sum(step => step.MovedOut.Documents),
            account.Train.Documents, account.Train.Bytes, countsTokens ? account.Train.Tokens : null, account.HeldOut.Documents, account.HeldOut.Bytes,
            account.Repeated.Documents, account.Repeated.Bytes, account.Steps.Sum(step => step.Changed.Documents), dropped);
    }
}

/// <summary>Reads the counts of a corpus folder. Every document read stands in exactly one other count: dropped for a reason, held out, or
/// training text; what is <see cref="Changed"/>, moved to another language or <see cref="Repeated"/> is told beside.</summary>
public static class CorpusReport
{
    /// <summary>Step under which what is no document is counted: files of other kinds, bad lines, damaged records.</summary>
    public const string SourceStep = "source";

    /// <summary>Step under which documents are counted as they are read.</summary>
    public const string ReadStep = "read";

    /// <summary>Step at which documents of languages that nobody asked for end.</summary>
    public const string LanguagesStep = "languages";

    /// <summary>Step under which the two sides are counted.</summary>
    public const string SplitStep = "split";

    /// <summary>Step under which the items of the evaluation tasks are counted that were looked for in the texts.</summary>
    public const string TasksStep = "evaluation-tasks";

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

    /// <summary>Reason under which the tokens are counted that the mixing asked for and that no language could give.</summary>
    public const string Missing = "missing";

    /// <summary>Reason of documents written once more because their language is to have more text than there is.</summary>
    public const string Repeated = "repeated";

    /// <summary>Step under which documents are counted that were to be forgotten: kept out when the corpus was built, or erased from it afterwards.</summary>
    public const string ErasureStep = "erasure";

    /// <summary>Reason of such documents.</summary>
    public const string Forgotten = "forgotten";

    /// <summary>Beginning of the reasons of documents in which a step found something, whatever became of them.</summary>
    public const string Found = "found-";

    /// <summary>Whether a count is told beside the ways of the documents: what was found in them.</summary>
    internal static bool IsBeside(string reason) => reason.StartsWith(Found, StringComparison.Ordinal);

    /// <summary>Whether a count is of documents that end there, dropped or kept: each document read stands in exactly one of them.</summary>
    public static bool IsEnd(ManifestCount count)
    {
        ArgumentNullException.ThrowIfNull(count);
        return count.Language is not null && count.Step is not (ReadStep or ExaminationStep) && count.Reason is not (Changed or Became or MovedOut or MovedIn or Repeated) && !IsBeside(count.Reason);
    }

    /// <summary>A row for each language, in ordinal order.</summary>
    public static IReadOnlyList<LanguageFunnel> Of(Manifest manifest) => Of(CorpusFunnel.Of(manifest));

    /// <summary>A row for each language, in ordinal order.</summary>
    public static IReadOnlyList<LanguageFunnel> Of(CorpusFunnel funnel) => [.. funnel.Languages.Select(account => LanguageFunnel.Of(account, funnel.CountsTokens))];

    /// <summary>The row of all languages together.</summary>
    public static LanguageFunnel Together(CorpusFunnel funnel) => LanguageFunnel.Of(funnel.Together, funnel.CountsTokens);
}
