using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The path of tokens with the highest sum of scores through a text (Viterbi). Of equal paths the one that was found first stays.</summary>
/// <remarks>Linear in the text. What all paths share is written out on the way, so that memory does not grow with the text but in the rare case that two
/// paths never meet.</remarks>
internal sealed class UnigramSearch
{
    /// <summary>The id of a character that no token covers.</summary>
    public const int Unknown = -1;

    private const int FirstWindow = 1 << 14;

    [ThreadStatic]
    private static Node[]? _threadNodes;

    private readonly ByteTrie _trie;
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly bool _single;

    /// <param name="trie">The ids of the tokens.</param>
    /// <param name="scores">The score of each token by id.</param>
    /// <param name="unknownScore">The score of a character that no token covers.</param>
    /// <param name="single">Whether sums are rounded to single precision when they are kept, as SentencePiece does.</param>
    public UnigramSearch(ByteTrie trie, double[] scores, double unknownScore, bool single) =>
        (_trie, _scores, _unknownScore, _single) = (trie, scores, unknownScore, single);

    /// <summary>Appends the tokens of the best path.</summary>
    /// <param name="text">The text.</param>
    /// <param name="score">The score of the path before this text; becomes the one after it.</param>
    /// <param name="path">Receives each token and its end in the text.</param>
    public void Run(ReadOnlySpan<byte> text, ref double score, List<PathToken> path)
    {
        int window = Math.Min(text.Length, FirstWindow);
        Node[] nodes = Nodes(text.Length == window ? window + 1 : window + _trie.LongestKey + 5);
        nodes.AsSpan(0, Math.Min(nodes.Length, text.Length + 1)).Fill(Node.Open);
        nodes[0] = new Node(score, 0, 0);
        int origin = 0;                     // the place in the text of the first node
        int place = 0;                      // the node that is worked on
        while (origin + place < text.Length)
        {
            if (place >= window)
            {
                int shared = SharedNode(nodes.AsSpan(0, Math.Min(nodes.Length, text.Length - origin + 1)), place);
                if (shared == 0)
                {
                    window = checked(window * 2);
                    int length = nodes.Length;
                    Array.Resize(ref nodes, checked(window + _trie.LongestKey + 5));
                    nodes.AsSpan(length).Fill(Node.Open);
                }
                else
                {
                    Write(nodes, shared, origin, path);
                    int kept = nodes.Length - shared;
                    nodes.AsSpan(shared).CopyTo(nodes);
                    nodes.AsSpan(kept).Fill(Node.Open);
                    for (int i = 0; i < kept; i++)
                        nodes[i].From -= shared;
                    origin += shared;
                    place -= shared;
                }
            }
            place += Extend(nodes, place, text[(origin + place)..]);
        }
        Write(nodes, place, origin, path);
        score = nodes[place].Score;
    }

    /// <summary>The best path of a short text on its own, with a measure of how surely it stays the best one behind another text.</summary>
    public ShortPath RunShort(ReadOnlySpan<byte> text)
    {
        Span<Node> nodes = stackalloc Node[text.Length + 1];
        Span<double> seconds = stackalloc double[text.Length + 1];
        nodes.Fill(Node.Open);
        seconds.Fill(double.NegativeInfinity);
        nodes[0] = new Node(0, 0, 0);
        double widest = 0;
        for (int place = 0; place < text.Length;)
        {
            double score = nodes[place].Score;
            widest = Math.Max(widest, Math.Abs(score));
            int length = Utf8Characters.FirstLength(text[place..]);
            bool covered = false;
            int node = _trie.Root;
            for (int end = place; end < text.Length && _trie.TryStep(ref node, text[end], out int id); end++)
            {
                if (id < 0)
                    continue;
                covered |= end + 1 - place == length;
                Offer(end + 1, score + _scores[id], place, id, nodes, seconds);
            }
            if (!covered)
                Offer(place + length, score + _unknownScore, place, Unknown, nodes, seconds);
            place += length;
        }
        double margin = double.PositiveInfinity;
        int count = 0;
        for (int end = text.Length; end > 0; end = nodes[end].From, count++)
            margin = Math.Min(margin, nodes[end].Score - seconds[end]);
        var tokens = new PathToken[count];
        for (int end = text.Length; end > 0; end = nodes[end].From)
            tokens[--count] = new PathToken(nodes[end].Id, end);
        widest = Math.Max(widest, Math.Abs(nodes[text.Length].Score));
        return new ShortPath(tokens, margin, widest, text.Length + 2);

        static void Offer(int end, double candidate, int from, int id, Span<Node> nodes, Span<double> seconds)
        {
            ref var target = ref nodes[end];
            if (target.From < 0 || candidate > target.Score)
            {
                seconds[end] = target.From < 0 ? double.NegativeInfinity : target.Score;
                target = new Node(candidate, from, id);
            }
            else if (candidate > seconds[end])
            {
                seconds[end] = candidate;
            }
        }
    }

