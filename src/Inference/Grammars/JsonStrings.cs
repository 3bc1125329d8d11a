namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Writes the texts of a character automaton into the byte automaton, as JSON strings in UTF-8.</summary>
/// <remarks>Each text has one form only: characters are escaped where JSON demands it and nowhere else (<c>\"</c>, <c>\\</c>, <c>\n</c>, <c>\u001f</c>),
/// so that names and values are told apart by their bytes.</remarks>
internal sealed class JsonStrings(Automaton automaton)
{
    private readonly Dictionary<(int Low, int High), int> _rules = [];

    /// <summary>A string with its quotation marks.</summary>
    public void Add(int from, int to, CharacterAutomaton text, string pointer)
    {
        var states = new int[text.Count];
        bool[] live = text.Live();
        int[] next = Next(text, live);
        int[] rooms = Rooms(next);
        for (int i = 0; i < states.Length; i++)
        {
            if (!live[i]) continue;
            states[i] = automaton.AddState(pointer);
            if (rooms[i] > 0) automaton.SetRoom(states[i], rooms[i]);
        }

        if (!live[0]) return;
        automaton.Read(from, states[0], (byte)'"', (byte)'"');
        for (int i = 0; i < states.Length; i++)
        {
            if (!live[i]) continue;
            if (text.Accepts(i)) automaton.Read(states[i], to, (byte)'"', (byte)'"');
            if (IsOpen(text, next, i)) automaton.SetOpenString(states[i], RuleOf(0, CharacterAutomaton.Last), states[next[i]]);
            foreach (var (low, high, target) in text.Edges(i))
            {
                if (!live[target]) continue;
                if (high >= 0x80 || low < 0x20) automaton.Call(states[i], RuleOf(low, high), states[target], deeper: false);
                else AddCharacters(states[i], states[target], low, high, pointer);
            }
        }
    }

    // The state behind any character; -1 where characters differ.
    private static int[] Next(CharacterAutomaton text, bool[] live)
    {
        var next = new int[text.Count];
        for (int i = 0; i < next.Length; i++)
            next[i] = text.Edges(i) is [(0, CharacterAutomaton.Last, int target)] && live[target] ? target : -1;
        return next;
    }

    // Whether a string may go on and end here and behind each of the next characters, as many as a token has.
    private static bool IsOpen(CharacterAutomaton text, int[] next, int state)
    {
        for (int i = 0; i <= StringTokens.MostCharacters; i++, state = next[state])
            if (next[state] < 0 || !text.Accepts(state)) return false;
        return true;
    }

    // How many characters may follow each state, whatever they are: along edges for all characters, without end where those go round.
    private static int[] Rooms(int[] next)
    {
        const int unknown = -1, underWay = -2;
        var rooms = new int[next.Length];
        Array.Fill(rooms, unknown);
        var path = new List<int>();
        for (int i = 0; i < next.Length; i++)
        {
            path.Clear();
            int at = i;
            for (; at >= 0 && rooms[at] == unknown; at = next[at])
            {
                rooms[at] = underWay;
                path.Add(at);
            }

            int known = at < 0 ? -1 : rooms[at] == underWay ? int.MaxValue : rooms[at];
            for (int step = path.Count - 1; step >= 0; step--)
            {
                if (known < int.MaxValue) known++;
                rooms[path[step]] = known;
            }
        }

        return rooms;
    }

    // Characters that take several bytes take many states, which all places share.
    private int RuleOf(int low, int high)
    {
        if (_rules.TryGetValue((low, high), out int rule)) return rule;
        rule = automaton.AddRule("");
        _rules.Add((low, high), rule);
        AddCharacters(automaton.Entry(rule), automaton.Exit(rule), low, high, "");
        return rule;
    }

    private void AddCharacters(int from, int to, int low, int high, string pointer)
    {
        for (int character = low; character <= Math.Min(high, 0x1F); character++) AddEscape(from, to, character, pointer);
        foreach (int character in (ReadOnlySpan<int>)['"', '\\'])
            if (low <= character && character <= high) AddEscape(from, to, character, pointer);
        foreach (var (first, last) in (ReadOnlySpan<(int, int)>)[(0x20, 0x21), (0x23, 0x5B), (0x5D, 0x7F)])
        {
            int start = Math.Max(low, first), end = Math.Min(high, last);
            if (start <= end) automaton.Read(from, to, (byte)start, (byte)end);
        }

        foreach (var (first, last, length) in (ReadOnlySpan<(int, int, int)>)[(0x80, 0x7FF, 2), (0x800, 0xD7FF, 3), (0xE000, 0xFFFF, 3), (0x10000, 0x10FFFF, 4)])
        {
            int start = Math.Max(low, first), end = Math.Min(high, last);
            if (start <= end) AddRange(from, to, start, end, length, isFirst: true, pointer);
        }
    }

    private void AddEscape(int from, int to, int character, string pointer)
    {
        string escape = character switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\b' => "\\b",
            '\f' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => FormattableString.Invariant($"\\u{character:x4}"),
        };
        automaton.ReadAll(from, to, System.Text.Encoding.ASCII.GetBytes(escape), pointer);
    }

    // Characters of one length in UTF-8: the first byte, then the rest of each stretch with the same first byte.
    private void AddRange(int from, int to, int low, int high, int length, bool isFirst, string pointer)
    {
        int shift = 6 * (length - 1), mask = (1 << shift) - 1;
        int mark = !isFirst ? 0x80 : length switch { 2 => 0xC0, 3 => 0xE0, _ => 0xF0 };
        if (length == 1)
        {
            automaton.Read(from, to, (byte)(0x80 | low), (byte)(0x80 | high));
            return;
        }

        int first = low >> shift, last = high >> shift;
        if ((low & mask) != 0 && first < last)
        {
            Stretch(first, first, low & mask, mask);
            first++;
        }

        if ((high & mask) != mask && first < last)
        {
            Stretch(first, last - 1, 0, mask);
            first = last;
        }

        Stretch(first, last, first == low >> shift ? low & mask : 0, last == high >> shift ? high & mask : mask);

        void Stretch(int start, int end, int restLow, int restHigh)
        {
            int inside = automaton.AddState(pointer);
            automaton.Read(from, inside, (byte)(mark | start), (byte)(mark | end));
            AddRange(inside, to, restLow, restHigh, length - 1, isFirst: false, pointer);
        }
    }
}
