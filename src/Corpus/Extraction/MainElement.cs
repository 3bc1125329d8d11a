namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Finds the element that holds the main text.</summary>
internal static class MainElement
{
    /// <summary>Goes down from the root for as long as one part holds most sentences of the whole.</summary>
    public static int Find(ReadOnlySpan<HtmlNode> nodes, NodeMarks marks)
    {
        int at = 0;
        while (true)
        {
            int best = -1;
            for (int child = at + 1; child < nodes[at].End; child = nodes[child].End)
                if (nodes[child].Tag != HtmlTag.Text && (best < 0 || marks.Sums[child].Worth > marks.Sums[best].Worth)) best = child;
            if (best < 0 || IsPartOfText(nodes, best) || marks.Sums[best].Worth * 100L < (long)marks.Sums[at].Worth * NeededShare(nodes[at], nodes[best])) return at;
            at = best;
        }
    }

    private static bool IsPartOfText(ReadOnlySpan<HtmlNode> nodes, int at) =>
        nodes[at].Tag is HtmlTag.P or HtmlTag.Ul or HtmlTag.Ol or HtmlTag.Dl or HtmlTag.Blockquote or HtmlTag.Pre || (nodes[at].Tag == HtmlTag.Table && TableShape.IsData(nodes, at));

    // Percent of the sentences that a part must hold for the others to be left: less where its name says that it is the text, more where the whole is already known to be.
    private static int NeededShare(in HtmlNode whole, in HtmlNode part)
    {
        if (IsNamedText(part)) return 50;
        if (IsNamedText(whole)) return 85;
        return (part.Hints & PageHints.Content) != 0 ? 65 : 75;
    }

    private static bool IsNamedText(in HtmlNode node) => node.Tag is HtmlTag.Article or HtmlTag.Main || (node.Hints & PageHints.Body) != 0;
}
