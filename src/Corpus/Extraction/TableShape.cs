namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Tells tables of data from those that only lay out a page.</summary>
internal static class TableShape
{
    private const int LongestDataCell = 400;

    /// <summary>Whether a table holds data: it has heading cells or a caption, or several rows and columns of short cells; a table with another one inside, or with long texts, lays out.</summary>
    public static bool IsData(ReadOnlySpan<HtmlNode> nodes, int table)
    {
        int rows = 0, cells = 0, headings = 0, cellBytes = 0, longest = 0;
        for (int at = table + 1; at < nodes[table].End; at++)
        {
            switch (nodes[at].Tag)
            {
                case HtmlTag.Table:
                    return false;
                case HtmlTag.Tr:
                    rows++;
                    break;
                case HtmlTag.Caption:
                    headings++;
                    break;
                case HtmlTag.Td or HtmlTag.Th:
                    longest = Math.Max(longest, cellBytes);
                    cellBytes = 0;
                    cells++;
                    if (nodes[at].Tag == HtmlTag.Th) headings++;
                    break;
                case HtmlTag.Text:
                    cellBytes += nodes[at].TextLength;
                    break;
            }
        }
        longest = Math.Max(longest, cellBytes);
        if (rows < 2 || cells < rows * 2) return false;
        return headings > 0 || (rows >= 3 && longest <= LongestDataCell);
    }
}
