namespace OpenEuroLLM.Cli;

/// <summary>Rows with columns of even width, two blanks between them.</summary>
internal static class TextTable
{
    /// <summary>The lines; a last column that stands on the left is not filled up.</summary>
    /// <param name="rows">At least one, the heads first; all with as many cells.</param>
    /// <param name="left">Columns from the first on that stand on the left; numbers stand on the right.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<string[]> rows, int left)
    {
        int columns = rows[0].Length;
        int[] widths = [.. Enumerable.Range(0, columns).Select(column => rows.Max(row => row[column].Length))];
        return rows.Select(row => string.Join("  ", row.Select((cell, column) =>
            column >= left ? cell.PadLeft(widths[column]) : column == columns - 1 ? cell : cell.PadRight(widths[column]))));
    }
}
