using System.ComponentModel.DataAnnotations;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Corpus;

/// <summary>Drops documents whose lines are those of menus and lists rather than of prose.</summary>
/// <param name="EndedLines">The least share of lines that end as sentences do.</param>
/// <param name="ShortLines">The greatest share of short lines.</param>
/// <param name="ShortLineCharacters">A line of at most so many characters is short, in English; other languages in proportion to their words.</param>
/// <param name="RepeatedCharacters">The greatest share of the text in lines that repeat an earlier line.</param>
/// <param name="LinesPerWord">The most lines a word.</param>
/// <param name="LeastLines">In documents of fewer lines the share of ended lines is not asked: one line that was cut off before its end would be all of them.</param>
/// <remarks>Source of the rules and of the defaults: Penedo et al., "The FineWeb Datasets", arXiv:2406.17557. The ends of sentences are those of all European
/// scripts, not of English alone.</remarks>
public sealed record LineFilter(
    [property: Range(0.0, 1.0)] double EndedLines = 0.12,
    [property: Range(0.0, 1.0)] double ShortLines = 0.67,
    [property: Range(0, 10_000)] int ShortLineCharacters = 30,
    [property: Range(0.0, 1.0)] double RepeatedCharacters = 0.10,
    [property: Range(0.0, 10.0)] double LinesPerWord = 0.30,
    [property: Range(1, 1_000)] int LeastLines = 3) : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        string text = document.Text;
        TextShape shape = TextShape.Of(text);
        int lines = shape.Lines.Count;
        if (lines == 0) return Verdict.Drop("no-lines");
        double shortest = ShortLineCharacters * LanguageQuality.Of(document.Lang).WordLength;
        int ended = 0, small = 0;
        foreach (TextShape.Span line in shape.Lines)
        {
            if (EndsAsASentence(line.In(text))) ended++;
            if (line.Length <= shortest) small++;
        }
        if (lines >= LeastLines && ended < EndedLines * lines) return Verdict.Drop("few-ended-lines");
        if (small > ShortLines * lines) return Verdict.Drop("short-lines");
        if (shape.RepeatedLines.Characters > RepeatedCharacters) return Verdict.Drop("repeated-characters");
        return lines > LinesPerWord * shape.Words.Count ? Verdict.Drop("many-lines") : Verdict.Keep;
    }

    /// <summary>Whether a line ends in a full stop, a question or exclamation mark, an ellipsis or a semicolon (the Greek question mark), closing quotes
    /// and brackets left out of account.</summary>
    private static bool EndsAsASentence(ReadOnlySpan<char> line)
    {
        int end = line.Length - 1;
        // Languages differ in which quotation mark closes: any may stand at the end.
        while (end > 0 && (line[end] is '"' or '\'' || char.GetUnicodeCategory(line[end]) is
            UnicodeCategory.ClosePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.InitialQuotePunctuation)) end--;
        return line[end] is '.' or '!' or '?' or '…' or ';' or '\u037E' or '\u0589' or '\u203D';
    }
}
