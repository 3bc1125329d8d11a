using System.Runtime.InteropServices;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Where an answer can be in an automaton: all readings of its bytes so far at once.</summary>
/// <param name="readings">The readings that read a byte.</param>
/// <param name="mayEnd">Whether the bytes so far are a whole answer.</param>
/// <param name="room">How many characters any string's contents may go on with here, whatever they are.</param>
/// <param name="identity">A number that only the same readings have, whoever made them.</param>
/// <param name="generation">How often the matcher had forgotten its states before this one.</param>
internal sealed class MatcherState(MatcherState.Reading[] readings, bool mayEnd, int room, ulong identity, int generation)
{
    private const int MostScanned = 8;

    // What bytes lead to, as far as it was asked for: pairs while they are few, then a place for each byte.
    private byte[] _bytes = [];
    private Step[] _steps = [];
    private int _count;
    private Bytes _known, _taken;
    private int _walk;

    /// <summary>A state that reads a byte, and the calls that it lies in.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Reading(int State, CallFrame? Frame);

    /// <summary>What a byte leads to (null for nothing), and how much work it is to find that out.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Step(MatcherState? Target, int Cost);

    public Reading[] Readings { get; } = readings;

    public bool MayEnd { get; } = mayEnd;

    public int Room { get; } = room;

    public ulong Identity { get; } = identity;

    public int Generation { get; } = generation;

    /// <summary>Whether nothing can follow.</summary>
    public bool MustEnd => MayEnd && Readings.Length == 0;

    /// <summary>What a byte that leads nowhere costs.</summary>
    public int Cost { get; init; }

    /// <summary>The tokens that may come next, a bit each; null before it was asked for.</summary>
    public ulong[]? Mask { get; set; }

    /// <summary>How much work the mask is.</summary>
    public int MaskCost { get; set; }

    /// <summary>What a byte leads to, where that is known.</summary>
    public bool TryNext(byte value, out Step next)
    {
        next = new Step(null, Cost);
        if (!_known.Has(value)) return false;
        if (_steps.Length == 256)
        {
            if (_steps[value].Target is not null) next = _steps[value];
            return true;
        }

        int at = _bytes.AsSpan(0, _count).IndexOf(value);
        if (at >= 0) next = _steps[at];
        return true;
    }

    /// <summary>Notes what a byte leads to.</summary>
    public void SetNext(byte value, Step next)
    {
        _known.Add(value);
        if (next.Target is null) return;
        if (_steps.Length == 256)
        {
            _steps[value] = next;
            return;
        }

        if (_count == MostScanned)
        {
            var all = new Step[256];
            for (int i = 0; i < _count; i++) all[_bytes[i]] = _steps[i];
            all[value] = next;
            (_steps, _bytes) = (all, []);
            return;
        }

        if (_count == _steps.Length)
        {
            int length = _count == 0 ? 1 : Math.Min(MostScanned, 2 * _count);
            Array.Resize(ref _bytes, length);
            Array.Resize(ref _steps, length);
        }

        (_bytes[_count], _steps[_count]) = (value, next);
        _count++;
    }

    /// <summary>Whether a walk over the vocabulary takes a byte from here for the first time.</summary>
    public bool IsFirst(byte value, int walk)
    {
        if (_walk != walk) (_walk, _taken) = (walk, default);
        return _taken.Add(value);
    }

    // A set of bytes.
    private struct Bytes
    {
        private UInt128 _low, _high;

        public readonly bool Has(byte value) => ((value < 128 ? _low : _high) & UInt128.One << (value & 127)) != 0;

        public bool Add(byte value)
        {
            if (Has(value)) return false;
            if (value < 128) _low |= UInt128.One << value;
            else _high |= UInt128.One << (value & 127);
            return true;
        }
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

    /// <summary>A number that only equal calls have, whoever made them.</summary>
    public ulong Identity { get; } = Mixed(Mixed(parent?.Identity ?? 0, (uint)back), (uint)depth);

