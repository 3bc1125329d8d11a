namespace OpenEuroLLM.Tokenizers;

/// <summary>What a Replace or Split looks for: a text as it is, or a regular expression.</summary>
/// <param name="Source">The text or the expression as it stands in the file.</param>
/// <param name="Regex">The compiled expression; null for a text.</param>
internal sealed record TextPattern(string Source, ISplitPattern? Regex)
{
    private readonly byte[] _text = System.Text.Encoding.UTF8.GetBytes(Source);

    /// <summary>The text as UTF-8; means nothing for an expression.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>All matches from left to right; an empty one never stands at the end of the one before.</summary>
    public void FindAll(ReadOnlySpan<byte> text, List<(int Start, int End)> matches)
    {
        if (Regex is null)
        {
            FindText(text, matches);
            return;
        }
        int from = 0, lastEnd = -1;
        while (from <= text.Length && Regex.TryMatch(text, from, out int start, out int end))
        {
            if (start == end && end == lastEnd)
            {
                from += from < text.Length ? Characters.Read(text, from, out _) : 1;
                continue;
            }
            matches.Add((start, end));
            from = lastEnd = end;
        }
    }

    private void FindText(ReadOnlySpan<byte> text, List<(int Start, int End)> matches)
    {
        if (_text.Length == 0)
            return;
        for (int from = 0; text[from..].IndexOf(_text) is int found and >= 0;)
        {
            matches.Add((from + found, from + found + _text.Length));
            from += found + _text.Length;
        }
    }
}
