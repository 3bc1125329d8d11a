namespace OpenEuroLLM.Tokenizers;

/// <summary>A set of byte strings with a number each, for finding the prefixes of a text: one load a byte. Immutable.</summary>
internal sealed class ByteTrie
{
    private const int LabelBits = 9;
    private const int BaseBits = 27;
    private const ulong LabelMask = (1UL << LabelBits) - 1;
    private const int BaseMask = (1 << BaseBits) - 1;
    private const uint Used = 0x100;
    private const int Leaf = 0;             // the first block stays empty, so this base has no children

    /// <summary>The highest number that a string can have.</summary>
    public const int MaximumValue = (1 << (64 - LabelBits - BaseBits)) - 2;

    private readonly ulong[] _units;        // from low to high: label with a mark of use, base of the children, value plus one

    /// <param name="keys">The strings, in any order. Of equal ones the last stays; empty ones are left out.</param>
    public ByteTrie(IEnumerable<(byte[] Text, int Value)> keys)
    {
        var sorted = keys.Where(key => key.Text.Length > 0).Select((key, order) => (key.Text, key.Value, Order: order)).ToArray();
        Array.Sort(sorted, static (left, right) =>
            left.Text.AsSpan().SequenceCompareTo(right.Text) is var byText and not 0 ? byText : left.Order.CompareTo(right.Order));
        LongestKey = sorted.Select(key => key.Text.Length).DefaultIfEmpty().Max();
        var layout = new TrieLayout();
        layout.AddBlock(reserved: TrieLayout.BlockSize);
        ulong[] units = new ulong[TrieLayout.BlockSize];
        Span<byte> labels = stackalloc byte[256];
        var waiting = new Stack<(int Place, int From, int To, int Depth)>();
        waiting.Push((-1, 0, sorted.Length, 0));
        Root = Leaf;
        while (waiting.TryPop(out var node))
        {
            var (from, to, depth) = (node.From, node.To, node.Depth);
            for (; from < to && sorted[from].Text.Length == depth; from++)
                units[node.Place] = (units[node.Place] & ((1UL << (LabelBits + BaseBits)) - 1)) | ((ulong)(sorted[from].Value + 1) << (LabelBits + BaseBits));
            if (from == to)
                continue;
            int children = 0;
            for (int i = from; i < to; i++)
                if (children == 0 || labels[children - 1] != sorted[i].Text[depth])
                    labels[children++] = sorted[i].Text[depth];
            int basePlace = layout.Place(labels[..children]);
            if (basePlace > BaseMask)
                throw new ArgumentException("There are too many strings.", nameof(keys));
            if (layout.Count > units.Length)
                Array.Resize(ref units, Math.Max(layout.Count, units.Length * 2));
            if (node.Place < 0)
                Root = basePlace;
            else
                units[node.Place] |= (ulong)basePlace << LabelBits;
            for (int i = from; i < to;)
            {
                byte label = sorted[i].Text[depth];
                int first = i;
                while (i < to && sorted[i].Text[depth] == label)
                    i++;
                units[basePlace ^ label] = label | Used;
                waiting.Push((basePlace ^ label, first, i, depth + 1));
            }
        }
        Array.Resize(ref units, layout.Count);
        _units = units;
    }

    /// <summary>The length of the longest string in bytes; 0 when there is none.</summary>
    public int LongestKey { get; }

    /// <summary>Where a walk begins.</summary>
    public int Root { get; }

    /// <summary>Goes one byte further. Where no string goes on, the walk is over: no further step succeeds.</summary>
    /// <param name="node">The place of the walk, at first <see cref="Root"/>; moves on.</param>
    /// <param name="value">The number of the string that ends here, or -1.</param>
    /// <returns>False when no string goes on with this byte.</returns>
    public bool TryStep(ref int node, byte next, out int value)
    {
        ulong unit = _units[node ^ next];
        if ((unit & LabelMask) != (next | Used))
        {
            node = Leaf;
            value = -1;
            return false;
        }
        value = (int)(unit >> (LabelBits + BaseBits)) - 1;
        node = (int)(unit >> LabelBits) & BaseMask;
        return true;
    }

    /// <summary>The number of exactly this string, or -1.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        int node = Root;
        int value = -1;
        foreach (byte next in text)
            if (!TryStep(ref node, next, out value))
                return -1;
        return value;
    }

    /// <summary>The number and length of the longest string that the text begins with; (-1, 0) when there is none.</summary>
    public (int Value, int Length) LongestPrefix(ReadOnlySpan<byte> text)
    {
        int node = Root;
        var best = (Value: -1, Length: 0);
        for (int i = 0; i < text.Length && TryStep(ref node, text[i], out int value); i++)
            if (value >= 0)
                best = (value, i + 1);
        return best;
    }
}
