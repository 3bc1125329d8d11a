namespace OpenEuroLLM.Inference;

/// <summary>Guesses how an answer goes on: as the text went on where its last tokens stood before. The work for a token is bounded.</summary>
/// <remarks>How much is guessed follows the luck so far: whole hits double it, misses shrink it and lead to a pause, so that a text that
/// repeats nothing is hardly slowed down. A guess changes no answer, only how many rows are computed at once.</remarks>
internal sealed class PromptLookup
{
    private const int LongestPause = 64;
    private const int MostPlaces = 64;

    private readonly Speculation _settings;
    private readonly int[] _heads;          // by hash: the newest place behind such tokens, plus 1
    private readonly int[] _earlier;        // by place: the next older one with the same hash, plus 1
    private int _indexed;
    private int _length;
    private int _pause, _nextPause = 1;

    /// <param name="settings">How far back matches reach, and how much is guessed at most.</param>
    /// <param name="capacity">Tokens of prompt and answer at most.</param>
    public PromptLookup(Speculation settings, int capacity)
    {
        _settings = settings;
        _heads = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity))];
        _earlier = new int[capacity + 1];
        _indexed = settings.MinMatch;
        _length = Math.Min(4, settings.Tokens);
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

        most = Math.Min(most, _length);
        if (most < 1 || count < _settings.MinMatch) return 0;
        if (_pause > 0)
        {
            _pause--;
            return 0;
        }

        int place = LongestMatch(tokens, count);
        if (place < 0) return 0;
        for (int i = 0; i < most; i++) tokens[count + i] = tokens[place + i]; // may run into what it has just written: a period goes on
        return most;
    }

    /// <summary>Learns what became of a guess.</summary>
    public void Learn(int guessed, int hits)
    {
        if (hits == guessed) _length = Math.Min(_settings.Tokens, 2 * _length);
        else _length = Math.Max(1, Math.Min(_settings.Tokens, hits + 1));
        if (hits > 0)
        {
            _nextPause = 1;
            return;
        }

        _pause = _nextPause;
        _nextPause = Math.Min(LongestPause, 2 * _nextPause);
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

        return found;
    }

    private int Slot(ReadOnlySpan<int> tokens, int place)
    {
        ulong hash = 0;
        foreach (int token in tokens.Slice(place - _settings.MinMatch, _settings.MinMatch)) hash = (hash + (uint)token + 1) * 0x9E3779B97F4A7C15;
        return (int)(hash >> 32) & (_heads.Length - 1);
    }
}
