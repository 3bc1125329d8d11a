namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Chooses where exactly a text is cut, so that what remains reads well: punctuation goes with the words it stands at, and of the white space before and
/// behind one remains, the one with more line feeds.</summary>
internal static class TextSeam
{
    /// <summary>What is cut out.</summary>
    /// <param name="text">The text.</param>
    /// <param name="keptEnd">Where what is kept before ends; 0 when nothing is.</param>
    /// <param name="start">Where what is cut begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="keptStart">Where what is kept behind begins; the length of the text when nothing is.</param>
    public static TextCut Cut(string text, int keptEnd, int start, int end, int keptStart)
    {
        (int closed, int opened) = Before(text, keptEnd, start);
        (int closing, int opening) = Behind(text, end, keptStart);
        if (keptEnd == 0) return new TextCut(0, keptStart == text.Length ? text.Length : opening);
        if (keptStart == text.Length) return new TextCut(closed, text.Length);
        // Neither with white space: a hyphen or apostrophe stays, so that no two words become one.
        if (closed == opened && closing == opening) return new TextCut(opened, end);
        bool keepsBefore = opened > closed && (closing == opening || LineFeeds(text, closed, opened) >= LineFeeds(text, closing, opening));
        return keepsBefore ? new TextCut(opened, opening) : new TextCut(closed, closing);
    }

    /// <summary>Divides what stands before the cut: the rest of the line (or word) that is kept, white space, and what goes with the cut.</summary>
    private static (int Start, int End) Before(string text, int keptEnd, int start)
    {
        int lineFeed = text.AsSpan(keptEnd, start - keptEnd).IndexOf('\n');
        if (lineFeed < 0)
        {
            int blank = keptEnd;
            while (blank < start && !char.IsWhiteSpace(text[blank])) blank++;
            int word = blank;
            while (word < start && char.IsWhiteSpace(text[word])) word++;
            return (blank, word);
        }
        int from = keptEnd + lineFeed, to = from + 1;
        for (int i = to; i < start && char.IsWhiteSpace(text[i]); i++)
            if (text[i] == '\n') to = i + 1;   // blanks behind the last line feed belong to what follows
        while (from > keptEnd && char.IsWhiteSpace(text[from - 1])) from--;
        return (from, to);
    }

    /// <summary>Divides what stands behind the cut: what goes with it, white space, and the beginning of the line (or word) that is kept.</summary>
    private static (int Start, int End) Behind(string text, int end, int keptStart)
    {
        int lineFeed = text.AsSpan(end, keptStart - end).LastIndexOf('\n');
        int to;
        if (lineFeed >= 0)
        {
            to = end + lineFeed + 1;
        }
        else
        {
            to = keptStart;
            while (to > end && !char.IsWhiteSpace(text[to - 1])) to--;
            if (to == end) return (keptStart, keptStart);   // no white space at all: what there is was part of the word that is cut
        }
        int from = to;
        while (from > end && char.IsWhiteSpace(text[from - 1])) from--;
        return (from, to);
    }

    private static int LineFeeds(string text, int start, int end) => text.AsSpan(start, end - start).Count('\n');
}
