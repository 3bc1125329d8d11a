using System.Runtime.InteropServices;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>What an edge of the automaton does.</summary>
internal enum EdgeKind : byte
{
    /// <summary>Reads one byte from <see cref="Edge.Low"/> to <see cref="Edge.High"/>.</summary>
    Byte,

    /// <summary>Reads nothing.</summary>
    Empty,

    /// <summary>Goes through another rule, then on to the target; <see cref="Edge.Low"/> is how much deeper the value lies.</summary>
    Call,
}

/// <summary>An edge between two states.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Edge(EdgeKind Kind, byte Low, byte High, int Rule, int Target);

/// <summary>A pushdown automaton over bytes: rules that call each other, each a nondeterministic finite automaton with one entry and one exit.</summary>
internal sealed class Automaton(GrammarLimits limits)
{
    private const int Unreachable = int.MaxValue, MostEdges = 4; // for each state, on average

    private readonly List<List<Edge>?> _edges = [];
    private readonly List<(int Entry, int Exit)> _rules = [];
    private readonly HashSet<int> _exits = [];
    private readonly Dictionary<int, int> _roomOf = [];
    private readonly Dictionary<int, (int Characters, int Behind)> _openStrings = [];
    private int[] _need = [], _room = [];
    private int _work, _edgeCount;

    public GrammarLimits Limits => limits;

    /// <summary>The rule that an answer must match as a whole.</summary>
    public int Root { get; set; }

    public int States => _edges.Count;

    public int Rules => _rules.Count;

    /// <summary>Steps of compiling so far.</summary>
    public int Work => _work;

    public int AddState(string pointer)
    {
        if (_edges.Count == limits.States) throw new SchemaException(pointer, $"the schema needs more than {limits.States} states; make it smaller.");
        _edges.Add(null);
        return _edges.Count - 1;
    }

    public int AddRule(string pointer)
    {
        int entry = AddState(pointer), exit = AddState(pointer);
        _rules.Add((entry, exit));
        _exits.Add(exit);
        return _rules.Count - 1;
    }

    /// <summary>Counts steps of compiling: before they are taken, and whatever takes longer the larger the schema.</summary>
    /// <exception cref="SchemaException">They are too many.</exception>
    public void Spend(int steps, string pointer)
    {
        _work = (int)Math.Min((long)_work + steps, int.MaxValue);
        if (_work > limits.Work) throw new SchemaException(pointer, $"with its references and combinations the schema takes more than {limits.Work} steps to compile; make it smaller.");
    }

    public int Entry(int rule) => _rules[rule].Entry;

    public int Exit(int rule) => _rules[rule].Exit;

    public bool IsExit(int state) => _exits.Contains(state);

    public IReadOnlyList<Edge> Edges(int state) => _edges[state] ?? (IReadOnlyList<Edge>)[];

    public void Read(int from, int to, byte low, byte high) => Add(from, new Edge(EdgeKind.Byte, low, high, 0, to));

    public void Skip(int from, int to) => Add(from, new Edge(EdgeKind.Empty, 0, 0, 0, to));

    public void Call(int from, int rule, int to, bool deeper) => Add(from, new Edge(EdgeKind.Call, deeper ? (byte)1 : (byte)0, 0, rule, to));

