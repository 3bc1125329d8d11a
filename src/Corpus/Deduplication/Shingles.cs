namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Hashes of all runs of so many neighbouring words of a text, as <see cref="FoldedWords"/> sees them. A text of fewer words has one shingle, a text
/// without words none.</summary>
internal static class Shingles
{
    /// <summary>Appends the hashes.</summary>
    public static void Add(ReadOnlySpan<char> text, int words, List<uint> hashes)
    {
        Span<ulong> window = stackalloc ulong[words];   // a ring of the last words
        window.Clear();
        int count = 0;
        var word = new FoldedWords(text);
        while (word.MoveNext())
        {
            window[count++ % words] = word.Hash;
            if (count >= words) hashes.Add(Combine(window, count));
        }
        if (count > 0 && count < words) hashes.Add(Combine(window[..count], count));
    }

    private static uint Combine(ReadOnlySpan<ulong> window, int count)
    {
        ulong hash = 0;
        for (int i = 0; i < window.Length; i++)
            hash = ((hash << 5 | hash >> 59) ^ window[(count + i) % window.Length]) * 0xD6E8FEB86659FD93;   // the oldest word first
        return (uint)(hash >> 32);
    }
}
