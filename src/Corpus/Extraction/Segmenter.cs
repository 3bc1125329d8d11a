namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Divides a tree into blocks of text and counts what is in them.</summary>
internal sealed class Segmenter
{
    private int[] containers = new int[4096];
    private PageBlock[] blocks = new PageBlock[1024];

    /// <summary>Number of blocks.</summary>
    public int Count { get; private set; }

    /// <summary>The blocks in document order.</summary>
    public Span<PageBlock> Blocks => blocks.AsSpan(0, Count);

    /// <summary>Divides a tree, leaving out elements that never hold text for readers and those that were dropped.</summary>
    /// <param name="dropped">For each node whether to pass over it; empty: none.</param>
    public void Segment(HtmlTree tree, ReadOnlySpan<bool> dropped)
    {
        Count = 0;
        if (containers.Length < tree.Count || containers.Length > 1 << 20) containers = new int[Math.Max(4096, tree.Count)];
        if (blocks.Length > 1 << 18) blocks = new PageBlock[1024];
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        bool border = true;
        int breaks = 0;
        int link = -1;
        for (int at = 0; at < nodes.Length;)
        {
            ref readonly HtmlNode node = ref nodes[at];
            if (node.Tag == HtmlTag.Text)
            {
                AddText(tree, node, at, border || breaks > 1, ref link);
                (border, breaks) = (false, 0);
                at++;
                continue;
            }
            if (IsMute(node.Tag) || (!dropped.IsEmpty && dropped[at]))
            {
                border |= HtmlTags.Is(node.Tag, TagTraits.Block);
                at = node.End;
                continue;
            }
            bool block = HtmlTags.Is(node.Tag, TagTraits.Block);
            containers[at] = block ? at : containers[node.Parent];
            border |= block;
            if (node.Tag == HtmlTag.Br) breaks++;
            else if (node.Tag == HtmlTag.A) link = -1;
            at++;
        }
    }

    /// <summary>Elements whose text is never for reading.</summary>
    public static bool IsMute(HtmlTag tag) => tag is HtmlTag.Head or HtmlTag.Select or HtmlTag.Option or HtmlTag.Datalist or HtmlTag.Svg or HtmlTag.Math or HtmlTag.Template or HtmlTag.Object or HtmlTag.Applet
        or HtmlTag.Audio or HtmlTag.Video or HtmlTag.Canvas or HtmlTag.Button or HtmlTag.Textarea or HtmlTag.Meter or HtmlTag.Progress or HtmlTag.Rp or HtmlTag.Map;

    private void AddText(HtmlTree tree, in HtmlNode node, int at, bool border, ref int link)
    {
        int container = containers[node.Parent];
        if (border || Count == 0 || blocks[Count - 1].Container != container)
        {
            if (Count == blocks.Length) Array.Resize(ref blocks, blocks.Length * 2);
            blocks[Count++] = new PageBlock { Container = container, First = at };
            link = -1;
        }
        ref PageBlock block = ref blocks[Count - 1];
        block.End = at + 1;
        int before = block.Characters;
        CountCharacters(tree.TextOf(node), ref block);
        int added = block.Characters - before;
        if ((node.Flags & NodeFlags.Bold) != 0) block.BoldCharacters += added;
        if ((node.Flags & NodeFlags.Link) == 0)
        {
            link = -1;
            return;
        }
        block.LinkCharacters += added;
        if (link < 0 && added > 0)
        {
            block.Links++;
            link = at;
        }
    }

    private static void CountCharacters(ReadOnlySpan<byte> text, ref PageBlock block)
    {
        int characters = 0, stops = 0, commas = 0, digits = 0;
        for (int at = 0; at < text.Length; at++)
        {
            byte value = text[at];
            if (value <= ' ' || (value & 0xC0) == 0x80) continue;
            characters++;
            if (value < 0x80)
            {
                if (AsciiWord.IsDigit(value)) digits++;
                else if (value is (byte)'.' or (byte)'!' or (byte)'?' or (byte)':' or (byte)';')
                {
                    if (at + 1 == text.Length || text[at + 1] is (byte)' ' or (byte)'"' or (byte)'\'' or >= 0x80) stops++;
                }
                else if (value == ',') commas++;
            }
            else if (value == 0xE3 && at + 2 < text.Length && text[at + 1] == 0x80)
            {
                if (text[at + 2] == 0x82) stops++;
                else if (text[at + 2] == 0x81) commas++;
            }
        }
        block.Characters += characters;
        block.Stops += stops;
        block.Commas += commas;
        block.Digits += digits;
    }
}
