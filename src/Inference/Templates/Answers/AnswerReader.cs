using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>Finds reasoning and calls in an answer that comes in pieces; how it is cut changes nothing. A malformed call comes out as text, nothing is
/// lost but line breaks beside marks, and what is kept is bounded.</summary>
/// <param name="format">The marks of the family.</param>
/// <param name="thinks">Whether the prompt has opened the reasoning already.</param>
/// <param name="settles">Whether marks count up to the first text only: all that follows it is said.</param>
internal sealed class AnswerReader(AnswerFormat format, bool thinks, bool settles = false)
{
    /// <summary>Longest call, in UTF-16 units; a longer one comes out as text.</summary>
    public const int LongestCall = 1 << 18;

    private const int MostHeldBreaks = 64, LongestName = 256;

    private readonly (string Mark, CallMarks? Call)[] _opens =
        [.. format.Calls.Where(call => call.Open.Length > 0).Select(call => (call.Open, (CallMarks?)call)), .. format.Reasoning is var (open, _) ? new[] { (open, (CallMarks?)null) } : []];
    private readonly CallMarks? _bare = format.Calls.FirstOrDefault(call => call.Open.Length == 0);
    private readonly StringBuilder _pending = new();
    private readonly string[] _marksOfReasoning =
        [.. format.Reasoning is var (_, close) ? [close] : Array.Empty<string>(), .. format.CallsInReasoning ? format.Calls.Where(call => call.Open.Length > 0).Select(call => call.Open) : []];
    private State _state = thinks && format.Reasoning is not null ? State.Thinks : State.Says, _afterCall;
    private bool _dropsBreaks = thinks, _begins = true, _settled;
    private CallMarks? _call;
    private JsonExtent _extent;
    private int _scanned, _argumentsAt;

    private enum State
    {
        Says,
        Thinks,
        Calls,
        Closes,
    }

    /// <summary>Takes a piece.</summary>
    /// <param name="piece">The next text of the answer.</param>
    /// <param name="parts">Receives what is certain by now.</param>
    public void Push(string piece, List<AnswerPart> parts)
    {
        _pending.Append(piece);
        Read(parts, ends: false);
    }

    /// <summary>The answer is at its end.</summary>
    public void Finish(List<AnswerPart> parts) => Read(parts, ends: true);

    private void Read(List<AnswerPart> parts, bool ends)
    {
        // Each step that goes on either takes something from what is pending or leaves a state for good.
        while (_state switch
        {
            State.Says => ReadText(parts, ends),
            State.Thinks => ReadReasoning(parts, ends),
            State.Calls => ReadCall(parts, ends),
            _ => ReadClose(ends),
        })
        {
        }
    }

    private bool ReadText(List<AnswerPart> parts, bool ends)
    {
        DropBreaks();
        string text = _pending.ToString();
        if (_begins && _bare is not null)
        {
            string said = text.TrimStart();
            if (said.Length == 0 && !ends) return false;
            if (said.StartsWith('{'))
            {
                Begin(_bare);
                return true;
            }
        }
        var (first, mark) = First(text, _opens.Select(open => open.Mark));
        if (settles && (_settled || first != 0))
        {
            if (!_settled && (text.Length == 0 || (!ends && _opens.Any(open => open.Mark.StartsWith(text, StringComparison.Ordinal))))) return false;
            _settled = true;
            Say(parts, text.Length, isThought: false);
            return false;
        }

        if (first < 0)
        {
            if (text.Length > 0) _begins = false;
            Say(parts, ends ? text.Length : text.Length - Held(text, _opens.Select(open => open.Mark)), isThought: false);
            return false;
        }
        var call = _opens.First(open => open.Mark == mark).Call;
        _begins &= first == 0 && call is null; // an answer still begins behind its reasoning
        Say(parts, WithoutBreaks(text, first), isThought: false);
        _pending.Clear().Append(text, first + mark.Length, text.Length - first - mark.Length);
        if (call is not null) Begin(call);
        else (_state, _dropsBreaks) = (State.Thinks, true);
        return true;
    }

    private bool ReadReasoning(List<AnswerPart> parts, bool ends)
    {
        DropBreaks();
        string text = _pending.ToString();
        var (at, mark) = First(text, _marksOfReasoning);
        if (at < 0)
        {
            Say(parts, ends ? WithoutBreaks(text, text.Length) : text.Length - Held(text, _marksOfReasoning), isThought: true);
            if (ends) _pending.Clear();
            return false;
        }
        Say(parts, WithoutBreaks(text, at), isThought: true);
        _pending.Clear().Append(text, at + mark.Length, text.Length - at - mark.Length);
        if (mark != format.Reasoning!.Value.Close) Begin(format.Calls.First(call => call.Open == mark));
        else (_state, _dropsBreaks) = (State.Says, true);
        return true;
    }

    // The mark that comes first, and among those at one place the longest.
    private static (int At, string Mark) First(string text, IEnumerable<string> marks)
    {
        (int at, string found) = (-1, "");
        foreach (string mark in marks)
        {
            int place = text.IndexOf(mark, StringComparison.Ordinal);
            if (place >= 0 && (at < 0 || place < at || (place == at && mark.Length > found.Length))) (at, found) = (place, mark);
        }
        return (at, found);
    }

