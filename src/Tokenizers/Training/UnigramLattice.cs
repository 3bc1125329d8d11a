namespace OpenEuroLLM.Tokenizers;

/// <summary>All ways to cut a word into pieces. Probabilities are multiplied as they are, without logarithms: each byte is lifted by a constant factor, so
/// that the numbers of words of up to 64 bytes stay in range.</summary>
internal sealed class UnigramLattice(ByteTrie trie, double[] lifted)
{
    private double[] _forward = new double[80];
    private double[] _backward = new double[80];
    private Edge[] _edges = new Edge[1 << 10];
    private int _edgeCount;

    private readonly record struct Edge(int Start, int End, int Piece);

    /// <summary>The factor of each byte. A piece has about e^-2.5 for a byte of its length.</summary>
    public const double LogarithmOfLift = 3;

    /// <summary>Adds to each piece how often it is expected in a word, all ways considered.</summary>
    /// <returns>The logarithm of the word's probability; null when it is too improbable for a number.</returns>
    public double? AddExpected(ReadOnlySpan<byte> word, double weight, double[] expected)
    {
        Walk(word);
        var forward = _forward.AsSpan(0, word.Length + 1);
        var backward = _backward.AsSpan(0, word.Length + 1);
        forward.Clear();
        backward.Clear();
        forward[0] = 1;
        for (int i = 0; i < _edgeCount; i++)
            forward[_edges[i].End] += forward[_edges[i].Start] * lifted[_edges[i].Piece];
        double total = forward[word.Length];
        if (!(total > 0) || double.IsInfinity(total))
            return null;
        backward[word.Length] = 1;
        for (int i = _edgeCount - 1; i >= 0; i--)
            backward[_edges[i].Start] += backward[_edges[i].End] * lifted[_edges[i].Piece];
        for (int i = 0; i < _edgeCount; i++)
        {
            var edge = _edges[i];
            expected[edge.Piece] += weight * (forward[edge.Start] * lifted[edge.Piece] * backward[edge.End] / total);
        }
        return Core.Numerics.Log(total) - LogarithmOfLift * word.Length;
    }

    /// <summary>The most probable way; of equal ones the one whose last piece is longest.</summary>
    /// <param name="word">The word.</param>
    /// <param name="pieces">Receives the pieces from the last to the first.</param>
    /// <param name="allowWhole">Whether a piece may be the whole word.</param>
    /// <returns>False when there is none.</returns>
    public bool TryBest(ReadOnlySpan<byte> word, List<int> pieces, bool allowWhole)
    {
        pieces.Clear();
        Walk(word);
        Span<int> last = stackalloc int[word.Length + 1];
        var best = _forward.AsSpan(0, word.Length + 1);
        best.Clear();
        best[0] = 1;
        last.Fill(-1);
        for (int i = 0; i < _edgeCount; i++)
        {
            var edge = _edges[i];
            if (!allowWhole && edge.End - edge.Start == word.Length)
                continue;
            double way = best[edge.Start] * lifted[edge.Piece];
            if (way > best[edge.End])
                (best[edge.End], last[edge.End]) = (way, i);
        }
        for (int end = word.Length; end > 0; end = _edges[last[end]].Start)
        {
            if (last[end] < 0)
                return false;
            pieces.Add(_edges[last[end]].Piece);
        }
        return true;
    }

    /// <summary>Finds all pieces in the word that a way from its beginning leads to, by their starts.</summary>
    private void Walk(ReadOnlySpan<byte> word)
    {
        if (_forward.Length < word.Length + 1)
            (_forward, _backward) = (new double[word.Length * 2], new double[word.Length * 2]);
        _edgeCount = 0;
        for (int start = 0; start < word.Length; start++)
        {
            if ((word[start] & 0xC0) == 0x80)
                continue;
            int node = trie.Root;
            for (int end = start; end < word.Length && trie.TryStep(ref node, word[end], out int piece); end++)
            {
                if (piece < 0 || lifted[piece] == 0)
                    continue;
                if (_edgeCount == _edges.Length)
                    Array.Resize(ref _edges, _edgeCount * 2);
                _edges[_edgeCount++] = new Edge(start, end + 1, piece);
            }
        }
    }
}
