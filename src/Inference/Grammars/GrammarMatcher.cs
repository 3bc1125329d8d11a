using System.Runtime.InteropServices;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Where an answer can be in an automaton: all readings of its bytes so far at once.</summary>
/// <param name="readings">The readings that read a byte.</param>
/// <param name="mayEnd">Whether the bytes so far are a whole answer.</param>
/// <param name="room">How many characters any string's contents may go on with here, whatever they are.</param>
internal sealed class MatcherState(MatcherState.Reading[] readings, bool mayEnd, int room)
{
    private const int MostScanned = 8;

    // What bytes lead to, as far as it was asked for: pairs while they are few, then a place for each byte.
    private byte[] _bytes = [];
    private MatcherState?[] _targets = [];
    private int _count;
    private UInt128 _knownLow, _knownHigh;

    /// <summary>A state that reads a byte, and the calls that it lies in.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Reading(int State, CallFrame? Frame);

    public Reading[] Readings { get; } = readings;

    public bool MayEnd { get; } = mayEnd;

    public int Room { get; } = room;

    /// <summary>Whether nothing can follow.</summary>
    public bool MustEnd => MayEnd && Readings.Length == 0;

    /// <summary>The tokens that may come next, a bit each; null before it was asked for.</summary>
    public ulong[]? Mask { get; set; }

    /// <summary>What a byte leads to (null for nothing), where that is known.</summary>
    public bool TryNext(byte value, out MatcherState? next)
    {
        next = null;
        if (((value < 128 ? _knownLow : _knownHigh) & UInt128.One << (value & 127)) == 0) return false;
        if (_targets.Length == 256)
        {
            next = _targets[value];
            return true;
        }

        int at = _bytes.AsSpan(0, _count).IndexOf(value);
        if (at >= 0) next = _targets[at];
        return true;
    }

    /// <summary>Notes what a byte leads to.</summary>
    public void SetNext(byte value, MatcherState? next)
    {
        if (value < 128) _knownLow |= UInt128.One << value;
        else _knownHigh |= UInt128.One << (value & 127);
        if (next is null) return;
        if (_targets.Length == 256)
        {
            _targets[value] = next;
            return;
        }

        if (_count == MostScanned)
        {
            var all = new MatcherState?[256];
            for (int i = 0; i < _count; i++) all[_bytes[i]] = _targets[i];
            all[value] = next;
            (_targets, _bytes) = (all, []);
            return;
        }

        if (_count == _targets.Length)
        {
            int length = _count == 0 ? 1 : Math.Min(MostScanned, 2 * _count);
            Array.Resize(ref _bytes, length);
            Array.Resize(ref _targets, length);
        }

        (_bytes[_count], _targets[_count]) = (value, next);
        _count++;
    }
}

/// <summary>A call under way: where it returns to, and inside which other one. Equal calls are the same object.</summary>
internal sealed class CallFrame(int number, int back, CallFrame? parent, int depth)
{
    public int Number { get; } = number;
    public int Back { get; } = back;
    public CallFrame? Parent { get; } = parent;

    /// <summary>How deep the values lie.</summary>
    public int Depth { get; } = depth;
}

/// <summary>Says which tokens may come next in a grammar. What was computed is kept, within bounds, for all answers with the same grammar; which tokens
/// it allows does not depend on what it has kept. Used by one thread at a time.</summary>
internal sealed class GrammarMatcher(Automaton automaton, TokenTrie trie)
{
    private const int MostStates = 8192, MostMasks = 1024, MostFrames = 65_536;

    private readonly Dictionary<(int Back, CallFrame? Parent, int Depth), CallFrame> _frames = [];
    private readonly Dictionary<string, MatcherState> _states = new(StringComparer.Ordinal);
    private readonly Stack<MatcherState.Reading> _open = [];
    private readonly HashSet<MatcherState.Reading> _seen = [];
    private readonly Stack<(MatcherState Before, int End)> _path = [];
    private readonly ulong[] _nothing = new ulong[trie.Words];
    private MatcherState? _start;
    private int _masks, _frameNumber;

    public GrammarLimits Limits => automaton.Limits;

    /// <summary>Steps taken since the last call of <see cref="After(MatcherState, int)"/> or <see cref="MaskOf"/>.</summary>
    public int Work { get; private set; }

    /// <summary>Before the first byte.</summary>
    public MatcherState Start => _start ??= Close([new(automaton.Entry(automaton.Root), null)]);

    /// <summary>The state behind a token that <see cref="MaskOf"/> allows.</summary>
    public MatcherState After(MatcherState state, int id)
    {
        Work = 0;
        foreach (byte value in trie.BytesOf(id))
            state = After(state, value) ?? throw new InvalidOperationException($"token {id} is not allowed here");
        return state;
    }

    /// <summary>The state behind a byte, or null where it is not allowed.</summary>
    public MatcherState? After(MatcherState state, byte value)
    {
        if (state.TryNext(value, out var next)) return next;
        var targets = new List<MatcherState.Reading>();
        Spend(state.Readings.Length);
        foreach (var reading in state.Readings)
        {
            foreach (var edge in automaton.Edges(reading.State))
                if (edge.Kind == EdgeKind.Byte && edge.Low <= value && value <= edge.High) targets.Add(new(edge.Target, reading.Frame));
        }

        if (targets.Count > 0)
        {
            next = Close(targets);
            if (next.Readings.Length == 0 && !next.MayEnd) next = null;
        }

        state.SetNext(value, next);
        return next;
    }

