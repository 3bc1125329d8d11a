using System.Runtime.InteropServices;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Finds what a text has in common with earlier ones, word by word, and says what is cut out of it.</summary>
/// <remarks>Matches are given in the order of their places in the text. Each is followed to both sides as far as the words agree, but through what is covered
/// already no further than the least length of a run: an end of a common run has a match no further from it than that (see <see cref="Winnowing"/>), so that
/// nothing is missed, and the work stays in proportion to words and matches even where a text is one phrase again and again.</remarks>
/// <param name="leastWords">The least number of words of a run that is cut.</param>
internal sealed class CommonRuns(int leastWords)
{
    private readonly List<int> _starts = [];   // of the words of the text
    private readonly List<int> _ends = [];
    private readonly List<(int Start, int End)> _runs = [];   // of words, ascending and apart from one another
    private string _text = "";

    /// <summary>Goes on to another text.</summary>
    public void Begin(string text)
    {
        _text = text;
        _starts.Clear();
        _ends.Clear();
        _runs.Clear();
        var word = new FoldedWords(text);
        while (word.MoveNext())
        {
            _starts.Add(word.Start);
            _ends.Add(word.End);
        }
    }

    /// <summary>Whether a match at a place can add to what is covered: otherwise the other text need not be read.</summary>
    public bool CanAdd(int position)
    {
        if (_runs.Count == 0) return true;
        int word = Word(position);
        return word - _runs[^1].Start < leastWords || _runs[^1].End - word < leastWords;
    }

    /// <summary>Follows a match.</summary>
    /// <param name="position">Where a word of the text begins; not before that of an earlier match.</param>
    /// <param name="other">An earlier text, or the text itself.</param>
    /// <param name="otherPosition">Where the same word begins there; in the text itself, an earlier place.</param>
    public void Add(int position, string other, int otherPosition)
    {
        int word = Word(position);
        if (otherPosition > 0 && FoldedWords.Fold(other[otherPosition - 1]) != '\0') return;
        int end = Forward(word, other, otherPosition);
        if (end == word) return;
        int start = Backward(word, other, otherPosition);
        if (end - start < leastWords) return;
        while (_runs.Count > 0 && _runs[^1].End >= start)
        {
            (start, end) = (Math.Min(start, _runs[^1].Start), Math.Max(end, _runs[^1].End));
            _runs.RemoveAt(_runs.Count - 1);
        }
        _runs.Add((start, end));
    }

    /// <summary>The parts of the text that were found in others.</summary>
    public IReadOnlyList<TextCut> Cuts() => [.. _runs.Select(run => TextSeam.Cut(
        _text, run.Start == 0 ? 0 : _ends[run.Start - 1], _starts[run.Start], _ends[run.End - 1], run.End == _starts.Count ? _text.Length : _starts[run.End]))];

    private int Word(int position)
    {
        int word = CollectionsMarshal.AsSpan(_starts).BinarySearch(position);
        return word >= 0 ? word : throw new InvalidOperationException($"No word begins at {position}.");
    }

    /// <summary>The first word behind the run.</summary>
    private int Forward(int word, string other, int otherPosition)
    {
        int covered = _runs.Count == 0 ? 0 : _runs[^1].End;   // everything between a match and this is: earlier runs begin before it
        int end = word, at = otherPosition;
        while (end < _starts.Count && !(end - word >= leastWords && end < covered))
        {
            while (at < other.Length && FoldedWords.Fold(other[at]) == '\0') at++;
            int length = _ends[end] - _starts[end];
            if (at + length > other.Length || !Same(_starts[end], other, at, length)) break;
            at += length;
            if (at < other.Length && FoldedWords.Fold(other[at]) != '\0') break;
            end++;
        }
        return end;
    }

    /// <summary>The first word of the run.</summary>
    private int Backward(int word, string other, int otherPosition)
    {
        int start = word, at = otherPosition;
        while (start > 0 && !(word - start >= leastWords && IsCovered(start - 1)))
        {
            while (at > 0 && FoldedWords.Fold(other[at - 1]) == '\0') at--;
            int length = _ends[start - 1] - _starts[start - 1];
            at -= length;
            if (at < 0 || !Same(_starts[start - 1], other, at, length)) break;
            if (at > 0 && FoldedWords.Fold(other[at - 1]) != '\0') break;
            start--;
        }
        return start;
    }

    private bool IsCovered(int word)
    {
        int run = _runs.Count - 1;
        while (run >= 0 && _runs[run].Start > word) run--;   // few: runs are as long as the distance to the match is at most
        return run >= 0 && word < _runs[run].End;
    }

    private bool Same(int start, string other, int at, int length)
    {
        for (int i = 0; i < length; i++)
            if (FoldedWords.Fold(_text[start + i]) != FoldedWords.Fold(other[at + i])) return false;
        return true;
    }
}