    /// <summary>One number of two, spread over all bits (the steps of SplitMix64).</summary>
    public static ulong Mixed(ulong first, ulong second)
    {
        ulong mixed = (first ^ second) + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
        return mixed ^ mixed >> 31;
    }
}

/// <summary>Says which tokens may come next in a grammar. What was computed is kept, within bounds, for all answers with the same grammar; neither which
/// tokens it allows nor what it counts as work depends on what it has kept. Used by one thread at a time.</summary>
/// <param name="automaton">The grammar.</param>
/// <param name="trie">The vocabulary.</param>
/// <param name="name">The field of the request that asked for it.</param>
internal sealed class GrammarMatcher(Automaton automaton, TokenTrie trie, string name = "grammar")
{
    private const int MostStates = 8192, MostReadings = 1 << 18, MostFrames = 1 << 16, MostMaskBytes = 1 << 23;

    private readonly Dictionary<(int Back, CallFrame? Parent, int Depth), CallFrame> _frames = [];
    private readonly Dictionary<string, MatcherState> _states = new(StringComparer.Ordinal);
    private readonly Stack<MatcherState.Reading> _open = [];
    private readonly HashSet<MatcherState.Reading> _seen = [];
    private readonly Stack<(MatcherState Before, int End)> _path = [];
    private readonly ulong[] _nothing = new ulong[trie.Words];
    private MatcherState? _start;
    private int _masks, _readings, _frameNumber, _generation, _walk;

    public GrammarLimits Limits => automaton.Limits;

    /// <summary>The field of the request that asked for the grammar.</summary>
    public string Field => name;

    /// <summary>Before the first byte.</summary>
    /// <exception cref="RequestException">The grammar is too ambiguous here.</exception>
    public MatcherState Start => _start ??= Close([new(automaton.Entry(automaton.Root), null)], 0).Target!;

    /// <summary>The state behind a token that <see cref="MaskOf"/> allows.</summary>
    /// <param name="state">The state before it.</param>
    /// <param name="id">The token.</param>
    /// <param name="work">Steps that this is, whether they had to be taken or not.</param>
    /// <exception cref="RequestException">The grammar is too ambiguous here.</exception>
    public MatcherState After(MatcherState state, int id, out int work)
    {
        work = 0;
        foreach (byte value in trie.BytesOf(id))
        {
            var (next, cost) = After(state, value);
            work += cost;
            state = next ?? throw new InvalidOperationException($"token {id} is not allowed here");
        }

        return state;
    }

    /// <summary>What a byte leads to.</summary>
    /// <exception cref="RequestException">The grammar is too ambiguous here.</exception>
    public MatcherState.Step After(MatcherState state, byte value)
    {
        if (state.TryNext(value, out var step)) return step;
        var targets = new List<MatcherState.Reading>();
        foreach (var reading in state.Readings)
        {
            foreach (var edge in automaton.Edges(reading.State))
                if (edge.Kind == EdgeKind.Byte && edge.Low <= value && value <= edge.High) targets.Add(new(edge.Target, reading.Frame));
        }

        if (targets.Count > 0 && Close(targets, state.Cost) is { Target: { } target } found && (target.Readings.Length > 0 || target.MayEnd)) step = found;
        state.SetNext(value, step);
        return step;
    }

    /// <summary>The same state among those that are kept now; when they have become many, they are forgotten first.</summary>
    public MatcherState Current(MatcherState state)
    {
        if (_states.Count > MostStates || _readings > MostReadings || _frames.Count > MostFrames || (long)_masks * sizeof(ulong) * trie.Words > MostMaskBytes) Forget();
        if (state.Generation == _generation) return state;
        var known = new Dictionary<CallFrame, CallFrame>();
        return Keep([.. state.Readings.Select(reading => reading with { Frame = Again(reading.Frame) })], state.MayEnd, state.Room);

        CallFrame? Again(CallFrame? frame)
        {
            if (frame is null) return null;
            if (!known.TryGetValue(frame, out var again)) known.Add(frame, again = FrameOf(frame.Back, Again(frame.Parent), frame.Depth));
            return again;
        }
    }

