using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Erasure;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>What is the same for all units of a build.</summary>
/// <param name="Files">The file system.</param>
/// <param name="Languages">The languages kept.</param>
/// <param name="Tokens">Counts tokens; absent where nobody asked.</param>
/// <param name="SamplesKept">Samples of each outcome and language.</param>
/// <param name="Seed">Decides which.</param>
/// <param name="Writer">Names this process among those that work at the same corpus.</param>
/// <param name="Tombstones">What is to be forgotten; absent where nothing is.</param>
/// <param name="Times">Where the time goes; absent where nobody asks.</param>
internal sealed record BuildContext(IFileSystem Files, IReadOnlySet<string> Languages, TokenCounter? Tokens, int SamplesKept, ulong Seed, string Writer, Tombstones? Tombstones = null, StepTimes? Times = null);

/// <summary>What becomes of the documents of one unit in one phase: every end and every change is counted, and some are kept for people to look at.</summary>
internal sealed class UnitRun(BuildContext context, WorkUnit.Writer writer)
{
    private readonly Funnel _funnel = new();
    private readonly Samples _samples = new(context.SamplesKept, context.Seed);

    /// <summary>Counts a document as read.</summary>
    public void Enter(PassingDocument passing) => _funnel.Add(CorpusReport.ReadStep, CorpusReport.ReadStep, passing.Origin, passing.Bytes);

    /// <summary>The document ends at a step.</summary>
    public void Drop(string step, string reason, PassingDocument passing)
    {
        passing = Counted(passing);
        _funnel.Add(step, reason, passing.Origin, passing.Bytes, passing.Tokens ?? 0);
        _samples.Offer(step, reason, passing.Document);
    }

    /// <summary>The document is one that is to be forgotten: it is counted, and nothing of it is kept, no sample either.</summary>
    public void Forget(PassingDocument passing)
    {
        passing = Counted(passing);
        _funnel.Add(CorpusReport.ErasureStep, CorpusReport.Forgotten, passing.Origin, passing.Bytes, passing.Tokens ?? 0);
    }

    /// <summary>The document ends at a step because the step failed on it: the others must not suffer from that.</summary>
    public void Fail(string step, Exception error, PassingDocument passing)
    {
        Drop(step, CorpusReport.Failed, passing with { Tokens = passing.Tokens ?? 0 });
        Document document = passing.Document;
        writer.Skip(new SkippedInput($"{step}: {error.GetType().Name}: {error.Message}", $"document '{document.Id}' of '{document.Source}'"));
    }

    /// <summary>Another document goes on in the place of one.</summary>
    public PassingDocument Replace(string step, PassingDocument passing, Document replacement)
    {
        PassingDocument after = passing.With(replacement);
        if (after.Origin == passing.Origin && replacement.Text == passing.Document.Text) return after;   // only what is known about it differs
        bool moved = replacement.Lang != passing.Document.Lang;
        if (moved)
        {
            _funnel.Add(step, CorpusReport.MovedOut, passing.Origin, passing.Bytes);
            _funnel.Add(step, CorpusReport.MovedIn, passing.Origin with { Language = replacement.Lang }, passing.Bytes);
        }
        if (!moved || replacement.Text != passing.Document.Text)
        {
            _funnel.Add(step, CorpusReport.Changed, passing.Origin with { Language = replacement.Lang }, passing.Bytes);
            _funnel.Add(step, CorpusReport.Became, after.Origin, after.Bytes);
        }
        return after;
    }

    /// <summary>Records what a step has found in a document.</summary>
    public void Record(string step, Verdict verdict, PassingDocument passing)
    {
        if (verdict.Entry is not { } entry) return;
        foreach (string found in entry.Found) _funnel.Add(step, CorpusReport.Found + found, passing.Origin, passing.Bytes);
        Document document = passing.Document;
        var line = new JsonObject
        {
            ["step"] = step,
            ["outcome"] = verdict.Reason is { } reason ? $"dropped: {reason}" : verdict.Replacement is { } after && after.Text != document.Text ? "changed" : "kept",
            ["id"] = document.Id,
            ["source"] = document.Source,
            ["language"] = document.Lang,
            ["textSha256"] = Manifest.Hash(Encoding.UTF8.GetBytes(document.Text)),
            ["record"] = entry.Record,
        };
        if (document.Url is not null) line["url"] = document.Url;
        writer.Record(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(line, LedgerJson.Default.JsonNode));
    }

    /// <summary>Counts something of the input that is no document.</summary>
    public void Skip(SkippedInput skipped)
    {
        _funnel.Skip(skipped.Reason);
        writer.Skip(skipped);
    }

    /// <summary>The document goes on to the next phase, or into the corpus.</summary>
    public void Keep(string group, PassingDocument passing, UInt128 hash, string? host, ReadOnlySpan<byte> measures) =>
        writer.Add(group, Counted(passing), hash, host, measures);

    /// <summary>Everything has been written.</summary>
    public WorkUnit Finish(string key) => writer.Finish(key, _funnel, _samples);

    private PassingDocument Counted(PassingDocument passing) => context.Tokens?.Counted(passing) ?? passing;
}

[JsonSerializable(typeof(JsonNode))]
internal sealed partial class LedgerJson : JsonSerializerContext;
