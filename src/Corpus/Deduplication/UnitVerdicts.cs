using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>What becomes of the documents of a unit, asked once for each of them in their order.</summary>
internal abstract class UnitVerdicts
{
    /// <summary>What becomes of a document.</summary>
    /// <param name="number">Its number in the unit.</param>
    /// <param name="document">The document.</param>
    public abstract UnitVerdict Of(int number, Document document);
}

/// <summary>What a comparison says of a document: it goes on as it is, without some parts, or not at all.</summary>
/// <param name="Reason">Why it is dropped; null when it goes on.</param>
/// <param name="Cuts">The parts cut out of its text, in ascending order and apart from one another; null when there are none.</param>
internal readonly record struct UnitVerdict(string? Reason, IReadOnlyList<TextCut>? Cuts)
{
    /// <summary>The document ends here.</summary>
    public static UnitVerdict Drop(string reason) => new(reason, null);

    /// <summary>The text without the parts that are cut out.</summary>
    public string Remaining(string text)
    {
        var remaining = new StringBuilder(text.Length);
        int from = 0;
        foreach (TextCut cut in Cuts!)
        {
            remaining.Append(text, from, cut.Start - from);
            from = cut.End;
        }
        return remaining.Append(text, from, text.Length - from).ToString();
    }
}

/// <summary>A part of a text that is cut out, in UTF-16 units.</summary>
internal readonly record struct TextCut(int Start, int End);
