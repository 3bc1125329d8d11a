namespace OpenEuroLLM.Inference.Grammars;

/// <summary>A deterministic finite automaton over characters (code points without surrogates); state 0 is the first.</summary>
internal sealed class CharacterAutomaton
{
    private readonly List<(bool Accepts, List<(int Low, int High, int Target)> Edges)> _states = [];

    public const int Last = 0x10FFFF;

    public int Count => _states.Count;

    public int Add(bool accepts)
    {
        _states.Add((accepts, []));
        return _states.Count - 1;
    }

    /// <summary>Adds an edge; those of a state come in ascending order and do not overlap.</summary>
    public void Connect(int from, int low, int high, int to) => _states[from].Edges.Add((low, high, to));

    public bool Accepts(int state) => _states[state].Accepts;

    public IReadOnlyList<(int Low, int High, int Target)> Edges(int state) => _states[state].Edges;

    /// <summary>From which states an accepting one can be reached.</summary>
    public bool[] Live()
    {
        var before = new List<int>[Count];
        for (int i = 0; i < before.Length; i++) before[i] = [];
        for (int i = 0; i < before.Length; i++)
            foreach (var (_, _, target) in Edges(i)) before[target].Add(i);
        var live = new bool[Count];
        var open = new Stack<int>(Enumerable.Range(0, Count).Where(Accepts));
        while (open.TryPop(out int state))
        {
            if (live[state]) continue;
            live[state] = true;
            foreach (int source in before[state]) open.Push(source);
        }

        return live;
    }

    /// <summary>Texts of so many characters.</summary>
    public static CharacterAutomaton OfLength(int least, int? most, int limit, string pointer)
    {
        if (Math.Max(least, most ?? 0) > limit)
            throw new SchemaException(pointer, $"minLength and maxLength are supported up to {limit} characters.");
        var automaton = new CharacterAutomaton();
        int last = most ?? least;
        for (int length = 0; length <= last; length++)
        {
            automaton.Add(length >= least);
            if (length < last) automaton.Connect(length, 0, Last, length + 1);
        }

        if (most is null) automaton.Connect(last, 0, Last, last);
        return automaton;
    }

    /// <summary>All texts but some.</summary>
    public static CharacterAutomaton AllBut(IEnumerable<string> names)
    {
        var children = new List<SortedDictionary<int, int>> { new() };
        var named = new HashSet<int>();
        foreach (string name in names)
        {
            int state = 0;
            foreach (var rune in name.EnumerateRunes())
            {
                if (!children[state].TryGetValue(rune.Value, out int next))
                {
                    next = children.Count;
                    children[state].Add(rune.Value, next);
                    children.Add([]);
                }

                state = next;
            }

            named.Add(state);
        }

        var automaton = new CharacterAutomaton();
        for (int state = 0; state < children.Count; state++) automaton.Add(!named.Contains(state));
        int other = automaton.Add(true);
        automaton.Connect(other, 0, Last, other);
        for (int state = 0; state < children.Count; state++)
        {
            int next = 0;
            foreach (var (character, child) in children[state])
            {
                if (character > next) automaton.Connect(state, next, character - 1, other);
                automaton.Connect(state, character, character, child);
                next = character + 1;
            }

            if (next <= Last) automaton.Connect(state, next, Last, other);
        }

        return automaton;
    }

    /// <summary>What two automata both accept.</summary>
    /// <param name="other">The other one.</param>
    /// <param name="limit">Most states of the outcome.</param>
    /// <param name="spend">Counts steps.</param>
    /// <param name="pointer">Where it is asked for.</param>
    /// <exception cref="SchemaException">It would have more states, or take too many steps.</exception>
    public CharacterAutomaton And(CharacterAutomaton other, int limit, Action<int> spend, string pointer)
    {
        var result = new CharacterAutomaton();
        var numbers = new Dictionary<(int, int), int>();
        var open = new Queue<(int First, int Second)>();
        Number((0, 0));
        while (open.TryDequeue(out var pair))
        {
            int from = numbers[pair];
            var (some, others) = (Edges(pair.First), other.Edges(pair.Second)); // each ascending
            spend(4 + 4 * (some.Count + others.Count));
            for (int i = 0, j = 0; i < some.Count && j < others.Count;)
            {
                int low = Math.Max(some[i].Low, others[j].Low), high = Math.Min(some[i].High, others[j].High);
                if (low <= high) result.Connect(from, low, high, Number((some[i].Target, others[j].Target)));
                if (some[i].High < others[j].High) i++;
                else j++;
            }
        }

        return result;

        int Number((int First, int Second) pair)
        {
            if (numbers.TryGetValue(pair, out int number)) return number;
            if (numbers.Count == limit) throw new SchemaException(pointer, $"pattern, format and lengths together need more than {limit} states; make them simpler.");
            number = result.Add(Accepts(pair.First) && other.Accepts(pair.Second));
            numbers.Add(pair, number);
            open.Enqueue(pair);
            return number;
        }
    }
}
