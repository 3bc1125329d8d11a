using System.Collections;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>The steps up to and including the next one that needs a decision over all documents, or up to the end.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Filters">Judge each document by itself.</param>
/// <param name="Measured">Ends the phase; absent in the last one.</param>
/// <param name="LanguagesAskedAt">Before which of the filters documents of languages that nobody wants are dropped; absent in all phases but one.</param>
internal sealed record Phase(int Number, IReadOnlyList<Filter> Filters, MeasuredStep? Measured, int? LanguagesAskedAt)
{
    /// <summary>Name of the one group of documents before the last phase; afterwards groups are languages.</summary>
    private const string All = "all";

    /// <summary>Cuts a list of steps into phases.</summary>
    public static IReadOnlyList<Phase> Of(IReadOnlyList<CorpusStep> steps)
    {
        var phases = new List<Phase>();
        var filters = new List<Filter>();
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
            phases.Add(new Phase(phases.Count, filters, measured, settled ? null : asked));
            settled |= asked is not null;
            filters = [];
        }
    }

    /// <summary>Runs the phase on what one worker was given, and leaves the result in a folder.</summary>
    public WorkUnit Run(IFileSystem files, string folder, string key, Func<Action<SkippedInput>, IEnumerable<(Document Document, Side Side)>> documents, IReadOnlySet<string> languages)
    {
        files.Delete(folder);   // half-done work of an earlier run
        files.CreateDirectory(folder);
        using var writer = new WorkUnitWriter(files, folder, measures: Measured is not null);
        byte[] measure = new byte[Measured?.MeasureBytes ?? 0];
        var funnel = new Funnel();
        void Skip(SkippedInput skipped)
        {
            funnel.Skip(skipped.Reason);
            writer.Skip(skipped);
        }

        foreach ((Document read, Side side) in documents(Skip))
        {
            Document document = read;
            if (Number == 0) Enter(ref document, funnel);
            if (!Pass(ref document, languages, funnel)) continue;
            Array.Clear(measure);
            Measured?.Measure(document, measure);
            writer.Add(
                Measured is null ? document.Lang : All, document, Measured is null ? TextHash.Of(document.Text) : default, measure, side,
                Encoding.UTF8.GetByteCount(document.Text));
        }
        return writer.Finish(key, funnel);
    }

    /// <summary>Decides over all units: for each, which entries of its index go on.</summary>
    public IReadOnlyList<bool[]> Decide(IFileSystem files, IReadOnlyList<WorkUnit> units, DecisionRoom room, Funnel funnel)
    {
        using var table = new MeasureTable(files, [.. units.Where(unit => unit.Has(All)).Select(unit => unit.Measures(All))], Measured!.MeasureBytes);
        var dropped = new BitArray(table.Rows);
        Measured.Decide(table, room, dropped);
        int row = 0;
        return [.. units.Select(unit => unit.Has(All)
            ? IndexEntry.ReadAll(files, unit.Index(All)).Select(entry =>
            {
                if (!dropped[row++]) return true;
                funnel.Add(Measured.Name, "duplicate", unit.Origins[entry.Origin], entry.TextBytes);
                return false;
            }).ToArray()
            : [])];
    }

    /// <summary>The documents of an earlier phase's unit that go on.</summary>
    public static IEnumerable<(Document Document, Side Side)> Read(IFileSystem files, WorkUnit unit, bool[] goesOn, Action<long> progress)
    {
        if (!unit.Has(All)) yield break;
        using Stream stream = files.OpenRead(unit.Lines(All));
        var lines = new LineReader(stream);
        int number = 0;
        foreach (IndexEntry entry in IndexEntry.ReadAll(files, unit.Index(All)))
        {
            if (!lines.TryRead(out ReadOnlyMemory<byte> line)) throw new InvalidOperationException($"{unit.Lines(All)} has fewer lines than its index.");
            progress(line.Length + 1);
            if (goesOn[number++]) yield return (Document.Parse(line.Span, unit.Lines(All)), entry.Side);
        }
    }

    private static void Enter(ref Document document, Funnel funnel)
    {
        string? canonical = CorpusLanguages.Canonical(document.Lang);
        if (canonical is not null && canonical != document.Lang) document = document with { Lang = canonical };
        Count(funnel, "read", "read", document);
    }

    private bool Pass(ref Document document, IReadOnlySet<string> languages, Funnel funnel)
    {
        for (int i = 0; i <= Filters.Count; i++)
        {
            if (i == LanguagesAskedAt && !languages.Contains(document.Lang))
            {
                Count(funnel, "languages", "not-asked-for", document);
                return false;
            }
            if (i == Filters.Count) break;
            Verdict verdict = Filters[i].Judge(document);
            if (verdict.Reason is { } reason)
            {
                Count(funnel, Filters[i].Name, reason, document);
                return false;
            }
            if (verdict.Replacement is not { } replacement) continue;
            Count(funnel, Filters[i].Name, CorpusReport.Changed, document);
            document = replacement;
        }
        return true;
    }

    private static void Count(Funnel funnel, string step, string reason, Document document) =>
        funnel.Add(step, reason, new Origin(document.Lang, document.Source, document.License), Encoding.UTF8.GetByteCount(document.Text));
}
