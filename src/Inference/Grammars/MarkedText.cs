namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Writes free text around marks into an automaton: texts up to the first place where a mark stands, whole and nowhere before.</summary>
internal sealed class MarkedText(Automaton automaton)
{
    /// <summary>Reads anything up to a mark and the mark itself.</summary>
    /// <param name="from">Where the text begins.</param>
    /// <param name="behind">Behind the mark.</param>
    /// <param name="mark">The mark (<see cref="TokenTrie.BytesOfMark"/>).</param>
    /// <param name="end">Where the text may end without the mark; null for nowhere.</param>
    public void Until(int from, int behind, byte[] mark, int? end)
    {
        if (mark[0] == TokenTrie.Control) UntilControl(from, behind, mark, end);
        else UntilText(from, behind, mark, end);
    }

    private void UntilControl(int from, int behind, byte[] mark, int? end)
    {
        automaton.Read(from, from, 0, TokenTrie.Control - 1);
        if (end is int place) automaton.Skip(from, place);
        int at = automaton.AddState("");
        automaton.Read(from, at, TokenTrie.Control, TokenTrie.Control);
        var others = OtherControl(from);
        for (int i = 1; i < mark.Length; i++)
        {
            int next = i + 1 == mark.Length ? behind : automaton.AddState("");
            automaton.Read(at, next, mark[i], mark[i]);
            if (mark[i] > 0) automaton.Read(at, others[i], 0, (byte)(mark[i] - 1));
            automaton.Read(at, others[i], (byte)(mark[i] + 1), byte.MaxValue);
            at = next;
        }
    }

    // The automaton of Knuth, Morris and Pratt: one state for each beginning of the mark.
    private void UntilText(int from, int behind, byte[] mark, int? end)
    {
        var states = new int[mark.Length + 1];
        states[0] = from;
        for (int i = 1; i < mark.Length; i++) states[i] = automaton.AddState("");
        states[^1] = behind;
        int control = automaton.AddState("");
        automaton.Read(control, OtherControl(from)[1], 0, byte.MaxValue);
        byte[] known = [.. mark.Distinct().Order()];
        for (int i = 0; i < mark.Length; i++)
        {
            if (end is int place) automaton.Skip(states[i], place);
            foreach (byte value in known) automaton.Read(states[i], states[LengthBehind(mark, i, value)], value, value);
            int next = 0;
            foreach (int value in (int[])[.. known, TokenTrie.Control])
            {
                if (next < value) automaton.Read(states[i], from, (byte)next, (byte)(value - 1));
                next = value + 1;
            }

            automaton.Read(states[i], control, TokenTrie.Control, TokenTrie.Control);
        }
    }

    // How much of the mark stands at the end of its first bytes and one more.
    private static int LengthBehind(byte[] mark, int matched, byte value)
    {
        byte[] text = [.. mark.AsSpan(0, matched), value];
        for (int length = text.Length; length > 0; length--)
            if (text.AsSpan(text.Length - length).SequenceEqual(mark.AsSpan(0, length))) return length;
        return 0;
    }

    // The rest of a control token that is not the mark, by how many of its bytes were read already.
    private int[] OtherControl(int back)
    {
        int second = automaton.AddState(""), third = automaton.AddState("");
        automaton.Read(second, third, 0, byte.MaxValue);
        automaton.Read(third, back, 0, byte.MaxValue);
        return [0, second, third, back];
    }
}
