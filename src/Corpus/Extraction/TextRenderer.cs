using System.Text;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Writes the kept blocks as text.</summary>
internal sealed class TextRenderer
{
    private byte[] output = new byte[1 << 16];
    private int length;

    public string Render(HtmlTree tree, Span<PageBlock> blocks, ContentFinder finder, bool markdown)
    {
        length = 0;
        foreach (ref readonly PageBlock block in blocks)
        {
            if (!block.Kept) continue;
            int start = length;
            for (int at = block.First; at < block.End; at++)
            {
                ref readonly HtmlNode node = ref tree.Nodes[at];
                if (finder.IsDropped(at)) continue;
                if (node.Tag == HtmlTag.Text) Append(tree.TextOf(node));
                else if (node.Tag == HtmlTag.Br) Append("\n"u8);
            }
            while (length > start && output[length - 1] <= ' ') length--;
            if (length > start) Append("\n"u8);
        }
        return Encoding.UTF8.GetString(output, 0, length).Trim();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (output.Length - length < bytes.Length) Array.Resize(ref output, Math.Max(output.Length * 2, length + bytes.Length));
        bytes.CopyTo(output.AsSpan(length));
        length += bytes.Length;
    }
}
