namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Leaves out what short lines announce: comments, ways to other pages, notices of the site.</summary>
internal sealed class PhraseJudge(NodeMarks marks)
{
    private const int LongestLine = 200;
    private const int ShortLine = 60;
    private const int MostRelatedBlocks = 100;

    /// <summary>Takes back the mark of blocks of the main element that are no text by what they say.</summary>
    public void Judge(HtmlTree tree, Span<PageBlock> blocks)
    {
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        int total = 0, before = 0;
        foreach (ref readonly PageBlock block in blocks) total += block.Worth;
        int lastGood = -1;
        for (int number = 0; number < blocks.Length; number++)
        {
            ref PageBlock block = ref blocks[number];
            int worth = block.Worth;
            if (block.Characters <= LongestLine && marks.Tables[block.First] == 0)
            {
                PhraseKind kind = PhraseTable.Match(marks.TextOf(tree, block), block.Links > 0 || block.Characters <= ShortLine);
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
                if (kind == PhraseKind.Notice || (kind == PhraseKind.RelatedLine && (block.Links > 0 || block.Characters <= ShortLine)))
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
        while (nodes[region].Parent is var parent && parent > good && marks.Sums[parent].Worth * 5 <= total * 2) region = parent;
        int end = heading + 1;
        if (region != blocks[heading].Container)
        {
            while (end < blocks.Length && blocks[end].First < nodes[region].End) end++;
            return end;
        }
        int flow = nodes[blocks[lastGood].Container].Parent;
        int limit = nodes[nodes[region].Parent].End;
        int covered = 0;
        while (end < blocks.Length && blocks[end].First < limit && end - heading < MostRelatedBlocks && !ResumesText(nodes, blocks[end], flow)) covered += blocks[end++].Worth;
        return covered * 5 <= total * 2 ? end : heading + 1;
    }

    private bool ResumesText(ReadOnlySpan<HtmlNode> nodes, in PageBlock block, int flow)
    {
        int part = block.Container;
        while (part > flow && nodes[part].Parent != flow) part = nodes[part].Parent;
        if (nodes[part].Parent != flow) return false;
        return part == block.Container && block.Worth > 0 || (marks.Sums[part].Links == 0 && !HtmlTags.Is(nodes[part].Tag, TagTraits.Heading));
    }
}
