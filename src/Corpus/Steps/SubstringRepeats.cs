using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>Cuts out of each document the runs of words that have occurred before, in an earlier document or in the same one, over all languages and sources; chats are left alone. Words
/// are compared without regard to punctuation, layout and capitals. What is cut out has been said in full before, though perhaps in several places.</summary>
/// <param name="LeastWords">Shorter runs are left alone. Every run of at least so many words is found, unless its words are also part of so many other texts that not
/// all of them are compared.</param>
/// <remarks>The default is measured: docs/decisions/substring-repeats.md. Sources: Schleimer, Wilkerson and Aiken 2003 (see <see cref="Winnowing"/>); Lee et al.,
/// "Deduplicating training data makes language models better", arXiv:2107.06499.</remarks>
public sealed record SubstringRepeats([property: Range(10, 1000)] int LeastWords = 100) : RepeatStep
{
    /// <summary>With how many of the first texts that have a fingerprint, and with how many of the last before it, a text is compared.</summary>
    private const int Compared = 2;

    [ThreadStatic]
    private static List<Fingerprint>? _fingerprints;

    internal override void Measure(Document document, MeasureRows rows)
    {
        List<Fingerprint> fingerprints = _fingerprints ??= [];
        fingerprints.Clear();
        if (ChatMessages.Of(document.Metadata) is not null) return;   // its text would no longer be what its turns say
        new Winnowing(LeastWords).Add(document.Text, fingerprints);
        foreach (Fingerprint fingerprint in CollectionsMarshal.AsSpan(fingerprints))
            new RepeatRow(fingerprint.Key, rows.Document, fingerprint.Start, 0).Write(rows.Add());
    }

    internal override void Compare(MeasureTable table, KeyPart part, RowPairs found, CancellationToken cancellation) =>
        KeyGroups.Find(table, part, (row, _) => RepeatRow.KeyOf(row), key => (uint)(key >> 32), rows =>
        {
            for (int later = 1; later < rows.Length; later++)
            {
                int first = Math.Min(later, Compared);
                for (int earlier = 0; earlier < first; earlier++) found.Add(rows[earlier], rows[later]);
                for (int earlier = Math.Max(first, later - Compared); earlier < later; earlier++) found.Add(rows[earlier], rows[later]);
            }
        }, cancellation);

    internal override UnitVerdicts Verdicts(Comparison comparison, int unit) => new RunVerdicts(comparison, unit, LeastWords);

    private sealed class RunVerdicts(Comparison comparison, int unit, int leastWords) : UnitVerdicts
    {
        private readonly IReadOnlyList<RowPair> _pairs = comparison.Pairs(unit);
        private readonly EarlierTexts _texts = new(comparison);
        private readonly CommonRuns _runs = new(leastWords);
        private int _next;

        public override UnitVerdict Of(int number, Document document)
        {
            RepeatRow later = default;
            bool begun = false;
            for (int row = -1; _next < _pairs.Count; _next++)
            {
                RowPair pair = _pairs[_next];
                if (pair.Later != row) (row, later) = (pair.Later, comparison.Row(pair.Later));
                if (later.Document != number) break;
                if (!begun) _runs.Begin(document.Text);
                begun = true;
                if (!_runs.CanAdd(later.Start)) continue;
                RepeatRow earlier = comparison.Row(pair.First);
                int earlierUnit = comparison.Table.UnitOf(pair.First);
                string text = earlierUnit == unit && earlier.Document == number ? document.Text : _texts.Of(earlierUnit, earlier.Document);
                _runs.Add(later.Start, text, earlier.Start);
            }
            return begun && _runs.Cuts() is { Count: > 0 } cuts ? new UnitVerdict(null, cuts) : default;
        }
    }
}
