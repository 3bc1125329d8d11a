namespace OpenEuroLLM.Tokenizers;

/// <summary>What becomes of the delimiters that a text is split at. For <c>-</c> and <c>the-final--countdown</c>:</summary>
internal enum SplitBehavior
{
    /// <summary><c>the final countdown</c></summary>
    Removed,

    /// <summary><c>the - final - - countdown</c></summary>
    Isolated,

    /// <summary><c>the- final- - countdown</c></summary>
    MergedWithPrevious,

    /// <summary><c>the -final - -countdown</c></summary>
    MergedWithNext,

    /// <summary><c>the - final -- countdown</c></summary>
    Contiguous,
}

/// <summary>The stretches of one text, delimiters and what lies between them, on their way to pieces.</summary>
internal sealed class Splits(AlignedText text)
{
    private readonly List<(int Start, int End, bool IsDelimiter)> _stretches = [];
    private int _end;

    /// <summary>Splits at the matches of a pattern.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pattern">What is looked for.</param>
    /// <param name="invert">Whether what lies between the matches is the delimiter.</param>
    public static Splits At(AlignedText text, TextPattern pattern, bool invert = false)
    {
        var matches = new List<(int Start, int End)>();
        pattern.FindAll(text.Bytes, matches);
        var splits = new Splits(text);
        foreach (var (start, end) in matches)
            splits.AddDelimiter(start, end, invert);
        splits.Finish(invert);
        return splits;
    }

    /// <summary>Splits at single characters.</summary>
    public static Splits At(AlignedText text, Func<int, bool> isDelimiter)
    {
        var splits = new Splits(text);
        var bytes = text.Bytes;
        for (int position = 0; position < bytes.Length;)
        {
            int start = position;
            position += Characters.Read(bytes, position, out int value);
            if (isDelimiter(value))
                splits.AddDelimiter(start, position, invert: false);
        }
        splits.Finish(invert: false);
        return splits;
    }

    /// <summary>Appends the pieces; empty ones are left out.</summary>
    public void AppendTo(List<AlignedText> pieces, SplitBehavior behavior)
    {
        switch (behavior)
        {
            case SplitBehavior.Removed:
                foreach (var (start, end, isDelimiter) in _stretches)
                    if (!isDelimiter)
                        Append(start, end);
                break;
            case SplitBehavior.Isolated:
                foreach (var (start, end, _) in _stretches)
                    Append(start, end);
                break;
            case SplitBehavior.MergedWithPrevious:
                Merge(_stretches, (current, previous) => current && !previous);
                break;
            case SplitBehavior.Contiguous:
                Merge(_stretches, (current, previous) => current == previous);
                break;
            case SplitBehavior.MergedWithNext:
                for (int i = 0; i < _stretches.Count; i++)
                {
                    // Of several delimiters in a row only the last goes with what follows.
                    bool merges = _stretches[i].IsDelimiter && i + 1 < _stretches.Count && !_stretches[i + 1].IsDelimiter;
                    Append(_stretches[i].Start, merges ? _stretches[i + 1].End : _stretches[i].End);
                    if (merges)
                        i++;
                }
                break;
        }

        void Merge(List<(int Start, int End, bool IsDelimiter)> stretches, Func<bool, bool, bool> joinsPrevious)
        {
            for (int i = 0; i < stretches.Count;)
            {
                int start = stretches[i].Start, end = stretches[i].End;
                bool previous = stretches[i].IsDelimiter;
                for (i++; i < stretches.Count && joinsPrevious(stretches[i].IsDelimiter, previous); i++)
                    (end, previous) = (stretches[i].End, stretches[i].IsDelimiter);
                Append(start, end);
            }
        }

        void Append(int start, int end)
        {
            if (end > start)
                pieces.Add(start == 0 && end == text.Length && text.SourceOf(0, end).Start == text.SourceStart ? text : text.Slice(start, end));
        }
    }

    private void AddDelimiter(int start, int end, bool invert)
    {
        if (start > _end)
            _stretches.Add((_end, start, invert));
        _stretches.Add((start, end, !invert));
        _end = end;
    }

    private void Finish(bool invert)
    {
        if (_end < text.Length)
            _stretches.Add((_end, text.Length, invert));
    }
}
