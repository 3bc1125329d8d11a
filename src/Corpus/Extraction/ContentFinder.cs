namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Decides which blocks are the main text: drops the parts whose names say that they are something else, goes down to the element that holds most sentences, then judges block by block.</summary>
internal sealed class ContentFinder
{
    private const PageHints Unwanted = PageHints.Navigation | PageHints.Comments | PageHints.Related | PageHints.Share | PageHints.Footer | PageHints.Sidebar | PageHints.Consent
        | PageHints.Advert | PageHints.Subscribe | PageHints.Hidden | PageHints.Dialog | PageHints.Widget | PageHints.Tool;
    private const PageHints Small = PageHints.Author | PageHints.Tags | PageHints.Date | PageHints.Caption;
    private const PageHints Certain = PageHints.Comments | PageHints.Hidden;
    private const int SmallCharacters = 300;
    private const int CaptionCharacters = 150;
    private const int EnoughWithoutCertain = 300;
    private const int LongestPhraseLine = 200;
    private const int MostRelatedBlocks = 100;

    private Sums[] sums = new Sums[4096];
    private bool[] dropped = new bool[4096];
    private PageHints[] absolved = new PageHints[4096];
    private int[] scopes = new int[4096];
    private int[] tables = new int[4096];

    /// <summary>Whether an element is left out with all that is in it.</summary>
    public bool IsDropped(int node) => dropped[node];

    /// <summary>The table of data around a node of the main text, or null.</summary>
    public int? TableOf(int node) => tables[node] == 0 ? null : tables[node];

    /// <summary>Divides the tree into blocks and marks those of the main text.</summary>
    public void Find(HtmlTree tree, Segmenter segmenter)
    {
        Prepare(tree.Count);
        segmenter.Segment(tree, []);
        AbsolveLinkedSentences(tree.Nodes, segmenter.Blocks);
        Sum(tree, segmenter.Blocks);
        DropByHints(tree);
        segmenter.Segment(tree, dropped);
        AbsolveLinkedSentences(tree.Nodes, segmenter.Blocks);
        Sum(tree, segmenter.Blocks);
        int root = Descend(tree.Nodes);
        DropLinkClusters(tree.Nodes, root);
        Mark(tree, segmenter.Blocks, root);
    }

    /// <summary>Divides the tree into blocks and marks all of them.</summary>
    public void KeepAll(HtmlTree tree, Segmenter segmenter)
    {
        Prepare(tree.Count);
        segmenter.Segment(tree, []);
        foreach (ref PageBlock block in segmenter.Blocks) block.Kept = true;
    }

    private void Prepare(int count)
    {
        if (sums.Length < count || sums.Length > 1 << 20)
        {
            int size = Math.Max(4096, count);
            (sums, dropped, absolved, scopes, tables) = (new Sums[size], new bool[size], new PageHints[size], new int[size], new int[size]);
        }
        Array.Clear(dropped, 0, count);
        Array.Clear(tables, 0, count);
    }

    // A paragraph of sentences may be a link as a whole and is text all the same; in a teaser the paragraph lies inside the link.
    private static void AbsolveLinkedSentences(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> blocks)
    {
        foreach (ref PageBlock block in blocks)
        {
            if (block.LinkShare <= 0.5 || block.Characters < 120 || block.Stops == 0) continue;
            ref readonly HtmlNode container = ref nodes[block.Container];
            if (container.Tag == HtmlTag.P && (nodes[block.Container + 1].Tag != HtmlTag.Text || (nodes[block.Container + 1].Flags & NodeFlags.Link) == 0)) block.LinkCharacters = 0;
        }
    }

