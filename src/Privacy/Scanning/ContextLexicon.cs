namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>The words that name numbers, for all rules in one tree, without regard to accents. A place in the text is compared with all words at once.</summary>
internal sealed class ContextLexicon
{
    private readonly Dictionary<int, int> _next = [];
    private readonly List<Meaning> _meanings = [default];

    /// <param name="concepts">The words of each concept: "=" in front wants capitals, "*" behind allows endings.</param>
    public ContextLexicon(IReadOnlyList<IReadOnlyList<string>> concepts)
    {
        if (concepts.Count > 64) throw new InvalidDataException($"{concepts.Count} lists of context words; expected at most 64.");
        for (int concept = 0; concept < concepts.Count; concept++)
            foreach (string word in concepts[concept]) Add(word, 1UL << concept);
    }

    /// <summary>Characters of the longest word.</summary>
    public int Longest { get; private set; }

    /// <summary>The words that begin at a place, where a word begins there.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">The place.</param>
    /// <param name="end">Where the text that counts ends.</param>
    /// <param name="wordEnd">Where the longest word found ends, its ending included.</param>
    /// <param name="steps">Grows by the characters looked at.</param>
    /// <returns>The bits of the concepts.</returns>
    public ulong At(string text, int at, int end, out int wordEnd, ref long steps)
    {
        ulong found = 0;
        wordEnd = at;
        bool small = false, blank = false;
        int node = 0;
        for (int i = at; i < end; i++)
        {
            steps++;
            char letter = SymbolTable.FoldedOf(text[i]);
            if (letter == ' ' && blank) continue;   // "rodné  číslo"
            blank = letter == ' ';
            if (!_next.TryGetValue(node << 16 | letter, out node)) break;
            small |= char.IsLower(text[i]);
            Meaning meaning = _meanings[node];
            ulong here = meaning.Prefix;
            if ((meaning.Word | meaning.Capitals) != 0 && (i + 1 >= text.Length || !char.IsLetterOrDigit(text[i + 1]) || !char.IsLetter(text[i])))
                here |= meaning.Word | (small ? 0 : meaning.Capitals);
            if (here == 0) continue;
            found |= here;
            wordEnd = i + 1;
        }
        if (found != 0)
            while (wordEnd < end && char.IsLetter(text[wordEnd])) wordEnd++;
        return found;
    }

    private void Add(string word, ulong concept)
    {
        bool capitals = word[0] == '=', prefix = word[^1] == '*';
        ReadOnlySpan<char> letters = word.AsSpan(capitals ? 1 : 0, word.Length - (capitals ? 1 : 0) - (prefix ? 1 : 0));
        int node = 0;
        foreach (char letter in letters)
        {
            int key = node << 16 | SymbolTable.FoldedOf(letter);
            if (!_next.TryGetValue(key, out int next))
            {
                next = _meanings.Count;
                _meanings.Add(default);
                _next[key] = next;
            }
            node = next;
        }
        Meaning meaning = _meanings[node];
        _meanings[node] = prefix ? meaning with { Prefix = meaning.Prefix | concept }
            : capitals ? meaning with { Capitals = meaning.Capitals | concept }
            : meaning with { Word = meaning.Word | concept };
        Longest = Math.Max(Longest, letters.Length);
    }

    /// <summary>The concepts of the word that ends at a node: as a whole word, as the beginning of one, in capitals.</summary>
    private readonly record struct Meaning(ulong Word, ulong Prefix, ulong Capitals);
}
