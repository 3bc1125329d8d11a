using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Corpus;

/// <summary>Drops documents that say the same again and again. Nothing here depends on a language.</summary>
/// <param name="RepeatedLines">The greatest share of lines that repeat an earlier line.</param>
/// <param name="RepeatedParagraphs">The same of paragraphs.</param>
/// <param name="RepeatedLineCharacters">The greatest share of the text in such lines.</param>
/// <param name="RepeatedParagraphCharacters">The same of paragraphs.</param>
/// <param name="TopNgrams">The greatest shares of the words' characters in the most frequent sequence of 2, 3, ... words.</param>
/// <param name="RepeatedNgrams">The greatest shares in sequences of 5, 6, ... words that have come before.</param>
/// <param name="LeastWords">Sequences are measured in texts of at least so many words.</param>
/// <remarks>Source of rules and defaults: Rae et al., "Scaling Language Models: Methods, Analysis and Insights from Training Gopher", arXiv:2112.11446, table A1.</remarks>
public sealed record RepetitionFilter(
    [property: Range(0.0, 1.0)] double RepeatedLines = 0.30,
    [property: Range(0.0, 1.0)] double RepeatedParagraphs = 0.30,
    [property: Range(0.0, 1.0)] double RepeatedLineCharacters = 0.20,
    [property: Range(0.0, 1.0)] double RepeatedParagraphCharacters = 0.20,
    IReadOnlyList<double>? TopNgrams = null,
    IReadOnlyList<double>? RepeatedNgrams = null,
    [property: Range(0, 1_000_000)] int LeastWords = 20) : Filter
{
    /// <summary>Words of the shortest sequence of <see cref="TopNgrams"/>.</summary>
    private const int FirstTop = 2;

    /// <summary>Words of the shortest sequence of <see cref="RepeatedNgrams"/>.</summary>
    private const int FirstRepeated = 5;

    private static readonly double[] DefaultTop = [0.20, 0.18, 0.16];
    private static readonly double[] DefaultRepeated = [0.15, 0.14, 0.13, 0.12, 0.11, 0.10];

    /// <summary>The greatest shares of the words' characters in the most frequent sequence of 2, 3, ... words.</summary>
    public IReadOnlyList<double> TopNgrams { get; init; } = TopNgrams ?? DefaultTop;

    /// <summary>The greatest shares in sequences of 5, 6, ... words that have come before.</summary>
    public IReadOnlyList<double> RepeatedNgrams { get; init; } = RepeatedNgrams ?? DefaultRepeated;

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        TextShape shape = TextShape.Of(document.Text);
        (double parts, double characters) = Repetition.Of(document.Text, shape.Paragraphs);
        if (parts > RepeatedParagraphs) return Verdict.Drop("repeated-paragraphs");
        if (characters > RepeatedParagraphCharacters) return Verdict.Drop("repeated-paragraph-characters");
        (parts, characters) = shape.RepeatedLines;
        if (parts > RepeatedLines) return Verdict.Drop("repeated-lines");
        if (characters > RepeatedLineCharacters) return Verdict.Drop("repeated-line-characters");
        if (shape.Words.Count < LeastWords) return Verdict.Keep;
        Repetition.NgramShares ngrams = Repetition.Prepare(document.Text, shape);
        for (int i = 0; i < TopNgrams.Count; i++)
            if (ngrams.Top(FirstTop + i) > TopNgrams[i]) return Verdict.Drop($"top-{FirstTop + i}-gram");
        for (int i = 0; i < RepeatedNgrams.Count; i++)
            if (ngrams.Repeated(FirstRepeated + i) > RepeatedNgrams[i]) return Verdict.Drop($"repeated-{FirstRepeated + i}-grams");
        return Verdict.Keep;
    }
}
