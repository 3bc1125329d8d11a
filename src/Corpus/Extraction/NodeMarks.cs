namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Counts over all blocks inside an element.</summary>
internal struct NodeSums
{
    /// <summary>Characters of blocks that read like sentences.</summary>
    public int Worth;

    /// <summary>All characters.</summary>
    public int Characters;

    /// <summary>Characters in links.</summary>
    public int LinkCharacters;

    /// <summary>Links.</summary>
    public int Links;
}

/// <summary>What was found out about each node of a page; the arrays are used again for the next page.</summary>
internal sealed class NodeMarks
{
    private const int KeptNodes = 1 << 18;

    /// <summary>Whether a node is left out.</summary>
    public bool[] Dropped { get; private set; } = [];

    /// <summary>The table of data around a node of the main text; 0: none.</summary>
    public int[] Tables { get; private set; } = [];

    /// <summary>What is inside each element.</summary>
    public NodeSums[] Sums { get; private set; } = [];

    /// <summary>Forgets the last page.</summary>
    public void Clear(int nodes)
    {
        if (Dropped.Length < nodes || Dropped.Length > KeptNodes)
        {
            int size = Math.Max(4096, nodes);
            (Dropped, Tables, Sums) = (new bool[size], new int[size], new NodeSums[size]);
        }
        Array.Clear(Dropped, 0, nodes);
        Array.Clear(Tables, 0, nodes);
    }

    /// <summary>Leaves an element out with all that is in it.</summary>
    public void Drop(int at, int end) => Dropped.AsSpan(at, end - at).Fill(true);

    /// <summary>Adds up the blocks inside each element.</summary>
    public void Sum(ReadOnlySpan<HtmlNode> nodes, ReadOnlySpan<PageBlock> blocks)
    {
        Array.Clear(Sums, 0, nodes.Length);
        foreach (ref readonly PageBlock block in blocks)
        {
            ref NodeSums sum = ref Sums[block.Container];
            sum.Worth += block.Worth;
            sum.Characters += block.Characters;
            sum.LinkCharacters += block.LinkCharacters;
            sum.Links += block.Links;
        }
        for (int at = nodes.Length - 1; at > 0; at--)
        {
            ref NodeSums parent = ref Sums[nodes[at].Parent];
            ref readonly NodeSums sum = ref Sums[at];
            parent.Worth += sum.Worth;
            parent.Characters += sum.Characters;
            parent.LinkCharacters += sum.LinkCharacters;
            parent.Links += sum.Links;
        }
    }

    /// <summary>The text of a block as one line.</summary>
    public string TextOf(HtmlTree tree, in PageBlock block)
    {
        var text = new System.Text.StringBuilder();
        for (int at = block.First; at < block.End; at++)
            if (tree[at].Tag == HtmlTag.Text && !Dropped[at]) text.Append(System.Text.Encoding.UTF8.GetString(tree.TextOf(tree[at])));
        return text.ToString().Trim();
    }
}