    /// <summary>The tokens that may come next, a bit each.</summary>
    /// <param name="state">A state that is <see cref="Current"/>.</param>
    /// <exception cref="RequestException">The grammar is too ambiguous here.</exception>
    public ReadOnlySpan<ulong> MaskOf(MatcherState state)
    {
        if (state.Mask is not null) return state.Mask;
        if (state.MustEnd) return state.Mask = _nothing;
        ulong[] mask;
        int work = 0;
        _walk++;
        if (IsInOpenString(state))
        {
            mask = [.. trie.Strings.Inside];
            Walk(trie.Strings.Closing, state, mask, 0, ref work);
            Walk(trie.Strings.Longer, state, mask, 0, ref work);
        }
        else
        {
            // Plain contents of a string are allowed as far as there is room; whole branches of such tokens need no walk.
            int content = Math.Min(state.Room, TokenTrie.MostContent);
            mask = [.. trie.Content(content)];
            Walk(trie.Tree, state, mask, content, ref work);
        }

        _masks++;
        state.MaskCost = work;
        return state.Mask = mask;
    }

    private void Walk(ByteTree tree, MatcherState from, ulong[] mask, int content, ref int work)
    {
        var (nodes, ids) = (tree.Nodes, tree.Ids);
        _path.Clear();
        var before = from;
        for (int at = 0; at < nodes.Length;)
        {
            while (_path.TryPeek(out var last) && last.End <= at) before = _path.Pop().Before;
            ref readonly var node = ref nodes[at];
            work++;
            if (node.Content <= content)
            {
                at = node.End;
                continue;
            }

            var (next, cost) = After(before, node.Value);
            // What is met again in the same walk is no work, whoever met it first.
            if (before.IsFirst(node.Value, _walk)) work += cost;
            if (work > automaton.Limits.MaskWork) throw TooAmbiguous();
            if (next is null)
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

    private void Forget()
    {
        _states.Clear();
        _frames.Clear();
        _start = null;
        (_masks, _readings) = (0, 0);
        _generation++;
    }

    // Follows empty edges, calls and returns; keeps what reads a byte.
    private MatcherState.Step Close(List<MatcherState.Reading> from, int cost)
    {
        _seen.Clear();
        _open.Clear();
        bool mayEnd = false;
        int room = 0;
        foreach (var reading in from) Reach(reading);
        var kept = new List<MatcherState.Reading>();
        while (_open.TryPop(out var reading))
        {
            var (state, frame) = reading;
            room = Math.Max(room, automaton.Room(state));
            if (automaton.IsExit(state))
            {
                if (frame is null) mayEnd = true;
                else Reach(new(frame.Back, frame.Parent));
            }

            bool reads = false;
            var edges = automaton.Edges(state);
            cost += 1 + edges.Count;
            if (cost > automaton.Limits.MaskWork) throw TooAmbiguous();
            foreach (var edge in edges)
            {
                if (edge.Kind == EdgeKind.Byte) reads = true;
                else if (edge.Kind == EdgeKind.Empty) Reach(new(edge.Target, frame));
                else if (Fits(edge.Target, frame?.Depth ?? 0)) Reach(new(automaton.Entry(edge.Rule), FrameOf(edge.Target, frame, (frame?.Depth ?? 0) + edge.Low)));
            }

            if (reads) kept.Add(reading);
        }

        if (kept.Count > automaton.Limits.Alternatives) throw TooAmbiguous();
        return new(Keep(kept, mayEnd, room), cost);
    }

    private MatcherState Keep(List<MatcherState.Reading> readings, bool mayEnd, int room)
    {
        readings.Sort((a, b) => a.State != b.State ? a.State.CompareTo(b.State) : (a.Frame?.Number ?? -1).CompareTo(b.Frame?.Number ?? -1));
        string key = KeyOf(readings, mayEnd);
        if (_states.TryGetValue(key, out var known)) return known;
        _readings += readings.Count;
        int cost = 1;
        ulong identity = mayEnd ? 1u : 0u; // a sum: the order of readings depends on who made them
        foreach (var (state, frame) in readings)
        {
            cost += 1 + automaton.Edges(state).Count;
            identity += CallFrame.Mixed(frame?.Identity ?? 0, (uint)state);
        }

        _states.Add(key, known = new MatcherState([.. readings], mayEnd, room, identity, _generation) { Cost = cost });
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

    /// <summary>The end of an answer that would take too long.</summary>
    public RequestException TooAmbiguous() => new(name,
        "the form of the answer can be read in too many ways at this place; expected a schema whose alternatives differ early. Make its anyOf branches fewer or easier to tell apart.");
}
