using System.Buffers.Binary;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps the first of documents with the same text, over all languages and sources. Texts are compared by 128 bits of their SHA-256.</summary>
public sealed record ExactDuplicates : SameKeyStep
{
    private protected override UInt128? Key(Document document) => TextHash.Of(document.Text);
}

/// <summary>Keeps the first of documents that have a key in common. Memory is bounded whatever the number of documents.</summary>
public abstract record SameKeyStep : DuplicateStep
{
    internal sealed override int MeasureBytes => 16;

    internal sealed override int KeyBytes => 16;

    private protected abstract UInt128? Key(Document document);

    internal sealed override void Measure(Document document, Span<byte> measure)
    {
        if (Key(document) is UInt128 key) BinaryPrimitives.WriteUInt128BigEndian(measure, key);
    }

    internal sealed override void Compare(MeasureTable table, KeyPart part, RowPairs found, CancellationToken cancellation) => KeyGroups.Find(
        table, part, (measure, _) => BinaryPrimitives.ReadUInt128BigEndian(measure), key => (uint)(key >> 96), rows =>
        {
            foreach (int row in rows[1..]) found.Add(rows[0], row);
        }, cancellation);
}
