namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>How the text of a node looks.</summary>
[Flags]
internal enum NodeFlags : byte
{
    None = 0,

    /// <summary>Text of a link.</summary>
    Link = 1,

    /// <summary>Bold text.</summary>
    Bold = 2,

    /// <summary>White space counts.</summary>
    Preformatted = 4,
}

/// <summary>An element or a text of a page.</summary>
internal struct HtmlNode
{
    /// <summary>The element's name, or <see cref="HtmlTag.Text"/>.</summary>
    public HtmlTag Tag;

    /// <summary>How a text looks.</summary>
    public NodeFlags Flags;

    /// <summary>Index of the parent; the root is its own.</summary>
    public int Parent;

    /// <summary>Index behind the last node inside this one.</summary>
    public int End;

    /// <summary>First byte of a text in <see cref="HtmlTree.Text"/>.</summary>
    public int TextStart;

    /// <summary>Bytes of a text.</summary>
    public int TextLength;

    /// <summary>What class, id, role and other attributes say about an element.</summary>
    public PageHints Hints;
}

/// <summary>A page as one array of nodes in document order: the inside of node <c>i</c> is <c>i+1 .. End</c>. All texts lie in one buffer, decoded. Buffers are used again for the next page.</summary>
internal sealed class HtmlTree
{
    /// <summary>Pages with more nodes are cut there.</summary>
    public const int MaximumNodes = 4_000_000;

    private const int KeptNodes = 1 << 18;
    private const int KeptTextBytes = 1 << 23;

    private HtmlNode[] nodes = new HtmlNode[4096];
    private byte[] text = new byte[1 << 16];

    /// <summary>Number of nodes.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all texts.</summary>
    public int TextLength { get; set; }

    /// <summary>The nodes in document order.</summary>
    public ReadOnlySpan<HtmlNode> Nodes => nodes.AsSpan(0, Count);

    /// <summary>All texts, one behind the other.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, TextLength);

    /// <summary>A node.</summary>
    public ref HtmlNode this[int index] => ref nodes[index];

    /// <summary>The text of a text node.</summary>
    public ReadOnlySpan<byte> TextOf(in HtmlNode node) => text.AsSpan(node.TextStart, node.TextLength);

    /// <summary>Forgets the last page; buffers grown by a giant are given back.</summary>
    public void Clear()
    {
        Count = 0;
        TextLength = 0;
        if (nodes.Length > KeptNodes) nodes = new HtmlNode[4096];
        if (text.Length > KeptTextBytes) text = new byte[1 << 16];
    }

    /// <summary>Adds a node at the end.</summary>
    public int Add(HtmlTag tag, NodeFlags flags, int parent, PageHints hints)
    {
        if (Count == nodes.Length) Array.Resize(ref nodes, nodes.Length * 2);
        nodes[Count] = new HtmlNode { Tag = tag, Flags = flags, Parent = parent, End = Count + 1, TextStart = TextLength, Hints = hints };
        return Count++;
    }

    /// <summary>Room for more text behind <see cref="TextLength"/>.</summary>
    public Span<byte> TextRoom(int bytes)
    {
        if (text.Length - TextLength < bytes) Array.Resize(ref text, Math.Max(text.Length * 2, TextLength + bytes));
        return text.AsSpan(TextLength);
    }
}
