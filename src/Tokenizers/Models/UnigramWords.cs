using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The best path through a text word by word, with the words that came before remembered. Safe for many threads.</summary>
internal sealed class UnigramWords(UnigramSearch search, WordCuts cuts)
{
    [ThreadStatic]
    private static List<UnigramSearch.PathToken>? _threadPath;

    private readonly WordCache<UnigramSearch.ShortPath> _cache = new();

    /// <summary>The tokens of the next word.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="start">Where the word begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="score">The score of the path before it; becomes the one after.</param>
    /// <returns>Its tokens with their ends counted from its start; valid until the next call of the thread.</returns>
    public ReadOnlySpan<UnigramSearch.PathToken> Next(ReadOnlySpan<byte> text, int start, out int end, ref double score)
    {
        end = cuts.End(text, start);
        var word = text[start..end];
        if (word.Length <= WordCache<UnigramSearch.ShortPath>.LongestWord)
        {
            if (_cache.Find(word, out int slot) is not { } known)
            {
                known = search.RunShort(word);
                _cache.Set(slot, word, known);
            }
            if (search.TryFollow(known, ref score))
                return known.Tokens;
        }
        var path = _threadPath ??= [];
        path.Clear();
        search.Run(word, ref score, path);
        return CollectionsMarshal.AsSpan(path);
    }
}
