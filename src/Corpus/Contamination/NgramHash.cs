using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>The two hashes of an n-gram. One goes along with the words of a text; the other is computed from the letters, only where the first was found, so that two
/// n-grams are taken for the same by chance only where both agree.</summary>
internal static class NgramHash
{
    /// <summary>By what the sum of words so far is multiplied when one is added.</summary>
    public const ulong Base = 0xD6E8FEB86659FD93;

    private const ulong CheckMultiplier = 0x9FB21C651E98DF25;
    private const char Between = ' ';

    /// <summary>The factor of the word that leaves an n-gram.</summary>
    public static ulong Leaving(int words)
    {
        ulong factor = 1;
        for (int i = 0; i < words; i++) factor *= Base;
        return factor;
    }

    /// <summary>Spreads a sum of words over all values.</summary>
    public static ulong Key(ulong sum)
    {
        sum = (sum ^ (sum >> 32)) * 0xBF58476D1CE4E5B9;
        return sum ^ (sum >> 29);
    }

    /// <summary>The hash of the letters of words with one blank between two of them.</summary>
    /// <param name="text">From the first letter of the first word to the last of the last.</param>
    public static ulong Check(ReadOnlySpan<char> text)
    {
        ulong hash = 0x2545F4914F6CDD1D;
        bool isBetween = false;
        foreach (char letter in text)
        {
            char folded = FoldedWords.Fold(letter);
            if (folded == '\0')
            {
                if (isBetween) continue;
                folded = Between;
                isBetween = true;
            }
            else isBetween = false;
            hash = (hash ^ folded) * CheckMultiplier;
            hash ^= hash >> 32;
        }
        return hash;
    }
}
