using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>One merge of byte-pair encoding: two neighbouring tokens become one.</summary>
internal readonly record struct Merge(int Left, int Right, int Merged);

/// <summary>Byte-level pair encoding: text is cut into words, and in each word the pair with the lowest rank is merged first, the leftmost of equals,
/// until none is left. Immutable but for caches of words, and safe for many threads.</summary>
internal sealed class BpeModel
{
    private readonly WordSplitter _words;
    private readonly TokenTable _table;
    private readonly BytePairMerger _merger;
    private readonly ConcurrentBag<BpeWordCache> _caches = [];

    /// <param name="tokens">The bytes of each token by id; null where the id is no token of this model.</param>
    /// <param name="merges">In order of rank, no pair twice.</param>
    /// <param name="ignoreMerges">Whether a word that is a token is emitted at once.</param>
    /// <param name="words">Where words end; null for <see cref="SplitPattern"/>.</param>
    /// <exception cref="ArgumentException">A byte has no token, a pair or the bytes of a token stand there twice, or there are too many merges.</exception>
    public BpeModel(IReadOnlyList<byte[]?> tokens, IReadOnlyList<Merge> merges, bool ignoreMerges, WordSplitter? words = null)
    {
        (Tokens, Merges, IgnoreMerges) = (tokens, merges, ignoreMerges);
        _words = words ?? SplitPatterns.Scanner.Llama3;
        _table = new TokenTable(tokens);
        int[] byteIds = new int[256];
        for (int value = 0; value < 256; value++)
            byteIds[value] = _table.Find([(byte)value]) ?? throw new ArgumentException($"Byte {value} has no token.", nameof(tokens));
        _merger = new BytePairMerger(new MergeTable(byteIds, merges));
    }

    public IReadOnlyList<byte[]?> Tokens { get; }

    public IReadOnlyList<Merge> Merges { get; }

    public bool IgnoreMerges { get; }

    public int? Find(ReadOnlySpan<byte> bytes) => _table.Find(bytes);

    /// <summary>Appends the tokens of text without added tokens.</summary>
    public void Encode(ReadOnlySpan<byte> text, List<int> ids)
    {
        if (text.IsEmpty)
            return;
        if (!_caches.TryTake(out var cache))
            cache = new BpeWordCache();
        var encoder = new BpeWordEncoder(this, cache, text, ids);
        try
        {
            _words.Split(text, ref encoder);
        }
        finally
        {
            encoder.Finish();
            _caches.Add(cache);
        }
    }

    /// <summary>Appends the tokens of one word, whatever it holds.</summary>
    public void EncodeWord(ReadOnlySpan<byte> word, List<int> ids)
    {
        int first = ids.Count;
        CollectionsMarshal.SetCount(ids, first + word.Length);
        CollectionsMarshal.SetCount(ids, first + EncodeWord(word, CollectionsMarshal.AsSpan(ids)[first..]));
    }

    /// <summary>Writes the tokens of one word.</summary>
    /// <param name="word">The word, not empty.</param>
    /// <param name="ids">Room for as many tokens as the word has bytes.</param>
    /// <returns>How many there are.</returns>
    public int EncodeWord(ReadOnlySpan<byte> word, Span<int> ids)
    {
        if (!IgnoreMerges || _table.Find(word) is not int whole)
            return _merger.Merge(word, ids);
        ids[0] = whole;
        return 1;
    }
}
