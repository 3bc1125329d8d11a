namespace OpenEuroLLM.Tokenizers;

/// <summary>Greedy longest match from the left; tokens inside a word carry a prefix in the vocabulary. A word that cannot be covered is one unknown
/// token as a whole.</summary>
internal sealed class WordPieceModel : ITokenModel
{
    private readonly Vocabulary _vocabulary;
    private readonly int? _insideNode;          // where the walk for a token inside a word begins; null when there is no such token

    /// <param name="tokens">The text of each token by id; null where the id is no token of this model.</param>
    /// <param name="unknownId">The token of a word that cannot be covered.</param>
    /// <param name="continuingPrefix">What the texts of tokens inside a word begin with, as <c>##</c>.</param>
    /// <param name="longestWordCharacters">A longer word is unknown.</param>
    public WordPieceModel(IReadOnlyList<byte[]?> tokens, int unknownId, byte[] continuingPrefix, int longestWordCharacters)
    {
        _vocabulary = new Vocabulary(tokens);
        (UnknownId, ContinuingPrefix, LongestWordCharacters) = (unknownId, continuingPrefix, longestWordCharacters);
        int node = _vocabulary.Trie.Root;
        _insideNode = continuingPrefix.All(next => _vocabulary.Trie.TryStep(ref node, next, out _)) ? node : null;
    }

    public int UnknownId { get; }

    public byte[] ContinuingPrefix { get; }

    public int LongestWordCharacters { get; }

    public int VocabularySize => _vocabulary.Size;

    public byte[]? TextOf(int id) => _vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => _vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        if (piece.Length == 0)
            return;
        int count = tokens.Count;
        int start = 0;
        if (piece.Length <= LongestWordCharacters || Utf8Characters.Count(piece) <= LongestWordCharacters)
            while (start < piece.Length && LongestMatch(piece[start..], start > 0) is (int id, int length))
            {
                tokens.Add(new EncodedToken(id, start, start + length));
                start += length;
            }
        if (start == piece.Length)
            return;
        tokens.RemoveRange(count, tokens.Count - count);
        tokens.Add(new EncodedToken(UnknownId, 0, piece.Length));
    }

    private (int Id, int Length)? LongestMatch(ReadOnlySpan<byte> rest, bool inside)
    {
        if ((inside ? _insideNode : _vocabulary.Trie.Root) is not int node)
            return null;
        (int Id, int Length)? best = null;
        for (int i = 0; i < rest.Length && _vocabulary.Trie.TryStep(ref node, rest[i], out int id); i++)
            if (id >= 0)
                best = (id, i + 1);
        return best;
    }
}
