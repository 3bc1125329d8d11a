using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Writes the kept blocks: as plain text, a paragraph a line and the cells of a row with tabs between them, or with Markdown's marks for headings, lists, tables, quotations and code. Links and emphasis
/// are left out in both.</summary>
internal sealed class TextRenderer
{
    private const int MaximumNesting = 16;
    private const int MaximumClimb = 64;

    private readonly int[] listNodes = new int[MaximumNesting];
    private readonly int[] listNumbers = new int[MaximumNesting];
    private byte[] output = new byte[1 << 16];
    private int length;
    private int lastItem;
    private HtmlTree tree = null!;
    private ContentFinder finder = null!;
    private bool markdown;

    /// <summary>The text of the kept blocks.</summary>
    public string Render(HtmlTree page, Span<PageBlock> blocks, ContentFinder content, bool withMarks)
    {
        (tree, finder, markdown) = (page, content, withMarks);
        (length, lastItem) = (0, -1);
        if (output.Length > 1 << 23) output = new byte[1 << 16];
        Array.Fill(listNodes, -1);
        for (int number = 0; number < blocks.Length; number++)
        {
            ref readonly PageBlock block = ref blocks[number];
            if (!block.Kept) continue;
            if (finder.TableOf(block.First) is int table)
            {
                WriteTable(table);
                while (number + 1 < blocks.Length && blocks[number + 1].First < tree[table].End) number++;
            }
            else WriteBlock(block);
        }
        return Encoding.UTF8.GetString(output, 0, length).Trim();
    }

    private void WriteBlock(in PageBlock block)
    {
        int before = length;
        Context context = markdown ? ContextOf(block.Container) : default;
        bool code = (tree[block.First].Flags & NodeFlags.Preformatted) != 0;
        if (markdown) WriteMarks(context);
        int start = length;
        if (markdown && code) Append("```\n"u8);
        WriteText(block.First, block.End, markdown && !code, code);
        TrimEnd(start);
        if (length == start || (markdown && code && length <= start + 3))
        {
            length = before;
            return;
        }
        if (markdown && code) Append("\n```"u8);
        if (markdown) Indent(start, context);
        EndBlock(markdown && context.Item < 0);
    }

    private void WriteMarks(in Context context)
    {
        bool sameItem = context.Item >= 0 && context.Item == lastItem;
        // A list and a paragraph need an empty line between them; items of one list do not.
        if (context.Item < 0 && lastItem >= 0 && length > 0 && !EndsWith("\n\n"u8)) Append("\n"u8);
        lastItem = context.Item;
        for (int level = 0; level < context.Quotes; level++) Append("> "u8);
        if (context.Item >= 0)
        {
            for (int level = 1; level < context.Lists; level++) Append("  "u8);
            if (sameItem) Append("  "u8);
            else if (tree[context.List].Tag == HtmlTag.Ol) Append(Encoding.ASCII.GetBytes(NextNumber(context).ToString(CultureInfo.InvariantCulture) + ". "));
            else Append("- "u8);
        }
        for (int level = 0; level < context.Heading; level++) Append("#"u8);
        if (context.Heading > 0) Append(" "u8);
    }

    private int NextNumber(in Context context)
    {
        int level = Math.Min(context.Lists, MaximumNesting) - 1;
        if (listNodes[level] != context.List) (listNodes[level], listNumbers[level]) = (context.List, 0);
        return ++listNumbers[level];
    }

    // What stands around a block; farther than some levels up nothing is looked for.
    private Context ContextOf(int container)
    {
        var context = new Context(-1, -1, 0, 0, 0);
        int at = container;
        for (int climb = 0; climb < MaximumClimb && at > 0; climb++, at = tree[at].Parent)
        {
            HtmlTag tag = tree[at].Tag;
            if (tag == HtmlTag.Li && context.Item < 0) context = context with { Item = at };
            else if (tag is HtmlTag.Ul or HtmlTag.Ol or HtmlTag.Menu or HtmlTag.Dir && context.Lists < MaximumNesting)
                context = context with { List = context.List < 0 ? at : context.List, Lists = context.Lists + 1 };
            else if (tag == HtmlTag.Blockquote && context.Quotes < MaximumNesting) context = context with { Quotes = context.Quotes + 1 };
            else if (HtmlTags.Is(tag, TagTraits.Heading) && context.Item < 0) context = context with { Heading = HtmlTags.Level(tag) };
        }
        return context.List < 0 ? context with { Item = -1 } : context;
    }

