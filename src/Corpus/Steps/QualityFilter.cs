using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Corpus;

/// <summary>Drops documents that do not look like running text: by the number and length of words, the share of words with letters, symbols, and how
/// lines begin and end. Program code and placeholder text go too. What differs between languages is taken from <see cref="LanguageQuality"/>.</summary>
/// <param name="LeastWords">The fewest words.</param>
/// <param name="MostWords">The most words; absent: no limit.</param>
/// <param name="ShortestMeanWord">The least mean length of words in English, in characters without surrounding punctuation; other languages in proportion.</param>
/// <param name="LongestMeanWord">The greatest mean length of words in English; other languages in proportion.</param>
/// <param name="AlphabeticShare">The least share of words with a letter in English; other languages in proportion.</param>
/// <param name="SymbolsPerWord">The most number signs and ellipses a word.</param>
/// <param name="BulletLines">The greatest share of lines that begin with a bullet.</param>
/// <param name="EllipsisLines">The greatest share of lines that end in an ellipsis.</param>
/// <param name="BracketLines">The greatest share of lines with a curly bracket, as program code has and prose has not.</param>
/// <remarks>Source of the rules and of the English bounds: Rae et al., arXiv:2112.11446, A.1.1; of curly brackets and placeholder text: Raffel et al., arXiv:1910.10683, 2.2, where a
/// single bracket drops a page. Which rules of others are here and which are not: <c>docs/decisions/quality-rules.md</c>. That bounds follow the language: Penedo et al., "FineWeb2",
/// arXiv:2506.20920.</remarks>
public sealed record QualityFilter(
    [property: Range(0, 1_000_000)] int LeastWords = 50,
    [property: Range(1, int.MaxValue)] int? MostWords = 100_000,
    [property: Range(0.0, 1_000.0)] double ShortestMeanWord = 3,
    [property: Range(0.0, 1_000.0)] double LongestMeanWord = 10,
    [property: Range(0.0, 1.0)] double AlphabeticShare = 0.8,
    [property: Range(0.0, 100.0)] double SymbolsPerWord = 0.1,
    [property: Range(0.0, 1.0)] double BulletLines = 0.9,
    [property: Range(0.0, 1.0)] double EllipsisLines = 0.3,
    [property: Range(0.0, 1.0)] double BracketLines = 0.1) : Filter
{
    // What designers of pages in every language fill them with before there is a text.
    private const string PlaceholderText = "lorem ipsum";

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        string text = document.Text;
        TextShape shape = TextShape.Of(text);
        int words = shape.Words.Count;
        if (words < LeastWords) return Verdict.Drop("too-few-words");
        if (words > MostWords) return Verdict.Drop("too-many-words");
        if (words == 0) return Verdict.Keep;
        LanguageQuality quality = LanguageQuality.Of(document.Lang);
        double mean = (double)shape.CoreCharacters / words;
        if (mean < ShortestMeanWord * quality.WordLength) return Verdict.Drop("short-words");
        if (mean > LongestMeanWord * quality.WordLength) return Verdict.Drop("long-words");
        if (shape.AlphabeticWords < AlphabeticShare * quality.AlphabeticShare * words) return Verdict.Drop("few-words-with-letters");
        if (shape.Symbols > SymbolsPerWord * words) return Verdict.Drop("many-symbols");
        int bullets = 0, ellipses = 0, brackets = 0;
        foreach (TextShape.Span line in shape.Lines)
        {
            ReadOnlySpan<char> content = line.In(text);
            if (content[0] is '•' or '‣' or '●' or '▪' or '■' or '◦' or '○' or '*' || (content[0] is '-' or '–' or '·' && content.Length > 1 && content[1] == ' ')) bullets++;
            if (content[^1] == '…' || content.EndsWith("...")) ellipses++;
            if (content.ContainsAny('{', '}')) brackets++;
        }
        if (bullets > BulletLines * shape.Lines.Count) return Verdict.Drop("bullet-lines");
        if (ellipses > EllipsisLines * shape.Lines.Count) return Verdict.Drop("ellipsis-lines");
        if (brackets > BracketLines * shape.Lines.Count) return Verdict.Drop("bracket-lines");
        return text.Contains(PlaceholderText, StringComparison.OrdinalIgnoreCase) ? Verdict.Drop("placeholder-text") : Verdict.Keep;
    }
}
