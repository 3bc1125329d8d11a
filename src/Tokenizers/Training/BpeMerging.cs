namespace OpenEuroLLM.Tokenizers;

/// <summary>The merge loop of training: keeps the sums of every pair and the words that hold it, and after each merge updates only the pairs
/// beside the merged places.</summary>
internal sealed class BpeMerging
{
    private const double FloorShare = 0.25;     // of the best score: pairs below are looked at when no better one is left

    private readonly List<int> _changed = [];
    private readonly List<int> _active = [];
    private readonly List<int> _taken = [];
    private readonly CandidateHeap _heap = new();
    private readonly Dictionary<string, int> _idByText = new(StringComparer.Ordinal);
    private readonly int[] _byteIds = new int[256];
    private readonly PairStates _pairs;
    private readonly MergeRules _rules;
    private readonly LanguageBalance? _balance;

    private readonly int[] _symbols;        // all words one after another, as token ids
    private readonly int[] _starts;
    private readonly ushort[] _lengths;     // in symbols; a word shrinks in place
    private readonly long[] _counts;
    private readonly long[] _weights;
    private readonly long[]? _measured;     // how much a word's tokens count when languages are compared
    private readonly short[]? _groups;
    private readonly int _words;
    private int _round = 1;
    private double _floor;

    /// <param name="languages">The words.</param>
    /// <param name="multipliers">By language: how much its words count. Ignored with a balance.</param>
    /// <param name="rules">What may become a token.</param>
    /// <param name="balance">Keeps languages level; null: words count as they are.</param>
    public BpeMerging(IReadOnlyList<LanguageWords> languages, IReadOnlyList<long> multipliers, MergeRules rules, LanguageBalance? balance = null)
    {
        (_rules, _balance) = (rules, balance);
        _pairs = new PairStates(balance is null ? 1 : languages.Count);
        foreach (byte value in ByteAlphabet.InOrder)
        {
            _byteIds[value] = Tokens.Count;
            _idByText.Add(ByteAlphabet.ToText([value]), Tokens.Count);
            Tokens.Add([value]);
        }
        int words = checked((int)languages.Sum(language => (long)language.List.Words));
        long bytes = languages.Sum(language => (long)language.List.Bytes);
        if (bytes > Array.MaxLength)
            throw new Core.UserErrorException("There are more than 2 GiB of different words; train on a sample of the text, or leave out rare words by giving less --memory.");
        (_symbols, _starts, _lengths, _counts, _weights) = (new int[bytes], new int[words], new ushort[words], new long[words], new long[words]);
        if (balance is not null)
            (_measured, _groups) = (new long[words], new short[words]);
        int position = 0;
        for (int group = 0; group < languages.Count; group++)
        {
            var list = languages[group].List;
            for (int number = 0; number < list.Words; number++)
            {
                var word = list.Word(number);
                var sum = list.Sum(number);
                if (balance is not null)
                {
                    long measured = languages[group].Measure(sum);
                    balance.AddTokens(group, measured * word.Length);
                    (_measured![_words], _groups![_words]) = (measured, (short)group);
                }
                if (word.Length < 2)
                    continue;
                (_starts[_words], _lengths[_words]) = (position, (ushort)word.Length);
                _counts[_words] = sum.Count;
                _weights[_words++] = balance is null ? checked(sum.Weight * multipliers[group]) : sum.Weight;
                foreach (byte value in word)
                    _symbols[position++] = _byteIds[value];
            }
        }
    }

    public List<byte[]> Tokens { get; } = [];

    public List<Merge> Merges { get; } = [];

    /// <summary>Merges until there are so many tokens or no pair is frequent enough.</summary>
    /// <param name="tokens">Tokens wanted.</param>
    /// <param name="minimumCount">A pair that occurs less often is not merged.</param>
    /// <param name="spaceRun">Runs of 2 to so many spaces become tokens before all others.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="cancellation">Stops between merges.</param>
    public void Run(int tokens, long minimumCount, int spaceRun, IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellation)
    {
        CountPairs(cancellation);
        MergeSpaceRuns(Math.Min(spaceRun, tokens - Tokens.Count + 1));
        if (_balance is not null)
            _balance.Reweigh(Tokens.Count);
        Refill(minimumCount);
        while (Tokens.Count < tokens)
        {
            if (_balance is not null && _balance.IsDue(Tokens.Count))
                Reweigh(minimumCount);
            // Nothing outside the heap scores above the floor; below it, all pairs are looked at again.
            if (!_heap.TryPop(out var candidate) || candidate.Score < _floor * (_balance?.Growth ?? 1))
            {
                if (!Refill(minimumCount))
                    break;
                continue;
            }
            int pair = candidate.Pair;
            double score = Score(pair);
            // Entries are not removed when a score changes: one that has shrunk goes back, and one that has grown has a newer entry before it.
            if (score != candidate.Score)
            {
                if (score < candidate.Score)
                    Offer(pair, score, minimumCount);
                continue;
            }
            if (MergedId(pair) is not int merged)
                continue;
            Apply(pair, merged, minimumCount);
            if (Merges.Count % 64 == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Report(new TokenizerTrainingProgress("merging", Tokens.Count, tokens));
            }
        }
        progress?.Report(new TokenizerTrainingProgress("merging", Tokens.Count, Tokens.Count));
    }

