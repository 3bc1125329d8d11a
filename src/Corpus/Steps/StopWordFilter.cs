using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Corpus;

/// <summary>Drops documents that have hardly any of the frequent words of grammar of their language, as lists, keywords and texts in other languages do. What is usual
/// differs: half of the words of Spanish and a seventh of those of Estonian are stop words, so a document is compared with running text of its own language. A
/// language of which no stop words are known is not judged.</summary>
/// <param name="Share">The least share of stop words among the words, as a part of what is usual in the language: 0 to 1.</param>
/// <param name="LeastDistinct">The fewest different stop words.</param>
/// <param name="LeastWords">Documents of fewer words are not judged.</param>
/// <remarks>That a text has at least two different stop words: Rae et al., arXiv:2112.11446, A.1.1. What is usual is measured by <c>oellm corpus measure-words</c>;
/// what the bounds drop is in <c>docs/decisions/stop-words.md</c>.</remarks>
public sealed record StopWordFilter(
    [property: Range(0.0, 1.0)] double Share = 0.2,
    [property: Range(0, 100)] int LeastDistinct = 2,
    [property: Range(1, 1_000_000)] int LeastWords = 100) : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        if (LanguageQuality.Of(document.Lang).StopWordShare is not { } usual || StopWords.Of(document.Text, document.Lang) is not { } found) return Verdict.Keep;
        if (found.Words < LeastWords) return Verdict.Keep;
        if (found.Share < Share * usual) return Verdict.Drop("few-stop-words");
        return found.Distinct < LeastDistinct ? Verdict.Drop("few-different-stop-words") : Verdict.Keep;
    }
}