    private void DropByHints(HtmlTree tree)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        int total = sums[0].Worth;
        PageHints meaningless = MeaninglessHints(nodes);
        for (int at = 0; at < nodes.Length;)
        {
            ref readonly HtmlNode node = ref nodes[at];
            if (node.Tag == HtmlTag.Text)
            {
                at++;
                continue;
            }
            if (node.Tag is HtmlTag.Pre or HtmlTag.Code)
            {
                at = node.End; // there, names are those of a programming language's parts
                continue;
            }
            int scope = scopes[node.Parent];
            scopes[at] = IsScope(node) ? at : at == 0 ? 0 : scope;
            PageHints inherited = at == 0 ? meaningless : absolved[node.Parent];
            PageHints hints = HintsOf(node) & ~inherited;
            ref readonly Sums sum = ref sums[at];
            bool drop;
            if ((hints & Unwanted) != 0)
            {
                // A name that would take most of the page's sentences away means something else here, for everything inside.
                int rest = sums[scope].Worth - sum.Worth;
                drop = sum.Worth * 2 <= total || ((hints & Certain) != 0 && rest >= EnoughWithoutCertain) || (IsAside(node.Tag) && rest * 3 >= sum.Worth);
                if (!drop) inherited |= hints & Unwanted;
            }
            else
            {
                // A caption that is a sentence tells something; a credit or a name does not.
                int most = (hints & Small) == PageHints.Caption ? CaptionCharacters : SmallCharacters;
                drop = (hints & Small) != 0 && (sum.Characters < most || sum.Worth == 0) && sum.Worth * 4 <= total;
            }
            absolved[at] = inherited;
            if (drop || IsPermalink(tree, at))
            {
                dropped.AsSpan(at, node.End - at).Fill(true);
                at = node.End;
            }
            else at++;
        }
    }

    // The sign behind a heading that links to itself.
    private static bool IsPermalink(HtmlTree tree, int at) =>
        tree[at].Tag == HtmlTag.A && tree[at].End == at + 2 && tree[at + 1].Tag == HtmlTag.Text && AsciiWord.Trim(tree.TextOf(tree[at + 1])) is var text
        && (text.SequenceEqual("#"u8) || text.SequenceEqual("¶"u8) || text.SequenceEqual("§"u8));

    // A hint that all places together would take most sentences away is a name for something else on this page.
    private PageHints MeaninglessHints(ReadOnlySpan<HtmlNode> nodes)
    {
        int total = sums[0].Worth;
        var meaningless = PageHints.None;
        for (int bit = 0; bit < 24; bit++)
        {
            var hint = (PageHints)(1 << bit);
            if ((Unwanted & hint) == 0) continue;
            int worth = 0;
            for (int at = 0; at < nodes.Length;)
            {
                bool hit = nodes[at].Tag != HtmlTag.Text && (HintsOf(nodes[at]) & hint) != 0;
                if (hit) worth += sums[at].Worth;
                at = hit ? nodes[at].End : at + 1;
            }
            bool most = worth * 4 > total * 3 && total > 0;
            if (most && ((Certain & hint) == 0 || total - worth < EnoughWithoutCertain)) meaningless |= hint;
        }
        return meaningless;
    }

    private static bool IsAside(HtmlTag tag) => tag is HtmlTag.Aside or HtmlTag.Nav or HtmlTag.Footer;

    private static bool IsScope(in HtmlNode node) => node.Tag is HtmlTag.Main or HtmlTag.Article or HtmlTag.Body;

    private static PageHints HintsOf(in HtmlNode node) => node.Tag switch
    {
        HtmlTag.Nav => node.Hints | PageHints.Navigation,
        HtmlTag.Aside => node.Hints | PageHints.Sidebar,
        HtmlTag.Footer => node.Hints | PageHints.Footer,
        HtmlTag.Header => node.Hints | PageHints.Header,
        HtmlTag.Form => node.Hints | PageHints.Widget,
        HtmlTag.Dialog => node.Hints | PageHints.Dialog,
        HtmlTag.Figcaption => node.Hints | PageHints.Caption,
        HtmlTag.Blockquote => node.Hints & ~(PageHints.Share | PageHints.Date | PageHints.Author | PageHints.Header),
        HtmlTag.Pre or HtmlTag.Html or HtmlTag.Body => PageHints.None,
        HtmlTag.P => node.Hints & ~(PageHints.Sidebar | PageHints.Navigation | PageHints.Footer | PageHints.Widget),
        _ when (node.Hints & PageHints.Body) != 0 => node.Hints & Certain,
        _ when (node.Hints & PageHints.Embed) != 0 => node.Hints & ~PageHints.Share,
        _ => node.Hints,
    };

    private int Descend(ReadOnlySpan<HtmlNode> nodes)
    {
        int at = 0;
        while (true)
        {
            int best = -1;
            for (int child = at + 1; child < nodes[at].End; child = nodes[child].End)
                if (nodes[child].Tag != HtmlTag.Text && (best < 0 || sums[child].Worth > sums[best].Worth)) best = child;
            if (best < 0 || IsPartOfText(nodes, best) || sums[best].Worth * 100 < sums[at].Worth * NeededShare(nodes[best])) return at;
            at = best;
        }
    }

    private static bool IsPartOfText(ReadOnlySpan<HtmlNode> nodes, int at) =>
        nodes[at].Tag is HtmlTag.P or HtmlTag.Ul or HtmlTag.Ol or HtmlTag.Dl or HtmlTag.Blockquote or HtmlTag.Pre || (nodes[at].Tag == HtmlTag.Table && TableShape.IsData(nodes, at));

    // Percent of the sentences that an element must hold for the rest to be left: less where its name says that it is the text.
    private static int NeededShare(in HtmlNode node)
    {
        if (node.Tag is HtmlTag.Article or HtmlTag.Main || (node.Hints & PageHints.Body) != 0) return 50;
        return (node.Hints & PageHints.Content) != 0 ? 65 : 75;
    }

    private void DropLinkClusters(ReadOnlySpan<HtmlNode> nodes, int root)
    {
        for (int at = root + 1; at < nodes[root].End;)
        {
            ref readonly HtmlNode node = ref nodes[at];
            ref readonly Sums sum = ref sums[at];
            if (dropped[at])
            {
                at = node.End;
                continue;
            }
            if (node.Tag == HtmlTag.Table && sum.LinkCharacters * 4 <= sum.Characters * 3 && TableShape.IsData(nodes, at))
            {
                tables.AsSpan(at, node.End - at).Fill(at);
                at = node.End;
                continue;
            }
            bool cluster = HtmlTags.Is(node.Tag, TagTraits.Block) && node.Tag != HtmlTag.P && !HtmlTags.Is(node.Tag, TagTraits.Heading)
                && sum.Links >= 3 && sum.LinkCharacters * 2 > sum.Characters && sum.Worth * 3 < sum.Characters && (sum.Characters - sum.LinkCharacters) < sum.Links * 25;
            if (cluster)
            {
                dropped.AsSpan(at, node.End - at).Fill(true);
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
        while (firstGood < inside.Length && Worth(inside[firstGood]) == 0) firstGood++;
        while (lastGood > firstGood && Worth(inside[lastGood]) == 0) lastGood--;
        for (int number = 0; number < inside.Length; number++)
        {
            ref PageBlock block = ref inside[number];
            if (dropped[block.First]) continue;
            HtmlTag tag = nodes[block.Container].Tag;
            if (HtmlTags.Is(tag, TagTraits.Heading)) block.Kept = (number >= firstGood || tag != HtmlTag.H1) && !(IsLinked(block) && nodes[nodes[block.Container].Parent].Tag == HtmlTag.Li);
            else if ((nodes[block.First].Flags & NodeFlags.Preformatted) != 0 || tables[block.First] != 0) block.Kept = true;
            else block.Kept = !IsLinked(block) && (number >= firstGood || IsInBody(nodes, block.Container) || (firstGood < inside.Length && IsSibling(nodes, block, inside[firstGood])));
        }
        DropByPhrases(tree, inside);
        DropEmptyHeadings(nodes, inside);
    }

    private void DropByPhrases(HtmlTree tree, Span<PageBlock> blocks)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        int total = 0, before = 0;
        foreach (ref readonly PageBlock block in blocks) total += Worth(block);
        int lastGood = -1;
        for (int number = 0; number < blocks.Length; number++)
        {
            ref PageBlock block = ref blocks[number];
            int worth = Worth(block);
            if (block.Characters <= LongestPhraseLine && tables[block.First] == 0)
            {
                PhraseKind kind = PhraseTable.Match(TextOf(tree, block), block.Links > 0 || block.Characters <= 60);
                if (kind == PhraseKind.Comments && before * 2 >= total)
                {
                    foreach (ref PageBlock rest in blocks[number..]) rest.Kept = false;
                    return;
                }
                if (kind == PhraseKind.Related)
                {
                    int end = EndOfRelated(nodes, blocks, number, lastGood, total);
                    for (; number < end; number++) blocks[number].Kept = false;
                    number--;
                    continue;
                }
                if (kind == PhraseKind.Notice || (kind == PhraseKind.RelatedLine && (block.Links > 0 || block.Characters <= 60)))
                {
                    block.Kept = false;
                    continue;
                }
            }
            if (worth > 0 && block.Kept) lastGood = number;
            before += worth;
        }
    }

    // A heading over ways to other pages covers the largest element around it that holds nothing of the text before, or in the flow of the text all up to the next paragraph of that flow.
    private int EndOfRelated(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> blocks, int heading, int lastGood, int total)
    {
        if (lastGood < 0) return heading + 1;
        int good = blocks[lastGood].First;
        int region = blocks[heading].Container;
        while (nodes[region].Parent is var parent && parent > good && sums[parent].Worth * 5 <= total * 2) region = parent;
        int end = heading + 1;
        if (region != blocks[heading].Container)
        {
            while (end < blocks.Length && blocks[end].First < nodes[region].End) end++;
            return end;
        }
        int flow = nodes[blocks[lastGood].Container].Parent;
        int limit = nodes[nodes[region].Parent].End;
        int covered = 0;
        while (end < blocks.Length && blocks[end].First < limit && end - heading < MostRelatedBlocks && !ResumesText(nodes, blocks[end], flow)) covered += Worth(blocks[end++]);
        return covered * 5 <= total * 2 ? end : heading + 1;
    }

    private bool ResumesText(ReadOnlySpan<HtmlNode> nodes, in PageBlock block, int flow)
    {
        int part = block.Container;
        while (part > flow && nodes[part].Parent != flow) part = nodes[part].Parent;
        if (nodes[part].Parent != flow) return false;
        return part == block.Container && Worth(block) > 0 || (sums[part].Links == 0 && !HtmlTags.Is(nodes[part].Tag, TagTraits.Heading));
    }

    /// <summary>The text of a block as one line.</summary>
    public string TextOf(HtmlTree tree, in PageBlock block)
    {
        var text = new System.Text.StringBuilder();
        for (int at = block.First; at < block.End; at++)
            if (tree[at].Tag == HtmlTag.Text && !dropped[at]) text.Append(System.Text.Encoding.UTF8.GetString(tree.TextOf(tree[at])));
        return text.ToString().Trim();
    }

    // A lead stands between the title and the text.
    private void MarkLead(ReadOnlySpan<HtmlNode> nodes, Span<PageBlock> before)
    {
        int title = before.Length - 1;
        while (title >= 0 && !IsTitle(nodes, before[title].Container)) title--;
        if (title < 0 || before.Length - title > 30) return;
        foreach (ref PageBlock block in before[(title + 1)..]) block.Kept = !dropped[block.First] && Worth(block) > 0;
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

    private static bool IsLinked(in PageBlock block)
    {
        if (block.LinkShare <= 0.6) return false;
        return !(block.OwnCharacters >= 20 && block.Stops > 0 && block.Characters > 60);
    }

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
            if (!any || level >= content) block.Kept = Worth(block) > 0;
            if (block.Kept) content = level;
        }
    }

    private void Sum(HtmlTree tree, Span<PageBlock> blocks)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        Array.Clear(sums, 0, nodes.Length);
        foreach (ref readonly PageBlock block in blocks)
        {
            ref Sums sum = ref sums[block.Container];
            sum.Worth += Worth(block);
            sum.Characters += block.Characters;
            sum.LinkCharacters += block.LinkCharacters;
            sum.Links += block.Links;
        }
        for (int at = nodes.Length - 1; at > 0; at--)
        {
            ref Sums parent = ref sums[nodes[at].Parent];
            ref readonly Sums sum = ref sums[at];
            parent.Worth += sum.Worth;
            parent.Characters += sum.Characters;
            parent.LinkCharacters += sum.LinkCharacters;
            parent.Links += sum.Links;
        }
    }

    // Characters of a block that reads like sentences; 0 for others.
    private static int Worth(in PageBlock block)
    {
        if (block.LinkShare > 0.5 || block.Characters < 40) return 0;
        return block.Stops == 0 && block.Commas == 0 && block.OwnCharacters < 80 ? 0 : block.OwnCharacters;
    }

    private struct Sums
    {
        public int Worth;
        public int Characters;
        public int LinkCharacters;
        public int Links;
    }
}