    /// <summary>The tokens that may come next, a bit each.</summary>
    /// <exception cref="RequestException">The grammar is too ambiguous here.</exception>
    public ReadOnlySpan<ulong> MaskOf(MatcherState state)
    {
        Work = 0;
        if (state.Mask is not null) return state.Mask;
        if (state.MustEnd) return state.Mask = _nothing;
        if (_states.Count > MostStates || _masks >= MostMasks || _frames.Count > MostFrames) Forget();
        ulong[] mask;
        if (IsInOpenString(state))
        {
            mask = [.. trie.Strings.Inside];
            Walk(trie.Strings.Closing.Nodes, trie.Strings.Closing.Ids, state, mask, 0);
            Walk(trie.Strings.Longer.Nodes, trie.Strings.Longer.Ids, state, mask, 0);
        }
        else
        {
            // Plain contents of a string are allowed as far as there is room; whole branches of such tokens need no walk.
            int content = Math.Min(state.Room, TokenTrie.MostContent);
            mask = [.. trie.Content(content)];
            Walk(trie.Nodes, trie.Ids, state, mask, content);
        }

        _masks++;
        return state.Mask = mask;
    }

    private void Walk(ByteTree.Node[] nodes, int[] ids, MatcherState from, ulong[] mask, int content)
    {
        _path.Clear();
        var before = from;
        for (int at = 0; at < nodes.Length;)
        {
            while (_path.TryPeek(out var last) && last.End <= at) before = _path.Pop().Before;
            ref readonly var node = ref nodes[at];
            Spend(1);
            if (node.Content <= content || After(before, node.Value) is not { } next)
            {
                at = node.End;
                continue;
            }

            for (int i = node.IdsStart; i < node.IdsEnd; i++) mask[ids[i] >> 6] |= 1UL << ids[i];
            at++;
            if (node.End == at) continue;
            _path.Push((before, node.End));
            before = next;
        }
    }

    // Whether nothing but one string's contents is being read, between two characters, and its end is not near: then tokens are allowed as in any string.
    private bool IsInOpenString(MatcherState state)
    {
        if (state.Readings is not [var first, var second]) return false;
        return IsOpen(first, second) || IsOpen(second, first);

        bool IsOpen(MatcherState.Reading text, MatcherState.Reading character) =>
            automaton.OpenString(text.State) is var (rule, behind) && character.State == automaton.Entry(rule) &&
            character.Frame is { } frame && frame.Back == behind && frame.Parent == text.Frame;
    }

    // Answers under way keep the states that they stand in; they only are not found any more.
    private void Forget()
    {
        _states.Clear();
        _frames.Clear();
        _start = null;
        _masks = 0;
    }

    // Follows empty edges, calls and returns; keeps what reads a byte.
    private MatcherState Close(List<MatcherState.Reading> from)
    {
        _seen.Clear();
        _open.Clear();
        bool mayEnd = false;
        int room = 0;
        foreach (var reading in from) Reach(reading);
        var kept = new List<MatcherState.Reading>();
        while (_open.TryPop(out var reading))
        {
            Spend(1);
            var (state, frame) = reading;
            room = Math.Max(room, automaton.Room(state));
            if (automaton.IsExit(state))
            {
                if (frame is null) mayEnd = true;
                else Reach(new(frame.Back, frame.Parent));
            }

            bool reads = false;
            foreach (var edge in automaton.Edges(state))
            {
                if (edge.Kind == EdgeKind.Byte) reads = true;
                else if (edge.Kind == EdgeKind.Empty) Reach(new(edge.Target, frame));
                else if (Fits(edge.Target, frame?.Depth ?? 0)) Reach(new(automaton.Entry(edge.Rule), FrameOf(edge.Target, frame, (frame?.Depth ?? 0) + edge.Low)));
            }

            if (reads) kept.Add(reading);
        }

        kept.Sort((a, b) => a.State != b.State ? a.State.CompareTo(b.State) : (a.Frame?.Number ?? -1).CompareTo(b.Frame?.Number ?? -1));
        string key = KeyOf(kept, mayEnd);
        if (_states.TryGetValue(key, out var known)) return known;
        Spend(16); // for its memory
        _states.Add(key, known = new MatcherState([.. kept], mayEnd, room));
        return known;
    }

    private void Reach(MatcherState.Reading reading)
    {
        if (!Fits(reading.State, reading.Frame?.Depth ?? 0) || !_seen.Add(reading)) return;
        if (_seen.Count > 8 * automaton.Limits.Alternatives) throw TooAmbiguous();
        _open.Push(reading);
    }

    private bool Fits(int state, int depth) => automaton.Need(state) <= automaton.Limits.ValueDepth - depth;

    private CallFrame FrameOf(int back, CallFrame? parent, int depth)
    {
        if (!_frames.TryGetValue((back, parent, depth), out var frame)) _frames.Add((back, parent, depth), frame = new CallFrame(_frameNumber++, back, parent, depth));
        return frame;
    }

    private static string KeyOf(List<MatcherState.Reading> readings, bool mayEnd) => string.Create(4 * readings.Count + 1, (readings, mayEnd), static (text, found) =>
    {
        text[0] = found.mayEnd ? '1' : '0';
        for (int i = 0; i < found.readings.Count; i++)
        {
            var (state, frame) = found.readings[i];
            int number = frame?.Number ?? -1;
            (text[4 * i + 1], text[4 * i + 2], text[4 * i + 3], text[4 * i + 4]) = ((char)(state & 0xFFFF), (char)(state >> 16), (char)(number & 0xFFFF), (char)(number >> 16 & 0xFFFF));
        }
    });

    private void Spend(int steps)
    {
        if ((Work += steps) > automaton.Limits.MaskWork) throw TooAmbiguous();
    }

    /// <summary>The end of an answer that would take too long.</summary>
    public static RequestException TooAmbiguous() => new("grammar",
        "the form of the answer can be read in too many ways at this place; expected a schema whose alternatives differ early. Make its anyOf branches fewer or easier to tell apart.");
}
