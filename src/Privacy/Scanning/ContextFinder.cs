using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>A word of context near a number.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">Its length.</param>
/// <param name="Distance">Characters between it and the number.</param>
internal readonly record struct ContextHit(int Start, int Length, int Distance);

/// <summary>Looks for words of context within 40 characters before a number and a little behind it. Each window is read once, for all rules together.</summary>
internal sealed class ContextFinder(RuleBook rules)
{
    private const int Before = 40, After = 24;

    private readonly ContextHit[] _before = new ContextHit[64], _after = new ContextHit[64];
    private string _text = "";
    private ulong _foundBefore, _foundAfter;
    private int _start = -1, _end = -1, _sentence;

    /// <summary>Characters looked at so far.</summary>
    public long Steps;

    /// <summary>Begins with another text.</summary>
    public void Begin(string text)
    {
        _text = text;
        _start = _end = -1;
    }

    /// <summary>The word of a concept that is nearest to a number; null when there is none, or a word that says otherwise stands between.</summary>
    /// <param name="concept">The concept.</param>
    /// <param name="start">Where the number begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="inSentence">Whether it must be in the same sentence, before the number.</param>
    public ContextHit? Near(int concept, int start, int end, bool inSentence = false)
    {
        ReadBefore(start);
        if ((_foundBefore & (1UL << concept)) != 0)
        {
            ContextHit hit = _before[concept];
            bool labelled = (_foundBefore & (1UL << rules.Labels)) != 0 && _before[rules.Labels].Start > hit.Start;
            bool blocked = (_foundBefore & (1UL << rules.Blockers)) != 0 && _before[rules.Blockers].Start > hit.Start;
            if (!labelled && !blocked && !(inSentence && hit.Start < _sentence)) return hit;
            if (labelled || blocked) return null;
        }
        if (inSentence) return null;
        ReadAfter(end);
        return (_foundAfter & (1UL << concept)) != 0 ? _after[concept] : null;
    }

    /// <summary>Whether a word of a concept stands before a number, however near others are.</summary>
    public ContextHit? HitBefore(int concept, int start)
    {
        ReadBefore(start);
        return (_foundBefore & (1UL << concept)) != 0 ? _before[concept] : null;
    }

    /// <summary>The text of a word.</summary>
    public string Word(ContextHit hit) => _text.Substring(hit.Start, hit.Length);

    private void ReadBefore(int start)
    {
        if (_start == start) return;
        _start = start;
        _foundBefore = 0;
        int from = Math.Max(0, start - Before);
        _sentence = from;
        for (int at = from; at < start; at++)
        {
            Steps++;
            char letter = _text[at];
            if (letter is '.' or '!' or '?' or ';' or '…' && at + 2 < start && char.IsWhiteSpace(_text[at + 1]) && char.IsUpper(_text[at + 2])) _sentence = at;
            if (!BeginsWord(at)) continue;
            ulong found = rules.Context.At(_text, at, start, out int wordEnd, ref Steps);
            for (ulong rest = found; rest != 0; rest &= rest - 1)
                _before[System.Numerics.BitOperations.TrailingZeroCount(rest)] = new ContextHit(at, wordEnd - at, start - wordEnd);
            _foundBefore |= found;
        }
    }

    private void ReadAfter(int end)
    {
        if (_end == end) return;
        _end = end;
        _foundAfter = 0;
        int to = Math.Min(_text.Length, end + After);
        for (int at = end; at < to; at++)
        {
            Steps++;
            char letter = _text[at];
            if (char.IsAsciiDigit(letter) || letter is '\n' or '!' or '?' or ';' || (letter == '.' && at + 1 < to && char.IsWhiteSpace(_text[at + 1]))) return;
            if (!BeginsWord(at)) continue;
            // The word may end beyond the window; its beginning is what is near.
            ulong found = rules.Context.At(_text, at, Math.Min(_text.Length, at + rules.Context.Longest + 1), out int wordEnd, ref Steps) & ~_foundAfter;
            for (ulong rest = found; rest != 0; rest &= rest - 1)
                _after[System.Numerics.BitOperations.TrailingZeroCount(rest)] = new ContextHit(at, wordEnd - at, at - end);
            _foundAfter |= found;
        }
    }

    private bool BeginsWord(int at) => char.IsLetter(_text[at]) && (at == 0 || !char.IsLetterOrDigit(_text[at - 1]));
}
