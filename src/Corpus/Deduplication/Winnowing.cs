namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Chooses fingerprints of a text so that two texts with enough words in a row in common have a fingerprint in common, at the same place of what they
/// share, whatever stands around it.</summary>
/// <remarks>Of every window of neighbouring hashes the least is chosen, of equal ones the last: what is chosen depends on the window alone. Source: Schleimer,
/// Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003; hashes are those of runs of words instead of letters.</remarks>
internal sealed class Winnowing
{
    private const ulong Base = 0xD6E8FEB86659FD93;

    private readonly int _runWords;
    private readonly int _window;
    private readonly ulong _leaving;   // the factor of the word that leaves a run

    /// <param name="leastWords">Of what length a common run is certain to be found, in words.</param>
    public Winnowing(int leastWords)
    {
        // Half of it: shorter runs are more often common by chance, longer ones leave a smaller window and so more fingerprints.
        _runWords = (leastWords + 1) / 2;
        _window = leastWords - _runWords + 1;
        _leaving = 1;
        for (int i = 0; i < _runWords; i++) _leaving *= Base;
    }

    /// <summary>Appends the fingerprints of a text in ascending order of their places; a text of fewer words than the least has none.</summary>
    public void Add(ReadOnlySpan<char> text, List<Fingerprint> fingerprints)
    {
        Span<ulong> hashes = stackalloc ulong[_runWords];     // a ring of the last words
        Span<int> starts = stackalloc int[_runWords];
        Span<Candidate> candidates = stackalloc Candidate[_window];   // a ring of hashes that ascend from the least of the window
        hashes.Clear();
        int first = 0, length = 0, chosen = -1, count = 0, slot = 0;
        ulong sum = 0;
        var word = new FoldedWords(text);
        while (word.MoveNext())
        {
            sum = sum * Base + word.Hash - hashes[slot] * _leaving;
            (hashes[slot], starts[slot]) = (word.Hash, word.Start);
            slot = slot + 1 == _runWords ? 0 : slot + 1;   // now that of the run's first word
            int run = ++count - _runWords;
            if (run < 0) continue;
            ulong key = Mix(sum);
            if (length > 0 && candidates[first].Run <= run - _window)
            {
                first = (first + 1) % _window;
                length--;
            }
            while (length > 0 && candidates[(first + length - 1) % _window].Key >= key) length--;
            candidates[(first + length++) % _window] = new Candidate(key, run, starts[slot]);
            if (run < _window - 1 || candidates[first].Run == chosen) continue;
            chosen = candidates[first].Run;
            // What is least is small: mixed again, keys are spread evenly. 0 would take no part.
            fingerprints.Add(new Fingerprint(Math.Max(1, Mix(~candidates[first].Key)), candidates[first].Start));
        }
    }

    private static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }

    private readonly record struct Candidate(ulong Key, int Run, int Start);
}

/// <summary>A run of words that was chosen to stand for its neighbourhood.</summary>
/// <param name="Key">Stands for its words.</param>
/// <param name="Start">Where its first word begins, in UTF-16 units.</param>
internal readonly record struct Fingerprint(ulong Key, int Start);
