namespace OpenEuroLLM.Inference.Grammars;

/// <summary>How tokens go on inside of any string's contents, computed once for a vocabulary: most of what a mask says there does not depend on the schema.</summary>
internal sealed class StringTokens
{
    /// <summary>Longer tokens are looked at one by one.</summary>
    public const int MostCharacters = 32;

    /// <param name="tokens">The bytes of each id.</param>
    public StringTokens(byte[][] tokens)
    {
        var automaton = new Automaton(new GrammarLimits());
        automaton.Root = automaton.AddRule("");
        new JsonStrings(automaton).Add(automaton.Entry(automaton.Root), automaton.Exit(automaton.Root), CharacterAutomaton.OfLength(0, null, 1, ""), "");
        automaton.Complete();
        var matcher = new GrammarMatcher(automaton, new TokenTrie([]));
        var contents = matcher.After(matcher.Start, (byte)'"').Target!;
        var closing = new List<(byte[], int)>();
        var longer = new List<(byte[], int)>();
        Inside = new ulong[(tokens.Length + 63) / 64];
        for (int id = 0; id < tokens.Length; id++)
        {
            byte[] token = tokens[id];
            if (token.Length == 0) continue;
            if (token.Count(value => (value & 0xC0) != 0x80) >= MostCharacters)
            {
                longer.Add((token, id));
                continue;
            }

            MatcherState? state = contents;
            int at = 0;
            while (at < token.Length && state is { MustEnd: false }) state = matcher.After(state, token[at++]).Target;
            if (state is { MustEnd: true }) closing.Add((token[(at - 1)..], id));
            else if (state is not null) Inside[id >> 6] |= 1UL << id;
        }

        (Closing, Longer) = (new ByteTree(closing), new ByteTree(longer));
    }

    /// <summary>The tokens that stay inside, a bit each.</summary>
    public ulong[] Inside { get; }

    /// <summary>Of the tokens that end the string, what they are from the quotation mark on.</summary>
    public ByteTree Closing { get; }

    /// <summary>The tokens that are longer, whatever they are.</summary>
    public ByteTree Longer { get; }
}