    private void Begin(CallMarks call) => (_afterCall, _state, _call, _scanned, _argumentsAt, _extent, _begins) = (_state, State.Calls, call, 0, -1, default, false);

    private bool ReadCall(List<AnswerPart> parts, bool ends)
    {
        int end = _call!.Notation switch
        {
            CallNotation.Python => PythonEnd(),
            CallNotation.NameAndArguments => NamedEnd(),
            _ => JsonEnd(0),
        };
        if (end == NotYet && !ends && _pending.Length <= LongestCall) return false;
        string body = _pending.ToString(0, end >= 0 ? end : _pending.Length);
        if (end == NotACall || (end == NotYet && !(ends && _call.Notation == CallNotation.Python)))
        {
            // The mark alone becomes text where what follows may still hold other marks.
            int given = end == NotACall ? 0 : body.Length;
            Give(parts, _call.Open + body[..given], _afterCall == State.Thinks);
            _pending.Remove(0, given);
            (_state, _dropsBreaks) = (_afterCall, false);
            return true;
        }
        var calls = AnswerCalls.Read(body, _call.Notation);
        if (calls is null) Give(parts, _call.Open + body, _afterCall == State.Thinks);
        else parts.AddRange(calls);
        _pending.Remove(0, body.Length);
        _dropsBreaks = false;
        _state = _afterCall;
        if (_call.Close is null) _dropsBreaks = calls is not null;
        else if (calls is not null) _state = State.Closes;
        return true;
    }

    private const int NotYet = -1, NotACall = -2;

    private int JsonEnd(int from)
    {
        _scanned = Math.Max(_scanned, from);
        while (_scanned < _pending.Length)
        {
            char next = _pending[_scanned++];
            if (!_extent.Take(next)) return NotACall;
            if (_extent.IsComplete) return _scanned;
        }
        return NotYet;
    }

    private int NamedEnd()
    {
        if (_argumentsAt < 0)
        {
            string text = _pending.ToString(0, Math.Min(_pending.Length, LongestName + AnswerFormat.ArgumentsMark.Length));
            string begun = text.TrimStart();
            if (begun.StartsWith("[{", StringComparison.Ordinal) || begun.StartsWith('{')) return JsonEnd(0);     // the older notation
            int mark = text.IndexOf(AnswerFormat.ArgumentsMark, StringComparison.Ordinal);
            if (mark < 0) return text.Length < LongestName + AnswerFormat.ArgumentsMark.Length ? NotYet : NotACall;
            _argumentsAt = mark + AnswerFormat.ArgumentsMark.Length;
        }
        return JsonEnd(_argumentsAt);
    }

    // The closing mark is found a second time, and taken, once the calls are known to be well-formed.
    private int PythonEnd()
    {
        string close = _call!.Close!;
        for (int at = _scanned; at + close.Length <= _pending.Length; at++)
        {
            int same = 0;
            while (same < close.Length && _pending[at + same] == close[same]) same++;
            if (same == close.Length) return at;
            _scanned = at + 1;
        }
        return NotYet;
    }

    private bool ReadClose(bool ends)
    {
        string text = _pending.ToString(), close = _call!.Close!;
        string rest = text.TrimStart();
        if (rest.StartsWith(close, StringComparison.Ordinal)) _pending.Clear().Append(rest, close.Length, rest.Length - close.Length);
        else if (!ends && text.Length - rest.Length < MostHeldBreaks && close.StartsWith(rest, StringComparison.Ordinal)) return false;
        (_state, _dropsBreaks) = (_afterCall, true);
        return true;
    }

    private void DropBreaks()
    {
        int breaks = 0;
        while (_dropsBreaks && breaks < _pending.Length && _pending[breaks] == '\n') breaks++;
        _pending.Remove(0, breaks);
        if (_pending.Length > 0) _dropsBreaks = false;
    }

    private void Say(List<AnswerPart> parts, int length, bool isThought)
    {
        if (length <= 0) return;
        string value = _pending.ToString(0, length);
        _pending.Remove(0, length);
        Give(parts, value, isThought);
    }

    private static void Give(List<AnswerPart> parts, string value, bool isThought)
    {
        if (value.Length > 0) parts.Add(isThought ? new AnswerPart.Thought(value) : new AnswerPart.Said(value));
    }

    private static int WithoutBreaks(string text, int end)
    {
        int kept = end;
        while (kept > 0 && end - kept < MostHeldBreaks && text[kept - 1] == '\n') kept--;
        return kept;
    }

    // How much of the end may be the beginning of a mark, with the line breaks before it.
    private static int Held(string text, IEnumerable<string> marks)
    {
        int held = 0;
        foreach (string mark in marks)
            for (int length = Math.Min(mark.Length - 1, text.Length); length > held; length--)
                if (text.AsSpan(text.Length - length).SequenceEqual(mark.AsSpan(0, length))) held = length;
        return text.Length - WithoutBreaks(text, text.Length - held);
    }
}
