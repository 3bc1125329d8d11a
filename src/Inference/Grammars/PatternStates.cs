namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The nondeterministic automaton of a pattern, and how it becomes deterministic; both forms are bounded.</summary>
internal sealed class PatternStates(int limit, string pointer)
{
    private readonly List<(List<int> Empty, List<(CharacterSet Set, int Target)> Edges)> _states = [];
    private long _work;

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
        while (open.TryDequeue(out var subset))
        {
            var edges = subset.States.SelectMany(state => _states[state].Edges).ToList();
            int[] cuts = [.. edges.SelectMany(edge => edge.Set.Ranges).SelectMany(range => new[] { range.Low, range.High + 1 }).Distinct().Order()];
            for (int i = 0; i + 1 < cuts.Length; i++)
            {
                Spend(edges.Count);
                int[] targets = [.. edges.Where(edge => Contains(edge.Set, cuts[i])).Select(edge => edge.Target)];
                if (targets.Length > 0) result.Connect(subset.Number, cuts[i], cuts[i + 1] - 1, NumberOf(targets));
            }
        }

        return result;

        int NumberOf(int[] states)
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

    private static bool Contains(CharacterSet set, int character)
    {
        foreach (var (low, high) in set.Ranges)
            if (low <= character && character <= high) return true;
        return false;
    }

    private int[] Close(int[] states)
    {
        var seen = new HashSet<int>(states);
        var open = new Stack<int>(seen);
        while (open.TryPop(out int state))
        {
            Spend(1);
            foreach (int next in _states[state].Empty)
                if (seen.Add(next)) open.Push(next);
        }

        return [.. seen.Order()];
    }

    private void Spend(int steps)
    {
        if ((_work += steps) > 2_000L * limit) throw TooLarge();
    }

    private SchemaException TooLarge() => new(pointer, $"the pattern needs more than {limit} states, or too much work to compile; make it simpler.");
}
