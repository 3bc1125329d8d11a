using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps the first of documents with the same text, over all languages and sources. Memory is about 40 bytes a document,
/// whatever its length: texts are compared by 128 bits of their SHA-256.</summary>
public sealed record ExactDuplicates : MeasuredStep
{
    /// <inheritdoc/>
    public override UInt128 Measure(Document document) => TextHash.Of(document.Text);

    /// <inheritdoc/>
    public override Decision Build() => new Seen();

    private sealed class Seen : Decision
    {
        private readonly HashSet<UInt128> _hashes = [];

        public override string? Judge(UInt128 measure) => _hashes.Add(measure) ? null : "duplicate";
    }
}
