using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps the first of documents from the same address. Addresses are compared in a canonical form (see <see cref="CanonicalUrl"/>); documents
/// without one are kept.</summary>
public sealed record UrlDuplicates : SameKeyStep
{
    private protected override UInt128? Key(Document document) => CanonicalUrl.Of(document.Url) is { } url ? TextHash.Of(url) : null;
}