    /// <summary>Uses the path of a short text behind another one, if rounding cannot have made another path the best.</summary>
    /// <param name="path">The path of the text on its own.</param>
    /// <param name="score">The score of the path before; becomes the one after, with the same roundings as <see cref="Run"/>.</param>
    /// <returns>False when <see cref="Run"/> has to decide.</returns>
    public bool TryFollow(ShortPath path, ref double score)
    {
        if (score != 0 || _single)
        {
            // Every sum on the way is off by half a unit in the last place at most, and two paths are compared.
            double unit = _single ? 1.0 / (1 << 23) : double.BitIncrement(1) - 1;
            if (path.Margin <= path.Steps * unit * (Math.Abs(score) + path.Widest))
                return false;
        }
        foreach (var token in path.Tokens)
            score = Kept(score + (token.Id < 0 ? _unknownScore : _scores[token.Id]));
        return true;
    }

    private static Node[] Nodes(int needed)
    {
        if (_threadNodes is null || _threadNodes.Length < needed)
            _threadNodes = new Node[Math.Max(needed, 256)];
        return _threadNodes;
    }

    private int Extend(Span<Node> nodes, int place, ReadOnlySpan<byte> rest)
    {
        double score = nodes[place].Score;
        int length = Utf8Characters.FirstLength(rest);
        bool covered = false;
        int node = _trie.Root;
        for (int i = 0; i < rest.Length && _trie.TryStep(ref node, rest[i], out int id); i++)
        {
            if (id < 0)
                continue;
            covered |= i + 1 == length;
            Offer(ref nodes[place + i + 1], score + _scores[id], place, id);
        }
        if (!covered)
            Offer(ref nodes[place + length], Kept(score + _unknownScore), place, Unknown);
        return length;
    }

    private void Offer(ref Node target, double candidate, int from, int id)
    {
        // The reference compares before it rounds, so a later path can win by what the earlier one lost in rounding.
        if (target.From < 0 || candidate > target.Score)
            target = new Node(Kept(candidate), from, id);
    }

    private double Kept(double score) => _single ? (float)score : score;

    /// <summary>The last node that the best paths to all ends from a place on have in common.</summary>
    private static int SharedNode(ReadOnlySpan<Node> nodes, int place)
    {
        bool[] live = new bool[nodes.Length];
        int count = 0;
        for (int end = place; end < nodes.Length; end++)
        {
            live[end] = nodes[end].From >= 0;
            count += live[end] ? 1 : 0;
        }
        for (int end = nodes.Length - 1; end > 0; end--)
        {
            if (!live[end])
                continue;
            if (count == 1)
                return end;
            if (live[nodes[end].From])
                count--;
            live[nodes[end].From] = true;
        }
        return 0;
    }

    private static void Write(ReadOnlySpan<Node> nodes, int end, int origin, List<PathToken> path)
    {
        int count = 0;
        for (int place = end; place > 0; place = nodes[place].From)
            count++;
        int first = path.Count;
        CollectionsMarshal.SetCount(path, first + count);
        var written = CollectionsMarshal.AsSpan(path)[first..];
        for (int place = end; place > 0; place = nodes[place].From)
            written[--count] = new PathToken(nodes[place].Id, origin + place);
    }

    /// <summary>A token of a path.</summary>
    /// <param name="Id">The token, or <see cref="Unknown"/>.</param>
    /// <param name="End">The byte after its last.</param>
    internal readonly record struct PathToken(int Id, int End);

    /// <param name="Tokens">The best path.</param>
    /// <param name="Margin">By how much the nearest other path into one of its nodes is worse.</param>
    /// <param name="Widest">The greatest absolute sum on the way.</param>
    /// <param name="Steps">An upper bound of the additions on a path, with some to spare.</param>
    internal sealed record ShortPath(PathToken[] Tokens, double Margin, double Widest, int Steps);

    private struct Node(double score, int from, int id)
    {
        public double Score = score;
        public int From = from;         // negative where no path has come yet
        public int Id = id;

        public static Node Open => new(0, int.MinValue / 2, 0);
    }
}
