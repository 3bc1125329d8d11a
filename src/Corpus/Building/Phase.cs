using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Erasure;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>The steps up to and including the next one that compares all documents, or up to the end.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Applied">The step that ended the phase before: what it found is applied first; absent in the first phase.</param>
/// <param name="Filters">Judge each document by itself.</param>
/// <param name="Measured">Ends the phase; absent in the last one.</param>
/// <param name="LanguagesAskedAt">Before which of the filters documents of languages that nobody wants are dropped; absent in all phases but one.</param>
internal sealed record Phase(int Number, MeasuredStep? Applied, IReadOnlyList<Filter> Filters, MeasuredStep? Measured, int? LanguagesAskedAt)
{
    private const string LanguagesStep = "languages";

    /// <summary>Cuts a list of steps into phases.</summary>
    public static IReadOnlyList<Phase> Of(IReadOnlyList<CorpusStep> steps)
    {
        var phases = new List<Phase>();
        var filters = new List<Filter>();
        MeasuredStep? before = null;
        // Languages are known from the beginning, or from when they have been identified.
        CorpusStep? last = steps.LastOrDefault(step => step is LanguageIdentification);
        int? asked = last is null ? 0 : null;
        bool settled = false;
        foreach (CorpusStep step in steps)
        {
            if (step is Filter filter) filters.Add(filter);
            if (ReferenceEquals(step, last)) asked = filters.Count;
            if (step is MeasuredStep measured) End(measured);
        }
        End(null);
        return phases;

        void End(MeasuredStep? measured)
        {
            phases.Add(new Phase(phases.Count, before, filters, measured, settled ? null : asked));
            settled |= asked is not null;
            filters = [];
            before = measured;
        }
    }

    /// <summary>Runs the phase on one unit, and leaves the result in a folder.</summary>
    /// <param name="context">What is the same for all units.</param>
    /// <param name="folder">The folder to make.</param>
    /// <param name="key">Stands for everything the content follows from.</param>
    /// <param name="documents">The documents of the unit; is given where to tell of what is no document.</param>
    /// <param name="verdicts">What the phase before found out about them, unless this is the first.</param>
    public WorkUnit Run(
        BuildContext context, string folder, string key, Func<Action<SkippedInput>, IEnumerable<PassingDocument>> documents, UnitVerdicts? verdicts)
    {
        using var writer = new WorkUnit.Writer(context.Files, folder, context.Writer, measures: Measured is not null);
        var run = new UnitRun(context, writer);
        var rows = new MeasureRows(Measured?.MeasureBytes ?? 0);
        int number = 0, kept = 0;
        StepTimes? times = context.Times;
        foreach (PassingDocument read in StepTimes.Counted(times, Number == 0 ? StepTimes.Reading : StepTimes.ReadingAgain, documents(run.Skip)))
        {
            PassingDocument? entered = verdicts is null ? Enter(read, context.Tombstones, run) : Apply(verdicts.Of(number++, read.Document), read, run);
            if (entered is null || Pass(entered, context, run) is not { } passing) continue;
            rows.Begin(kept);
            if (!Measure(passing, rows, context, run)) continue;
            kept++;
            Document document = passing.Document;
            if (Measured is null && context.Tombstones?.HasText(document.Text) == true)
            {
                run.Forget(passing);
                continue;
            }
            long since = times?.Now ?? 0;
            if (Measured is null) run.Keep(document.Lang, passing, TextHash.Of(document.Text), Domains.HostOf(document.Url), []);
            else run.Keep(WorkUnit.All, passing, default, null, rows.Bytes);
            times?.Add(StepTimes.WorkWriting, since);
        }
        return run.Finish(key);
    }

    /// <summary>The documents of an earlier phase's unit.</summary>
    public static IEnumerable<PassingDocument> Read(IFileSystem files, WorkUnit unit, Action<long> progress)
    {
        if (!unit.Has(WorkUnit.All)) yield break;
        using Stream stream = files.OpenRead(unit.Lines(WorkUnit.All));
        var lines = new LineReader(stream);
        foreach (IndexEntry entry in IndexEntry.ReadAll(files, unit.Index(WorkUnit.All)))
        {
            if (!lines.TryRead(out ReadOnlyMemory<byte> line)) throw new InvalidOperationException($"{unit.Lines(WorkUnit.All)} has fewer lines than its index.");
            progress(line.Length + 1);
            yield return new PassingDocument(Document.Parse(line.Span, unit.Lines(WorkUnit.All)), entry.Side, entry.Tokens);
        }
    }

    private static PassingDocument? Enter(PassingDocument passing, Tombstones? tombstones, UnitRun run)
    {
        string? canonical = CorpusLanguages.Canonical(passing.Document.Lang);
        if (canonical is not null && canonical != passing.Document.Lang) passing = passing.With(passing.Document with { Lang = canonical });
        run.Enter(passing);
        if (tombstones?.Has(passing.Document) != true) return passing;
        run.Forget(passing);
        return null;
    }

    private PassingDocument? Apply(UnitVerdict verdict, PassingDocument passing, UnitRun run)
    {
        if (verdict.Reason is { } reason)
        {
            run.Drop(Applied!.Name, reason, passing);
            return null;
        }
        if (verdict.Cuts is null) return passing;
        string remaining = verdict.Remaining(passing.Document.Text);
        if (!string.IsNullOrWhiteSpace(remaining)) return run.Replace(Applied!.Name, passing, passing.Document with { Text = remaining });
        run.Drop(Applied!.Name, CorpusReport.NothingLeft, passing);
        return null;
    }

    private PassingDocument? Pass(PassingDocument passing, BuildContext context, UnitRun run)
    {
        for (int i = 0; i <= Filters.Count; i++)
        {
            if (i == LanguagesAskedAt && !context.Languages.Contains(passing.Document.Lang))
            {
                run.Drop(LanguagesStep, "not-asked-for", passing);
                return null;
            }
            if (i == Filters.Count) break;
            Verdict verdict;
            long since = context.Times?.Now ?? 0;
            try
            {
                verdict = Filters[i].Judge(passing.Document);
            }
            catch (Exception error) when (IsOfTheDocument(error))
            {
                run.Fail(Filters[i].Name, error, passing);
                return null;
            }
            context.Times?.Add(Filters[i].Name, since);
            run.Record(Filters[i].Name, verdict, passing);
            if (verdict.Reason is { } reason)
            {
                run.Drop(Filters[i].Name, reason, passing);
                return null;
            }
            if (verdict.Replacement is { } replacement) passing = run.Replace(Filters[i].Name, passing, replacement);
        }
        return passing;
    }

    private bool Measure(PassingDocument passing, MeasureRows rows, BuildContext context, UnitRun run)
    {
        if (Measured is null) return true;
        long since = context.Times?.Now ?? 0;
        try
        {
            Measured.Measure(passing.Document, rows);
            context.Times?.Add(Measured.Name, since);
            return true;
        }
        catch (Exception error) when (IsOfTheDocument(error))
        {
            run.Fail(Measured.Name, error, passing);
            return false;
        }
    }

    /// <summary>Whether a document is to blame: neither the settings, nor the disk, nor whoever stopped the run.</summary>
    private static bool IsOfTheDocument(Exception error) => error is not (UserErrorException or OperationCanceledException) && !StorageFailure.Is(error);
}
