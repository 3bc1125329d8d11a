namespace OpenEuroLLM.Inference;

/// <summary>Guesses how an answer goes on: as the text went on where its last tokens stood before. The work for a token is bounded.</summary>
/// <remarks>How much is guessed follows the luck so far, apart for each length of match: long matches are right more often than short ones.
/// As many tokens are guessed as pay for their rows, none where none does, so that a text that repeats nothing is hardly slowed down. A
/// guess changes no answer, only how many rows are computed at once.</remarks>
internal sealed class PromptLookup
{
    private const int MostPlaces = 64;

    /// <summary>What a row more costs, in steps of one row: the most that was measured (docs/results/engine.md).</summary>
    private const double RowCost = 0.3;

    private const double FirstLuck = 0.6;

    /// <summary>How fast luck follows what became of a guessed token.</summary>
    private const double Learning = 1.0 / 6;

    /// <summary>How fast it comes back where nothing is tried.</summary>
    private const double Forgetting = 1.0 / 512;

    private readonly Speculation _settings;
    private readonly int[] _heads;          // by hash: the newest place behind such tokens, plus 1
    private readonly int[] _earlier;        // by place: the next older one with the same hash, plus 1
    private readonly double[] _luck;        // by length of match: how likely a guessed token is right
    private int _indexed;
    private int _matched;                   // length of the match that the last guess came from

    /// <param name="settings">How far back matches reach, and how much is guessed at most.</param>
    /// <param name="capacity">Tokens of prompt and answer at most.</param>
    public PromptLookup(Speculation settings, int capacity)
    {
        _settings = settings;
        _heads = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity))];
        _earlier = new int[capacity + 1];
        _indexed = settings.MinMatch;
        _luck = new double[settings.MaxMatch + 1];
        Array.Fill(_luck, FirstLuck);
    }

    /// <summary>Writes a guess behind the known tokens.</summary>
    /// <param name="tokens">Prompt and answer, with room behind.</param>
    /// <param name="count">Tokens known.</param>
    /// <param name="most">Tokens that may be guessed at most.</param>
    /// <returns>How many were guessed.</returns>
    public int Guess(Span<int> tokens, int count, int most)
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
        ref double luck = ref _luck[_matched];
        most = Math.Min(most, Paying(luck, _settings.Tokens));
        if (most == 0) luck += (FirstLuck - luck) * Forgetting;
        for (int i = 0; i < most; i++) tokens[count + i] = tokens[place + i]; // may run into what it has just written: a period goes on
        return most;
    }

    /// <summary>Learns what became of the last guess.</summary>
    public void Learn(int guessed, int hits)
    {
        ref double luck = ref _luck[_matched];
        for (int hit = 0; hit < hits; hit++) luck += (1 - luck) * Learning;
        if (hits < guessed) luck -= luck * Learning;
    }

    /// <summary>How many guessed tokens give the most tokens for the time; 0 where none pays.</summary>
    /// <param name="luck">How likely each of them is right where those before it were.</param>
    private static int Paying(double luck, int most)
    {
        int best = 0;
        double right = 1, tokens = 1, highest = 1;
        for (int guessed = 1; guessed <= most; guessed++)
        {
            right *= luck;
            tokens += right;
            double speed = tokens / (1 + RowCost * guessed);
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
