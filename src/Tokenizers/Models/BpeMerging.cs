using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The merge loop of training: keeps the counts of every pair and the words that hold it, and after each merge updates only the pairs
/// beside the merged places.</summary>
internal sealed class BpeMerging
{
    private readonly int[] _symbols;        // all words one after another, as token ids
    private readonly int[] _starts;
    private readonly int[] _lengths;        // in symbols; a word shrinks in place
    private readonly long[] _wordCounts;
    private readonly long[] _wordWeights;
    private readonly PairTable _pairs = new(1 << 16);
    private readonly List<Pair> _states = [];
    private readonly PriorityQueue<int, Candidate> _queue = new(CandidateOrder.Instance);
    private readonly List<int> _changed = [];
    private readonly Dictionary<string, int> _idByText = new(StringComparer.Ordinal);
    private readonly HashSet<string> _forbidden;
    private int _round;

    /// <param name="words">The words with their counts.</param>
    /// <param name="forbidden">Texts that must not become tokens.</param>
    public BpeMerging(WordCounter words, IEnumerable<string> forbidden)
    {
        _forbidden = [.. forbidden.Select(text => ByteAlphabet.ToText(Encoding.UTF8.GetBytes(text)))];
        int[] byteIds = new int[256];
        foreach (byte value in ByteAlphabet.InOrder)
        {
            byteIds[value] = Tokens.Count;
            _idByText.Add(ByteAlphabet.ToText([value]), Tokens.Count);
            Tokens.Add([value]);
        }
        _symbols = new int[words.Bytes];
        _starts = new int[words.Words];
        _lengths = new int[words.Words];
        _wordCounts = new long[words.Words];
        _wordWeights = new long[words.Words];
        int position = 0;
        for (int number = 0; number < words.Words; number++)
        {
            var word = words.Word(number);
            _starts[number] = position;
            _lengths[number] = word.Length;
            _wordCounts[number] = words.Count(number);
            _wordWeights[number] = words.Weight(number);
            foreach (byte value in word)
                _symbols[position++] = byteIds[value];
        }
    }

    public List<byte[]> Tokens { get; } = [];

    public List<Merge> Merges { get; } = [];

    /// <summary>Merges until there are so many tokens or no pair is frequent enough.</summary>
    public void Run(int tokens, long minimumCount, IProgress<BpeTrainingProgress>? progress, CancellationToken cancellation)
    {
        CountPairs();
        while (Tokens.Count < tokens && _queue.TryDequeue(out int number, out Candidate candidate))
        {
            var pair = _states[number];
            // Entries are not removed when a weight changes: one that has shrunk goes back, and one that has grown has a newer entry before it.
            if (pair.Weight != candidate.Weight)
            {
                if (pair.Weight > 0 && pair.Weight < candidate.Weight)
                    _queue.Enqueue(number, new Candidate(pair.Weight, pair.Key));
                continue;
            }
            if (pair.Count < minimumCount || MergedId(pair) is not int merged)
                continue;
            Apply(pair, merged);
            if (Merges.Count % 64 == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Report(new BpeTrainingProgress("merging", Tokens.Count, tokens));
            }
        }
        progress?.Report(new BpeTrainingProgress("merging", Tokens.Count, Tokens.Count));
    }

    private void CountPairs()
    {
        for (int word = 0; word < _starts.Length; word++)
        {
            var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
            for (int i = 0; i + 1 < symbols.Length; i++)
                Increase(symbols[i], symbols[i + 1], word);
        }
        QueueChanged();
    }

    /// <summary>The token that a pair becomes, added when it is new; null when it must not be one.</summary>
    private int? MergedId(Pair pair)
    {
        // A pair can come back after its merge, when a later merge makes one of its halves in another way. It has its rule already.
        if (pair.Merged is int known)
            return known;
        byte[] bytes = [.. Tokens[pair.Left], .. Tokens[pair.Right]];
        string text = ByteAlphabet.ToText(bytes);
        if (_forbidden.Contains(text))
            return null;
        // Two pairs can spell the same token ("ab"+"c", "a"+"bc"): one token, two merges.
        if (!_idByText.TryGetValue(text, out int merged))
        {
            merged = Tokens.Count;
            _idByText.Add(text, merged);
            Tokens.Add(bytes);
        }
        Merges.Add(new Merge(pair.Left, pair.Right, merged));
        pair.Merged = merged;
        return merged;
    }