    /// <summary>Reads certain bytes one after the other.</summary>
    public void ReadAll(int from, int to, ReadOnlySpan<byte> bytes, string pointer)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            int next = i + 1 == bytes.Length ? to : AddState(pointer);
            Read(from, next, bytes[i], bytes[i]);
            from = next;
        }

        if (bytes.IsEmpty) Skip(from, to);
    }

    /// <summary>The state behind a mark and a space or none.</summary>
    public int Separated(int from, char mark, string pointer)
    {
        int marked = AddState(pointer), behind = AddState(pointer);
        Read(from, marked, (byte)mark, (byte)mark);
        Skip(marked, behind);
        Read(marked, behind, (byte)' ', (byte)' ');
        return behind;
    }

    /// <summary>Notes that any contents of a string, of so many characters, may follow a state.</summary>
    public void SetRoom(int state, int characters) => _roomOf[state] = characters;

    /// <summary>Notes that at a state, and behind any few characters that follow, a string may both go on and end.</summary>
    /// <param name="state">The state.</param>
    /// <param name="characters">The rule that reads any character.</param>
    /// <param name="behind">The state behind one.</param>
    public void SetOpenString(int state, int characters, int behind) => _openStrings.Add(state, (characters, behind));

    /// <summary>The rule and the state of <see cref="SetOpenString"/>; null at other states.</summary>
    public (int Characters, int Behind)? OpenString(int state) => _openStrings.TryGetValue(state, out var known) ? known : null;

    /// <summary>How many characters a string's contents may go on with at a state, whatever they are.</summary>
    public int Room(int state) => _room[state];

    /// <summary>How many levels of values an answer still has to open, at the least, from a state to the exit of its rule; a large number when
    /// the exit cannot be reached. A state is entered only where that many are left, so that no answer runs into a dead end.</summary>
    public int Need(int state) => _need[state];

    /// <summary>Settles what every state needs.</summary>
    /// <exception cref="SchemaException">No answer is possible.</exception>
    public void Complete()
    {
        _need = Needs();
        _room = new int[_edges.Count];
        foreach (var (state, characters) in _roomOf) _room[state] = characters;
        if (_need[Entry(Root)] > limits.ValueDepth)
            throw new SchemaException("", $"no value of at most {limits.ValueDepth} levels can be valid (a contradiction, or a recursion without an end).");
    }

    /// <summary>Refuses rules that call themselves before they have read a byte: they would be entered for ever.</summary>
    /// <param name="first">The first rule to look at; those before do not call later ones.</param>
    /// <exception cref="SchemaException">There is one.</exception>
    public void RefuseLeftRecursion(int first)
    {
        int[][] calls = [.. Enumerable.Range(first, _rules.Count - first).Select(FirstCalls)];
        var waitingFor = new int[calls.Length];
        foreach (int[] called in calls)
            foreach (int rule in called)
                if (rule >= first) waitingFor[rule - first]++;
        var free = new Stack<int>(Enumerable.Range(0, calls.Length).Where(rule => waitingFor[rule] == 0));
        int done = 0;
        while (free.TryPop(out int rule))
        {
            done++;
            foreach (int called in calls[rule])
                if (called >= first && --waitingFor[called - first] == 0) free.Push(called - first);
        }

        if (done < calls.Length) throw new SchemaException("", "a $ref leads back to itself without a property or an item between; expected a recursion through values.");
    }

    private void Add(int from, Edge edge)
    {
        if (_edgeCount++ == MostEdges * limits.States) throw new SchemaException("", $"the schema needs more than {MostEdges * limits.States} edges between its states; make it smaller.");
        (_edges[from] ??= []).Add(edge);
    }

    // Shortest ways in the sense of the deepest call on them, from the exits backwards; level by level.
    private int[] Needs()
    {
        var need = new int[_edges.Count];
        Array.Fill(need, Unreachable);
        var before = new List<(int Source, Edge Edge)>?[_edges.Count];
        for (int state = 0; state < _edges.Count; state++)
        {
            foreach (var edge in Edges(state))
            {
                (before[edge.Target] ??= []).Add((state, edge));
                if (edge.Kind == EdgeKind.Call) (before[Entry(edge.Rule)] ??= []).Add((state, edge));
            }
        }

        var levels = new Stack<int>[limits.ValueDepth + 1];
        for (int level = 0; level < levels.Length; level++) levels[level] = [];
        foreach (var (_, exit) in _rules) levels[0].Push(exit);
        for (int level = 0; level < levels.Length; level++)
        {
            while (levels[level].TryPop(out int state))
            {
                if (need[state] != Unreachable) continue;
                need[state] = level;
                foreach (var (source, edge) in before[state] ?? [])
                {
                    if (need[source] != Unreachable) continue;
                    int candidate = level;
                    if (edge.Kind == EdgeKind.Call)
                    {
                        int inside = need[Entry(edge.Rule)], behind = need[edge.Target];
                        if (inside == Unreachable || behind == Unreachable) continue;
                        candidate = Math.Max(inside + edge.Low, behind);
                    }

                    if (candidate < levels.Length) levels[candidate].Push(source);
                }
            }
        }

        return need;
    }

    private int[] FirstCalls(int rule)
    {
        var seen = new HashSet<int> { Entry(rule) };
        var open = new Stack<int>(seen);
        var called = new HashSet<int>();
        while (open.TryPop(out int state))
        {
            foreach (var edge in Edges(state))
            {
                if (edge.Kind == EdgeKind.Call) called.Add(edge.Rule);
                else if (edge.Kind == EdgeKind.Empty && seen.Add(edge.Target)) open.Push(edge.Target);
            }
        }

        return [.. called.Order()];
    }
}
