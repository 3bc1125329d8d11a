namespace OpenEuroLLM.Inference;

/// <summary>Guesses how an answer goes on: as the text went on where its last tokens stood before. The work for a token is bounded.</summary>
/// <remarks>How much is guessed follows the luck so far, which grows with the length of the match: what was learned of shorter matches holds for longer ones
/// until they have their own record, and a guess that was right makes the match longer for the next one. As many tokens are guessed as pay for
/// their rows, none where none does, so that a text that repeats nothing is hardly slowed down. A guess changes no answer, only how many rows
/// are computed at once.</remarks>
internal sealed class PromptLookup
{
    private const int MostPlaces = 64;

    /// <summary>How likely a guess from the shortest match is right before anything is known.</summary>
    private const double FirstLuck = 0.5;

    /// <summary>Trials that such an expectation is worth, also that which shorter matches give for longer ones.</summary>
    private const double Expectation = 2;

    /// <summary>How much of the doubt one more token of match takes away before anything is known of such matches.</summary>
    private const double Lift = 0.3;

    /// <summary>How much of a trial counts after the next one.</summary>
    private const double Memory = 0.95;

    /// <summary>How much of the trials counts after a match of that length that was not worth a guess: luck comes back slowly.</summary>
    private const double Pause = 1 - 1.0 / 256;

    private readonly Speculation _settings;
    private readonly StepCosts _costs;
    private readonly int[] _heads;          // by hash: the newest place behind such tokens, plus 1
    private readonly int[] _earlier;        // by place: the next older one with the same hash, plus 1
    private readonly double[] _trials;      // by length of match: guessed tokens, the older the less
    private readonly double[] _hits;        // and those of them that were right
    private readonly double[] _luck;        // by length of match: how likely a guessed token is right
    private int _indexed;
    private int _matched;                   // length of the match that the last guess came from

    /// <param name="settings">How far back matches reach, and how much is guessed at most.</param>
    /// <param name="capacity">Tokens of prompt and answer at most.</param>
    /// <param name="costs">What the rows of guesses cost.</param>
    public PromptLookup(Speculation settings, int capacity, StepCosts costs)
    {
        (_settings, _costs) = (settings, costs);
        _heads = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity))];
        _earlier = new int[capacity + 1];
        _indexed = settings.MinMatch;
        (_trials, _hits, _luck) = (new double[settings.MaxMatch + 1], new double[settings.MaxMatch + 1], new double[settings.MaxMatch + 1]);
    }

    /// <summary>Writes a guess behind the known tokens.</summary>
    /// <param name="tokens">Prompt and answer, with room behind.</param>
    /// <param name="count">Tokens known.</param>
    /// <param name="most">Tokens that may be guessed at most.</param>
    /// <param name="company">Rows of other answers in the same step.</param>
    /// <returns>How many were guessed.</returns>
    public int Guess(Span<int> tokens, int count, int most, int company = 0)
    {
        for (; _indexed < count; _indexed++)
        {
            ref int head = ref _heads[Slot(tokens, _indexed)];
            _earlier[_indexed] = head;
            head = _indexed + 1;
        }

        most = Math.Min(most, _settings.Tokens);
        if (most < 1 || count < _settings.MinMatch) return 0;
        int place = LongestMatch(tokens, count);
        if (place < 0) return 0;
        most = Paying(most, company);
        if (most == 0)
        {
            _trials[_matched] *= Pause;
            _hits[_matched] *= Pause;
        }

        for (int i = 0; i < most; i++) tokens[count + i] = tokens[place + i]; // may run into what it has just written: a period goes on
        return most;
    }

    /// <summary>Learns what became of the last guess.</summary>
    public void Learn(int guessed, int hits)
    {
        for (int i = 0; i < guessed && i <= hits; i++)
        {
            int length = Math.Min(_matched + i, _settings.MaxMatch);
            _trials[length] = _trials[length] * Memory + 1;
            _hits[length] = _hits[length] * Memory + (i < hits ? 1 : 0);
        }
    }

    // How many guessed tokens give the most for the time; 0 where none pays. Every row of the company gives one.
    private int Paying(int most, int company)
    {
        double expected = FirstLuck;
        for (int length = _settings.MinMatch; length <= _settings.MaxMatch; length++)
        {
            expected = (Expectation * expected + _hits[length]) / (Expectation + _trials[length]);
            _luck[length] = expected;
            expected += (1 - expected) * Lift;
        }

        int best = 0, rows = company + 1;
        double right = 1, tokens = rows, highest = tokens / _costs[rows];
        for (int guessed = 1; guessed <= most; guessed++)
        {
            right *= _luck[Math.Min(_matched + guessed - 1, _settings.MaxMatch)];
            tokens += right;
            double speed = tokens / _costs[rows + guessed];
            if (speed > highest) (best, highest) = (guessed, speed);
        }

        return best;
    }

    // The place behind the longest match; of equally long ones the newest. Only the newest places are looked at.
    private int LongestMatch(ReadOnlySpan<int> tokens, int count)
    {
        int found = -1, longest = _settings.MinMatch - 1;
        int place = _heads[Slot(tokens, count)] - 1;
        for (int seen = 0; place >= 0 && seen < MostPlaces && longest < _settings.MaxMatch; place = _earlier[place] - 1, seen++)
        {
            int length = 0;
            while (length < _settings.MaxMatch && length < place && tokens[place - 1 - length] == tokens[count - 1 - length]) length++;
            if (length > longest) (found, longest) = (place, length);
        }

        _matched = longest;
        return found;
    }

    private int Slot(ReadOnlySpan<int> tokens, int place)
    {
        ulong hash = 0;
        foreach (int token in tokens.Slice(place - _settings.MinMatch, _settings.MinMatch)) hash = (hash + (uint)token + 1) * 0x9E3779B97F4A7C15;
        return (int)(hash >> 32) & (_heads.Length - 1);
    }
}
