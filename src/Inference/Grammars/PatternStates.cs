namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The nondeterministic automaton of a pattern, and how it becomes deterministic; both forms are bounded.</summary>
/// <param name="limit">Most states of the deterministic form.</param>
/// <param name="spend">Counts steps.</param>
/// <param name="pointer">Where the pattern stands.</param>
internal sealed class PatternStates(int limit, Action<int> spend, string pointer)
{
    private readonly List<(List<int> Empty, List<(CharacterSet Set, int Target)> Edges)> _states = [];

    public int Add()
    {
        if (_states.Count == 8 * limit) throw TooLarge();
        _states.Add(([], []));
        return _states.Count - 1;
    }

    public void Skip(int from, int to) => _states[from].Empty.Add(to);

    public void Connect(int from, int to, CharacterSet set) => _states[from].Edges.Add((set, to));

    /// <summary>The subset construction.</summary>
    public CharacterAutomaton Determine(int start, int end)
    {
        var result = new CharacterAutomaton();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var open = new Queue<(int Number, int[] States)>();
        NumberOf([start]);
        while (open.TryDequeue(out var subset)) Connect(result, subset.Number, subset.States, NumberOf);
        return result;

        int NumberOf(IEnumerable<int> states)
        {
            int[] closed = Close(states);
            string key = string.Join(',', closed);
            if (numbers.TryGetValue(key, out int number)) return number;
            if (numbers.Count == limit) throw TooLarge();
            number = result.Add(Array.BinarySearch(closed, end) >= 0);
            numbers.Add(key, number);
            open.Enqueue((number, closed));
            return number;
        }
    }

    // The characters fall into stretches in which all edges say the same.
    private void Connect(CharacterAutomaton result, int from, int[] states, Func<IEnumerable<int>, int> numberOf)
    {
        var edges = new List<(int Low, int High, int Target)>();
        foreach (int state in states)
        {
            foreach (var (set, target) in _states[state].Edges)
            {
                spend(4 + 4 * set.Ranges.Count);
                foreach (var (low, high) in set.Ranges) edges.Add((low, high, target));
            }
        }

        int[] cuts = [.. edges.SelectMany(edge => new[] { edge.Low, edge.High + 1 }).Distinct().Order()];
        var targets = new List<int>?[cuts.Length];
        foreach (var (low, high, target) in edges)
        {
            int first = Array.BinarySearch(cuts, low), last = Array.BinarySearch(cuts, high + 1);
            spend(last - first);
            for (int i = first; i < last; i++) (targets[i] ??= []).Add(target);
        }

        (int Low, int High, int Target)? stretch = null;
        for (int i = 0; i < cuts.Length; i++)
        {
            if (targets[i] is not { } reached) continue;
            int target = numberOf(reached);
            spend(4);
            if (stretch is { } known && known.Target == target && known.High + 1 == cuts[i])
            {
                stretch = known with { High = cuts[i + 1] - 1 };
                continue;
            }

            Add();
            stretch = (cuts[i], cuts[i + 1] - 1, target);
        }

        Add();

        void Add()
        {
            if (stretch is var (low, high, target)) result.Connect(from, low, high, target);
        }
    }

    private int[] Close(IEnumerable<int> states)
    {
        var seen = new HashSet<int>(states);
        var open = new Stack<int>(seen);
        while (open.TryPop(out int state))
        {
            spend(6 + 2 * _states[state].Empty.Count);
            foreach (int next in _states[state].Empty)
                if (seen.Add(next)) open.Push(next);
        }

        return [.. seen.Order()];
    }

    private SchemaException TooLarge() => new(pointer, $"the pattern needs more than {limit} states; make it simpler.");
}