    private double Score(int pair) => _pairs.Score(pair, _balance is null ? [] : _balance.Weights);

    private void CountPairs(CancellationToken cancellation)
    {
        for (int word = 0; word < _words; word++)
        {
            var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
            for (int i = 0; i + 1 < symbols.Length; i++)
                Increase(symbols[i], symbols[i + 1], word);
            if (word % (1 << 16) == 0)
                cancellation.ThrowIfCancellationRequested();
        }
        _changed.Clear();
    }

    /// <summary>Merges that turn a run of any length up to the longest into one token: halves of equal length first, then what is left over
    /// behind them, as in 7 = 4 + (2 + 1).</summary>
    private void MergeSpaceRuns(int longest)
    {
        int[] ids = new int[longest + 1];
        Array.Fill(ids, -1);      // a run that must not be a token is no part of longer ones
        for (int half = 1; half < longest; half *= 2)
        {
            ids[1] = _byteIds[' '];
            for (int rest = half; rest >= 1; rest--)
            {
                if (half + rest > longest || ids[half] < 0 || ids[rest] < 0)
                    continue;
                int pair = _pairs.Of(ids[half], ids[rest]);
                if (MergedId(pair) is int merged)
                {
                    ids[half + rest] = merged;
                    Apply(pair, merged, minimumCount: long.MaxValue);
                }
            }
        }
    }

    /// <summary>Puts the best pairs into the heap, after looking at all.</summary>
    /// <returns>False when no pair is left.</returns>
    private bool Refill(long minimumCount)
    {
        _heap.Clear();
        foreach (int pair in _active)
            _pairs.Active(pair) = false;
        _active.Clear();
        _balance?.BeginGrowth();
        double best = 0;
        for (int pair = 0; pair < _pairs.Pairs; pair++)
            if (_pairs.Count(pair) >= minimumCount && !_pairs.Refused(pair))
                best = Math.Max(best, Score(pair));
        if (best <= 0)
            return false;
        _floor = best * FloorShare;
        for (int pair = 0; pair < _pairs.Pairs; pair++)
            if (_pairs.Count(pair) >= minimumCount)
                Offer(pair, Score(pair), minimumCount);
        return true;
    }

    /// <summary>Gives the languages new weights, and the pairs in the heap new scores.</summary>
    private void Reweigh(long minimumCount)
    {
        _balance!.Reweigh(Tokens.Count);
        _heap.Clear();
        foreach (int pair in _active)
            Offer(pair, Score(pair), minimumCount);
    }

    private void Offer(int pair, double score, long minimumCount)
    {
        if (_pairs.Count(pair) < minimumCount || _pairs.Refused(pair))
            return;
        if (_balance is not null && score >= _floor && !_pairs.Active(pair))
        {
            _pairs.Active(pair) = true;
            _active.Add(pair);
        }
        if (score >= _floor && score > 0)
            _heap.Push(new Candidate(score, _pairs.Key(pair), pair));
    }

    /// <summary>The token that a pair becomes, added when it is new; null when it must not be one.</summary>
    private int? MergedId(int pair)
    {
        // A pair can come back after its merge, when a later merge makes one of its halves in another way. It has its rule already.
        if (_pairs.Merged(pair) is int known)
            return known;
        var (left, right) = (_pairs.Left(pair), _pairs.Right(pair));
        byte[] bytes = [.. Tokens[left], .. Tokens[right]];
        string text = ByteAlphabet.ToText(bytes);
        if (!_rules.Allows(bytes, text))
        {
            _pairs.Refused(pair) = true;
            return null;
        }
        // Two pairs can spell the same token ("ab"+"c", "a"+"bc"): one token, two merges.
        if (!_idByText.TryGetValue(text, out int merged))
        {
            merged = Tokens.Count;
            _idByText.Add(text, merged);
            Tokens.Add(bytes);
        }
        Merges.Add(new Merge(left, right, merged));
        _pairs.SetMerged(pair, merged);
        return merged;
    }

    private void Apply(int pair, int merged, long minimumCount)
    {
        _round++;
        var (left, right) = (_pairs.Left(pair), _pairs.Right(pair));
        _pairs.TakeWords(pair, _taken);
        foreach (int word in _taken)
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
            if (_measured is not null)
                _balance!.AddTokens(_groups![word], (write - _lengths[word]) * _measured[word]);
            _lengths[word] = (ushort)write;
        }
        foreach (int changed in _changed)
            Offer(changed, Score(changed), minimumCount);
        _changed.Clear();
    }

    private void Increase(int left, int right, int word)
    {
        if (_pairs.Increase(left, right, word, _counts[word], _weights[word], _groups?[word] ?? 0, _round) is int changed)
            _changed.Add(changed);
    }

    private void Decrease(int left, int right, int word) =>
        _pairs.Decrease(left, right, _counts[word], _weights[word], _groups?[word] ?? 0);
}
