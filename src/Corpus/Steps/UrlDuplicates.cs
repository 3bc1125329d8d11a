using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps the first of documents from the same address. Addresses are compared in a canonical form (see <see cref="CanonicalUrl"/>); documents
/// without one are kept.</summary>
/// <param name="Source">The collection whose documents take part. In many others an address names the collection and not the document; null takes all.</param>
public sealed record UrlDuplicates(string? Source = PageReader.Source) : SameKeyStep
{
    private protected override UInt128? Key(Document document) =>
        (Source is null || document.Source == Source) && CanonicalUrl.Of(document.Url) is { } url ? TextHash.Of(url) : null;
}
