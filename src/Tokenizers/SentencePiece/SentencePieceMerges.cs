namespace OpenEuroLLM.Tokenizers;

/// <summary>The symbols that pair encoding begins with, and every way in which two symbols become a piece.</summary>
internal sealed class SentencePieceMerges
{
    private readonly SentencePieceVocabulary _vocabulary;
    private readonly ByteTrie _reversed;

    public SentencePieceMerges(SentencePieceVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var pieces = vocabulary.File.Pieces;
        int[] found = [.. vocabulary.Found];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (int id in found)
            for (int start = 0; start < pieces[id].Text.Length;)
            {
                int end = start + Utf8Characters.FirstLength(pieces[id].Text.AsSpan(start));
                byte[] character = pieces[id].Text[start..end];
                if (seen.Add(Convert.ToHexString(character)) && vocabulary.FindInText(character) < 0)
                    Characters.Add(character);
                start = end;
            }
        (byte[] Text, int Symbol)[] symbols =
            [.. found.Select(id => (pieces[id].Text, id)), .. Characters.Select((text, number) => (text, vocabulary.Size + number))];
        Symbols = new ByteTrie(symbols);
        _reversed = new ByteTrie(symbols.Select(symbol => (Reversed(symbol.Text), symbol.Symbol)));
    }

    /// <summary>The characters of pieces that are no pieces themselves; their symbols are numbered behind the pieces.</summary>
    public List<byte[]> Characters { get; } = [];

    /// <summary>Every symbol by its text.</summary>
    public ByteTrie Symbols { get; }

    public static IEnumerable<Merge> Of(SentencePieceVocabulary vocabulary) => new SentencePieceMerges(vocabulary).All();

    /// <summary>The merges, piece by piece.</summary>
    public IEnumerable<Merge> All()
    {
        var pieces = _vocabulary.File.Pieces;
        int[] lefts = new int[_reversed.LongestKey + 1];        // the symbol that ends at each place of the piece, or -1
        foreach (int id in _vocabulary.Found)
        {
            byte[] text = pieces[id].Text;
            int node = Symbols.Root;
            for (int end = 1; end < text.Length; end++)
                lefts[end] = Symbols.TryStep(ref node, text[end - 1], out int left) ? left : -1;
            node = _reversed.Root;
            for (int start = text.Length - 1; start > 0 && _reversed.TryStep(ref node, text[start], out int right); start--)
                if (right >= 0 && lefts[start] >= 0)
                    yield return new Merge(lefts[start], right, id);
        }
    }

    private static byte[] Reversed(ReadOnlySpan<byte> text)
    {
        byte[] reversed = text.ToArray();
        Array.Reverse(reversed);
        return reversed;
    }
}
