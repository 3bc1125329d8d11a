using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Where an answer can be in an automaton: all readings of its bytes so far at once.</summary>
internal sealed class MatcherState(MatcherState.Reading[] readings, bool mayEnd)
{
    /// <summary>A state that reads a byte, and the calls that it lies in.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Reading(int State, CallFrame? Frame);

    public Reading[] Readings { get; } = readings;

    /// <summary>Whether the bytes so far are a whole value.</summary>
    public bool MayEnd { get; } = mayEnd;

    /// <summary>Whether nothing can follow.</summary>
    public bool MustEnd => MayEnd && Readings.Length == 0;

    /// <summary>What each byte leads to, as far as it was asked for; the bit says that it was.</summary>
    public MatcherState?[]? Next { get; set; }

    public UInt128 KnownLow { get; set; }

    public UInt128 KnownHigh { get; set; }

    /// <summary>The tokens that may come next, a bit each; null before it was asked for.</summary>
    public ulong[]? Mask { get; set; }
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

/// <summary>Says which tokens may come next in a grammar. What was computed is kept, within bounds, for all answers with the same grammar; nothing
/// that it says depends on what it has kept. Used by one thread at a time.</summary>
internal sealed class GrammarMatcher(Automaton automaton, TokenTrie trie)
{
    private const int MostStates = 8192, MostMasks = 512, MostFrames = 65_536;

    private readonly Dictionary<(int Back, CallFrame? Parent, int Depth), CallFrame> _frames = [];
    private readonly Dictionary<string, MatcherState> _states = new(StringComparer.Ordinal);
    private readonly Stack<MatcherState.Reading> _open = [];
    private readonly HashSet<MatcherState.Reading> _seen = [];
    private readonly List<MatcherState> _path = [];
    private MatcherState? _start;
    private int _masks, _frameNumber;
    private long _work;

    /// <summary>Before the first byte.</summary>
    public MatcherState Start => _start ??= Close([new(automaton.Entry(automaton.Root), null)]);

    /// <summary>The state behind a token that <see cref="MaskOf"/> allows.</summary>
    public MatcherState After(MatcherState state, int id)
    {
        _work = 0;
        foreach (byte value in trie.BytesOf(id))
            state = After(state, value) ?? throw new InvalidOperationException($"token {id} is not allowed here");
        return state;
    }

    /// <summary>The state behind a byte, or null where it is not allowed.</summary>
    public MatcherState? After(MatcherState state, byte value)
    {
        var bit = UInt128.One << (value & 127);
        if (((value < 128 ? state.KnownLow : state.KnownHigh) & bit) != 0) return state.Next?[value];
        MatcherState? next = null;
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

        if (next is not null) (state.Next ??= new MatcherState?[256])[value] = next;
        if (value < 128) state.KnownLow |= bit;
        else state.KnownHigh |= bit;
        return next;
    }

    /// <summary>The tokens that may come next, a bit each.</summary>
    /// <exception cref="UserErrorException">The grammar is too ambiguous here.</exception>
    public ReadOnlySpan<ulong> MaskOf(MatcherState state)
    {
        if (state.Mask is not null) return state.Mask;
        if (_states.Count > MostStates || _masks >= MostMasks || _frames.Count > MostFrames) Forget();
        _work = 0;
        var mask = new ulong[(trie.VocabularySize + 63) / 64];
        var nodes = trie.Nodes;
        _path.Clear();
        _path.Add(state);
        var ends = new Stack<int>();
        for (int at = 0; at < nodes.Length;)
        {
            while (ends.TryPeek(out int end) && end <= at)
            {
                ends.Pop();
                _path.RemoveAt(_path.Count - 1);
            }

            ref readonly var node = ref nodes[at];
            if (After(_path[^1], node.Value) is not { } next)
            {
                at = node.End;
                continue;
            }

            for (int i = node.IdsStart; i < node.IdsEnd; i++) mask[trie.Ids[i] >> 6] |= 1UL << trie.Ids[i];
            at++;
            if (node.End == at) continue;
            _path.Add(next);
            ends.Push(node.End);
        }

        _masks++;
        return state.Mask = mask;
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
        bool mayEnd = false;
        foreach (var reading in from) Reach(reading);
        var kept = new List<MatcherState.Reading>();
        while (_open.TryPop(out var reading))
        {
            Spend(1);
            var (state, frame) = reading;
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
        if (!_states.TryGetValue(key, out var known)) _states.Add(key, known = new MatcherState([.. kept], mayEnd));
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
        if ((_work += steps) > automaton.Limits.MaskWork) throw TooAmbiguous();
    }

    private static UserErrorException TooAmbiguous() => new(
        "the answer's grammar can be read in too many ways at this place; expected a schema whose alternatives differ early. Make its anyOf branches fewer or easier to tell apart.");
}
