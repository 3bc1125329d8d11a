namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Decides which blocks are the main text.</summary>
internal sealed class ContentFinder
{
    private const PageHints Unwanted = PageHints.Navigation | PageHints.Comments | PageHints.Related | PageHints.Share | PageHints.Footer | PageHints.Sidebar | PageHints.Consent
        | PageHints.Advert | PageHints.Subscribe | PageHints.Hidden | PageHints.Dialog | PageHints.Widget | PageHints.Tool | PageHints.Header;
    private const PageHints Small = PageHints.Author | PageHints.Tags | PageHints.Date | PageHints.Caption;

    private int[] worth = [];
    private int[] allCharacters = [];
    private int[] linkCharacters = [];
    private int[] firstBlock = [];
    private bool[] dropped = [];

    public void Find(HtmlTree tree, Span<PageBlock> blocks)
    {
        int count = tree.Count;
        if (worth.Length < count)
        {
            worth = new int[count];
            allCharacters = new int[count];
            linkCharacters = new int[count];
            dropped = new bool[count];
        }
        Array.Clear(dropped, 0, count);
        Sum(tree, blocks);
        int total = worth[0];
        for (int at = 0; at < count;)
        {
            ref readonly HtmlNode node = ref tree.Nodes[at];
            if (node.Tag != HtmlTag.Text && IsUnwanted(node, at, total))
            {
                dropped.AsSpan(at, node.End - at).Fill(true);
                at = node.End;
                continue;
            }
            at++;
        }
        Sum(tree, blocks);
        int root = Descend(tree);
        for (int number = 0; number < blocks.Length; number++)
        {
            ref PageBlock block = ref blocks[number];
            bool inside = block.First >= root && block.First < tree.Nodes[root].End;
            block.Kept = inside && !dropped[block.First] && !(block.LinkShare > 0.6 && block.Characters > 0);
        }
    }

    private bool IsUnwanted(in HtmlNode node, int at, int total)
    {
        PageHints hints = node.Hints | node.Tag switch
        {
            HtmlTag.Nav => PageHints.Navigation,
            HtmlTag.Aside => PageHints.Sidebar,
            HtmlTag.Footer => PageHints.Footer,
            HtmlTag.Header => PageHints.Header,
            HtmlTag.Form => PageHints.Widget,
            HtmlTag.Dialog => PageHints.Dialog,
            HtmlTag.Figcaption => PageHints.Caption,
            _ => PageHints.None,
        };
        if ((hints & Unwanted) != 0 && worth[at] * 2 <= total) return true;
        return (hints & Small) != 0 && allCharacters[at] < 300 && worth[at] * 4 <= total;
    }

    private int Descend(HtmlTree tree)
    {
        int at = 0;
        while (true)
        {
            int best = -1;
            for (int child = at + 1; child < tree.Nodes[at].End; child = tree.Nodes[child].End)
                if (tree.Nodes[child].Tag != HtmlTag.Text && (best < 0 || worth[child] > worth[best])) best = child;
            if (best < 0 || worth[best] * 10 < worth[at] * 8 || tree.Nodes[best].Tag is HtmlTag.P) return at;
            at = best;
        }
    }

    private void Sum(HtmlTree tree, Span<PageBlock> blocks)
    {
        Array.Clear(worth, 0, tree.Count);
        Array.Clear(allCharacters, 0, tree.Count);
        Array.Clear(linkCharacters, 0, tree.Count);
        foreach (ref readonly PageBlock block in blocks)
        {
            if (dropped[block.First]) continue;
            worth[block.Container] += Worth(block);
            allCharacters[block.Container] += block.Characters;
            linkCharacters[block.Container] += block.LinkCharacters;
        }
        for (int at = tree.Count - 1; at > 0; at--)
        {
            int parent = tree.Nodes[at].Parent;
            worth[parent] += worth[at];
            allCharacters[parent] += allCharacters[at];
            linkCharacters[parent] += linkCharacters[at];
        }
    }

    private static int Worth(in PageBlock block)
    {
        if (block.LinkShare > 0.5) return 0;
        if (block.OwnCharacters < 40 || (block.Stops == 0 && block.Commas == 0 && block.OwnCharacters < 80)) return 0;
        return block.OwnCharacters;
    }
}
