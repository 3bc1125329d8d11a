namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Decides which blocks are the main text: drops the parts whose names say that they are something else, goes down to the element that holds most sentences, then judges block by block.</summary>
internal sealed class ContentFinder
{
    private const int LeastShortText = 20;
    private const int MostBlocksOfLead = 30;
    private const int LeastLinkedSentence = 120;

    private readonly NodeMarks marks = new();
    private readonly HintJudge hints = new();
    private readonly PhraseJudge phrases;
    private readonly Dictionary<ulong, int> lead = [];

    /// <summary>Makes a finder.</summary>
    public ContentFinder() => phrases = new PhraseJudge(marks);

    /// <summary>Whether an element is left out with all that is in it.</summary>
    public bool IsDropped(int node) => marks.Dropped[node];

    /// <summary>The table of data around a node of the main text, or null.</summary>
    public int? TableOf(int node) => marks.Tables[node] == 0 ? null : marks.Tables[node];

    /// <summary>Divides the tree into blocks and marks those of the main text.</summary>
    public void Find(HtmlTree tree, Segmenter segmenter)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        marks.Clear(nodes.Length);
        Divide(tree, segmenter, []);
        hints.Judge(tree, marks);
        Divide(tree, segmenter, marks.Dropped);
        int root = MainElement.Find(nodes, marks);
        DropLinkClusters(nodes, root);
        Mark(tree, segmenter.Blocks, root);
    }

    /// <summary>Divides the tree into blocks and marks all of them.</summary>
    public void KeepAll(HtmlTree tree, Segmenter segmenter)
    {
        marks.Clear(tree.Count);
        segmenter.Segment(tree, []);
        foreach (ref PageBlock block in segmenter.Blocks) block.Kept = true;
    }

    /// <summary>The text of a block as one line.</summary>
    public string TextOf(HtmlTree tree, in PageBlock block) => marks.TextOf(tree, block);

    private void Divide(HtmlTree tree, Segmenter segmenter, ReadOnlySpan<bool> dropped)
    {
        segmenter.Segment(tree, dropped);
        AbsolveLinkedSentences(tree.Nodes, segmenter.Blocks);
        marks.Sum(tree.Nodes, segmenter.Blocks);
    }

    // A paragraph of sentences may be a link as a whole and is text all the same; in a teaser the paragraph lies inside the link.
    private static void AbsolveLinkedSentences(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> blocks)
    {
        foreach (ref PageBlock block in blocks)
        {
            if (block.LinkShare <= 0.5 || block.Characters < LeastLinkedSentence || block.Stops == 0) continue;
            ref readonly HtmlNode container = ref nodes[block.Container];
            if (container.Tag == HtmlTag.P && (nodes[block.Container + 1].Tag != HtmlTag.Text || (nodes[block.Container + 1].Flags & NodeFlags.Link) == 0)) block.LinkCharacters = 0;
        }
    }

    private void DropLinkClusters(ReadOnlySpan<HtmlNode> nodes, int root)
    {
        for (int at = root + 1; at < nodes[root].End;)
        {
            ref readonly HtmlNode node = ref nodes[at];
            ref readonly NodeSums sum = ref marks.Sums[at];
            if (marks.Dropped[at])
            {
                at = node.End;
                continue;
            }
            if (node.Tag == HtmlTag.Table && sum.LinkCharacters * 4 <= sum.Characters * 3 && TableShape.IsData(nodes, at))
            {
                marks.Tables.AsSpan(at, node.End - at).Fill(at);
                at = node.End;
                continue;
            }
            bool cluster = HtmlTags.Is(node.Tag, TagTraits.Block) && node.Tag != HtmlTag.P && !HtmlTags.Is(node.Tag, TagTraits.Heading)
                && sum.Links >= 3 && sum.LinkCharacters * 2 > sum.Characters && sum.Worth * 3 < sum.Characters && (sum.Characters - sum.LinkCharacters) < sum.Links * 25;
            if (cluster)
            {
                marks.Drop(at, node.End);
                at = node.End;
            }
            else at++;
        }
    }

    private void Mark(HtmlTree tree, Span<PageBlock> blocks, int root)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        int first = 0, end = blocks.Length;
        while (first < end && blocks[first].First < root) first++;
        while (end > first && blocks[end - 1].First >= nodes[root].End) end--;
        MarkLead(nodes, blocks[..first]);
        Span<PageBlock> inside = blocks[first..end];
        int firstGood = 0, lastGood = inside.Length - 1;
        while (firstGood < inside.Length && inside[firstGood].Worth == 0) firstGood++;
        while (lastGood > firstGood && inside[lastGood].Worth == 0) lastGood--;
        for (int number = 0; number < inside.Length; number++)
        {
            ref PageBlock block = ref inside[number];
            if (marks.Dropped[block.First]) continue;
            HtmlTag tag = nodes[block.Container].Tag;
            if (HtmlTags.Is(tag, TagTraits.Heading)) block.Kept = (number >= firstGood || tag != HtmlTag.H1) && !(block.IsLinked && nodes[nodes[block.Container].Parent].Tag == HtmlTag.Li);
            else if ((nodes[block.First].Flags & NodeFlags.Preformatted) != 0 || marks.Tables[block.First] != 0) block.Kept = true;
            else block.Kept = !block.IsLinked && (number >= firstGood || IsInBody(nodes, block.Container) || (firstGood < inside.Length && IsSibling(nodes, block, inside[firstGood])));
        }
        if (firstGood == inside.Length) KeepShortText(inside);
        phrases.Judge(tree, inside);
        DropRepeatedLead(tree, blocks[..first], inside);
        DropEmptyHeadings(nodes, inside);
    }

    // Many pages show the beginning of the text as its lead too.
    private void DropRepeatedLead(HtmlTree tree, Span<PageBlock> before, ReadOnlySpan<PageBlock> inside)
    {
        lead.Clear();
        for (int number = 0; number < before.Length; number++)
            if (before[number].Kept) lead[HashOf(tree, before[number])] = number;
        if (lead.Count == 0) return;
        foreach (ref readonly PageBlock block in inside)
            if (block.Kept && lead.TryGetValue(HashOf(tree, block), out int repeated)) before[repeated].Kept = false;
    }

    private ulong HashOf(HtmlTree tree, in PageBlock block)
    {
        ulong hash = 14695981039346656037;
        for (int at = block.First; at < block.End; at++)
        {
            if (tree[at].Tag != HtmlTag.Text || marks.Dropped[at]) continue;
            foreach (byte value in tree.TextOf(tree[at]))
                if (value > ' ') hash = (hash ^ value) * 1099511628211;
        }
        return hash;
    }

    // A page without a single long sentence may still be a text: a poem, a few words.
    private void KeepShortText(Span<PageBlock> blocks)
    {
        int own = 0, linked = 0;
        foreach (ref readonly PageBlock block in blocks)
        {
            if (marks.Dropped[block.First]) continue;
            own += block.OwnCharacters;
            linked += block.LinkCharacters;
        }
        if (own < LeastShortText || linked * 2 > own) return;
        foreach (ref PageBlock block in blocks) block.Kept |= !marks.Dropped[block.First] && !block.IsLinked;
    }

    // A lead stands between the title and the text.
    private void MarkLead(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> before)
    {
        int title = before.Length - 1;
        while (title >= 0 && !IsTitle(nodes, before[title].Container)) title--;
        if (title < 0 || before.Length - title > MostBlocksOfLead) return;
        foreach (ref PageBlock block in before[(title + 1)..]) block.Kept = !marks.Dropped[block.First] && block.Worth > 0;
    }

    private static bool IsTitle(ReadOnlySpan<HtmlNode> nodes, int container) =>
        nodes[container].Tag == HtmlTag.H1 || ((nodes[container].Hints | nodes[nodes[container].Parent].Hints) & PageHints.Title) != 0;

    private static bool IsInBody(ReadOnlySpan<HtmlNode> nodes, int container)
    {
        for (int level = 0; level < 4; level++)
        {
            if ((nodes[container].Hints & PageHints.Body) != 0) return true;
            container = nodes[container].Parent;
        }
        return false;
    }

    private static bool IsSibling(ReadOnlySpan<HtmlNode> nodes, in PageBlock block, in PageBlock good) =>
        block.Container == good.Container || (nodes[block.Container].Tag == HtmlTag.P && nodes[good.Container].Tag == HtmlTag.P && nodes[block.Container].Parent == nodes[good.Container].Parent);

    private static void DropEmptyHeadings(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> blocks)
    {
        int content = 7; // the highest level of heading below which nothing stands yet
        bool any = false;
        for (int number = blocks.Length - 1; number >= 0; number--)
        {
            ref PageBlock block = ref blocks[number];
            if (!block.Kept) continue;
            HtmlTag tag = nodes[block.Container].Tag;
            if (!HtmlTags.Is(tag, TagTraits.Heading))
            {
                any = true;
                content = 7;
                continue;
            }
            int level = HtmlTags.Level(tag);
            if (!any || level >= content) block.Kept = block.Worth > 0;
            if (block.Kept) content = level;
        }
    }
}
