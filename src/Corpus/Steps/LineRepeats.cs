using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>Cuts lines or paragraphs out of documents that have occurred often enough before, over all languages and sources: what pages of one site have in
/// common, such as notices and invitations. They are compared by their words, without regard to punctuation, blanks and capitals.</summary>
/// <param name="Unit">What is compared: lines, or paragraphs, which are parted by empty lines.</param>
/// <param name="Keep">How many occurrences stay, the first ones of the corpus.</param>
/// <param name="LeastCharacters">The least number of letters of a line or paragraph; shorter ones are left alone.</param>
/// <remarks>The defaults are measured: docs/decisions/substring-repeats.md.</remarks>
public sealed record LineRepeats(
    LineUnit Unit = LineUnit.Line,
    [property: Range(1, 1_000_000)] int Keep = 5,
    [property: Range(1, 100_000)] int LeastCharacters = 100) : RepeatStep
{
    [ThreadStatic]
    private static List<LinePart>? _parts;

    internal override void Measure(Document document, MeasureRows rows)
    {
        List<LinePart> parts = _parts ??= [];
        parts.Clear();
        if (ChatMessages.Of(document.Metadata) is not null) return;   // its text would no longer be what its turns say
        RepeatedLines.Add(document.Text, Unit, LeastCharacters, parts);
        foreach (LinePart part in CollectionsMarshal.AsSpan(parts))
            new RepeatRow(part.Key, rows.Document, part.Start, part.Length).Write(rows.Add());
    }

    internal override void Compare(MeasureTable table, KeyPart part, RowPairs found, CancellationToken cancellation) =>
        KeyGroups.Find(table, part, (row, _) => RepeatRow.KeyOf(row), key => (uint)(key >> 32), rows =>
        {
            for (int later = Keep; later < rows.Length; later++) found.Add(rows[0], rows[later]);
        }, cancellation);

    internal override UnitVerdicts Verdicts(Comparison comparison, int unit) => new LineVerdicts(comparison, unit);

    private sealed class LineVerdicts(Comparison comparison, int unit) : UnitVerdicts
    {
        private readonly IReadOnlyList<RowPair> _pairs = comparison.Pairs(unit);
        private readonly List<LinePart> _parts = [];
        private int _next;

        public override UnitVerdict Of(int number, Document document)
        {
            _parts.Clear();
            for (; _next < _pairs.Count; _next++)
            {
                RepeatRow row = comparison.Row(_pairs[_next].Later);
                if (row.Document != number) break;
                _parts.Add(new LinePart(row.Key, row.Start, row.Length));
            }
            return _parts.Count == 0 ? default : new UnitVerdict(null, RepeatedLines.Cuts(document.Text, _parts));
        }
    }
}