    private void Apply(Pair pair, int merged)
    {
        _round++;
        var (left, right) = (pair.Left, pair.Right);
        foreach (int word in pair.TakeWords())
        {
            var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
            int write = 0;
            bool afterMerge = false;
            for (int read = 0; read < symbols.Length;)
            {
                if (symbols[read] == left && read + 1 < symbols.Length && symbols[read + 1] == right)
                {
                    // After a merge the pair before this place is gone already, as the pair behind that merge.
                    if (write > 0 && !afterMerge)
                        Decrease(symbols[write - 1], left, word);
                    Decrease(left, right, word);
                    if (read + 2 < symbols.Length)
                        Decrease(right, symbols[read + 2], word);
                    symbols[write] = merged;
                    if (write > 0)
                        Increase(symbols[write - 1], merged, word);
                    afterMerge = true;
                    read += 2;
                }
                else
                {
                    symbols[write] = symbols[read];
                    if (afterMerge)
                        Increase(merged, symbols[write], word);
                    afterMerge = false;
                    read++;
                }
                write++;
            }
            _lengths[word] = write;
        }
        QueueChanged();
    }

    private void Increase(int left, int right, int word)
    {
        int number = _pairs.FindOrAdd(PairTable.Key(left, right));
        if (number == _states.Count)
            _states.Add(new Pair(left, right));
        var pair = _states[number];
        pair.Count = checked(pair.Count + _wordCounts[word]);
        pair.Weight = checked(pair.Weight + _wordWeights[word]);
        pair.AddWord(word);
        if (pair.ChangedInRound != _round)
        {
            pair.ChangedInRound = _round;
            _changed.Add(number);
        }
    }

    private void Decrease(int left, int right, int word)
    {
        var pair = _states[_pairs.Find(PairTable.Key(left, right))];
        pair.Count -= _wordCounts[word];
        pair.Weight -= _wordWeights[word];
    }

    private void QueueChanged()
    {
        foreach (int number in _changed)
            if (_states[number].Weight > 0)
                _queue.Enqueue(number, new Candidate(_states[number].Weight, _states[number].Key));
        _changed.Clear();
    }

    private readonly record struct Candidate(long Weight, ulong Pair);

    /// <summary>Weight descending, then ids ascending.</summary>
    private sealed class CandidateOrder : IComparer<Candidate>
    {
        public static readonly CandidateOrder Instance = new();

        public int Compare(Candidate x, Candidate y) => x.Weight != y.Weight ? y.Weight.CompareTo(x.Weight) : x.Pair.CompareTo(y.Pair);
    }

    private sealed class Pair(int left, int right)
    {
        private int[] _words = [];
        private int _wordCount;

        public int Left { get; } = left;

        public int Right { get; } = right;

        public ulong Key => PairTable.Key(Left, Right);

        /// <summary>How often the pair occurs now.</summary>
        public long Count { get; set; }

        /// <summary>The occurrences, each as much as its language counts.</summary>
        public long Weight { get; set; }

        public int? Merged { get; set; }

        public int ChangedInRound { get; set; } = -1;

        /// <summary>Remembers a word. A word may be remembered twice; the second visit then finds nothing to merge.</summary>
        public void AddWord(int word)
        {
            if (_wordCount > 0 && _words[_wordCount - 1] == word)
                return;
            if (_wordCount == _words.Length)
                Array.Resize(ref _words, Math.Max(4, _wordCount * 2));
            _words[_wordCount++] = word;
        }

        public ReadOnlySpan<int> TakeWords()
        {
            var words = _words.AsSpan(0, _wordCount);
            _words = [];
            _wordCount = 0;
            return words;
        }
    }
}