    // Further lines of an item or a quotation stand under its first one.
    private void Indent(int start, in Context context)
    {
        int breaks = output.AsSpan(start, length - start).Count((byte)'\n');
        if (breaks == 0 || (context.Item < 0 && context.Quotes == 0)) return;
        byte[] text = output.AsSpan(start, length - start).ToArray();
        length = start;
        foreach (byte value in text)
        {
            Append([value]);
            if (value != '\n') continue;
            for (int level = 0; level < context.Quotes; level++) Append("> "u8);
            for (int level = 0; context.Item >= 0 && level < context.Lists; level++) Append("  "u8);
        }
    }

    private void WriteTable(int table)
    {
        if (markdown && length > 0 && !EndsWith("\n\n"u8)) Append("\n"u8);
        lastItem = -1;
        int row = 0, end = tree[table].End;
        for (int at = table + 1; at < end;)
        {
            HtmlTag tag = tree[at].Tag;
            if (tag is HtmlTag.Tr or HtmlTag.Caption)
            {
                int before = length;
                if (tag == HtmlTag.Caption) WriteCell(at);
                else if (WriteRow(at) is int cells and > 0 && markdown && row++ == 0) WriteRule(cells);
                if (length > before) Append(markdown && tag == HtmlTag.Caption ? "\n\n"u8 : "\n"u8);
                at = tree[at].End;
            }
            else at++;
        }
        if (markdown) Append("\n"u8);
    }

    // The number of cells written.
    private int WriteRow(int row)
    {
        int cells = 0, filled = 0, start = length;
        for (int at = row + 1; at < tree[row].End;)
        {
            if (tree[at].Tag is not (HtmlTag.Td or HtmlTag.Th))
            {
                at++;
                continue;
            }
            Append(markdown ? (cells == 0 ? "| "u8 : " | "u8) : cells == 0 ? ""u8 : "\t"u8);
            int before = length;
            WriteCell(at);
            if (length > before) filled++;
            cells++;
            at = tree[at].End;
        }
        if (filled == 0)
        {
            length = start;
            return 0;
        }
        if (markdown) Append(" |"u8);
        return cells;
    }

    private void WriteRule(int cells)
    {
        Append("\n|"u8);
        for (int cell = 0; cell < cells; cell++) Append(" --- |"u8);
    }

    private void WriteCell(int cell)
    {
        int start = length;
        WriteText(cell + 1, tree[cell].End, inlineCode: false, keepSpace: false);
        TrimEnd(start);
        for (int at = start; at < length; at++)
            if (output[at] is (byte)'\n' or (byte)'\t' || (markdown && output[at] == '|')) output[at] = output[at] == '|' ? (byte)'/' : (byte)' ';
    }

    private void WriteText(int first, int end, bool inlineCode, bool keepSpace)
    {
        int codeEnd = -1, start = length;
        for (int at = first; at < end;)
        {
            if (codeEnd >= 0 && at >= codeEnd)
            {
                Append("`"u8);
                codeEnd = -1;
            }
            ref readonly HtmlNode node = ref tree[at];
            if (finder.IsDropped(at) || Segmenter.IsMute(node.Tag))
            {
                at = node.End;
                continue;
            }
            if (node.Tag == HtmlTag.Text) Append(tree.TextOf(node));
            else if (node.Tag == HtmlTag.Br || (HtmlTags.Is(node.Tag, TagTraits.Block) && length > start))
            {
                if (!keepSpace) TrimEnd(start);
                Append("\n"u8);
            }
            else if (inlineCode && codeEnd < 0 && node.Tag is HtmlTag.Code or HtmlTag.Kbd or HtmlTag.Samp && node.End <= end)
            {
                Append("`"u8);
                codeEnd = node.End;
            }
            at++;
        }
        if (codeEnd >= 0) Append("`"u8);
    }

    private void EndBlock(bool emptyLine) => Append(emptyLine ? "\n\n"u8 : "\n"u8);

    private void TrimEnd(int start)
    {
        while (length > start && output[length - 1] <= ' ') length--;
    }

    private bool EndsWith(ReadOnlySpan<byte> bytes) => output.AsSpan(0, length).EndsWith(bytes);

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (output.Length - length < bytes.Length) Array.Resize(ref output, Math.Max(output.Length * 2, length + bytes.Length));
        bytes.CopyTo(output.AsSpan(length));
        length += bytes.Length;
    }

    /// <param name="Item">The list item; below 0: none.</param>
    /// <param name="List">The innermost list.</param>
    /// <param name="Lists">Lists around.</param>
    /// <param name="Quotes">Quotations around.</param>
    /// <param name="Heading">Level of the heading; 0: none.</param>
    private readonly record struct Context(int Item, int List, int Lists, int Quotes, int Heading);
}
