using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Keys and values of the sequences being generated, in pages of 64 tokens that sequences take and give back.</summary>
/// <remarks>A page holds, for each layer and key/value head, the keys as four panels (head dimension, 16) and the values as panels
/// (64, 16): the form in which the product kernels read them, so that decoding packs nothing.</remarks>
public sealed unsafe class KeyValueCache : IDisposable
{
    /// <summary>Tokens of a page.</summary>
    public const int PageTokens = Attention.BlockKeys;

    private float* memory;

    /// <summary>Creates a cache.</summary>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="keyValueHeads">Key/value heads of a layer.</param>
    /// <param name="headDimension">Numbers of one head.</param>
    /// <param name="pages">Pages of 64 tokens, for all sequences together.</param>
    /// <exception cref="UserErrorException">The machine has not that much memory.</exception>
    public KeyValueCache(int layers, int keyValueHeads, int headDimension, int pages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pages, 1);
        (Layers, KeyValueHeads, HeadDimension, Pages) = (layers, keyValueHeads, headDimension, pages);
        ValuePanels = (headDimension + Tile.Columns - 1) / Tile.Columns;
        HeadNumbers = (long)PageTokens * (headDimension + ValuePanels * Tile.Columns);
        PageNumbers = HeadNumbers * layers * keyValueHeads;
        memory = Arena.AllocateZeroed(checked(PageNumbers * pages));
        Pool = new PagePool(pages);
    }

    /// <summary>Bytes of memory of a cache of this size.</summary>
    public static long BytesOf(int layers, int keyValueHeads, int headDimension, long pages) => checked(
        sizeof(float) * PageTokens * (headDimension + (headDimension + Tile.Columns - 1L) / Tile.Columns * Tile.Columns) * layers * keyValueHeads * pages);

    /// <summary>Pages in all.</summary>
    public int Pages { get; }

    /// <summary>Pages that no sequence holds, those included that are kept for sequences with the same beginning.</summary>
    public int FreePages => Pool.FreePages;

    internal PagePool Pool { get; }

    internal int Layers { get; }

    internal int KeyValueHeads { get; }

    internal int HeadDimension { get; }

    internal int ValuePanels { get; }

    internal long HeadNumbers { get; }

    internal long PageNumbers { get; }

    /// <summary>Begins an empty sequence.</summary>
    public KeyValueSequence Begin() => new(this);

    /// <summary>Keys of one page, layer and head: four panels (head dimension, 16).</summary>
    internal float* Keys(int page, int layer, int head) => memory + page * PageNumbers + ((long)layer * KeyValueHeads + head) * HeadNumbers;

    /// <summary>Values of one page, layer and head: panels (64, 16).</summary>
    internal float* Values(int page, int layer, int head) => Keys(page, layer, head) + (long)PageTokens * HeadDimension;

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Arena.Free(memory);
        memory = null;
    }
}

/// <summary>The pages of one sequence.</summary>
public sealed class KeyValueSequence : IDisposable
{
    private readonly KeyValueCache cache;
    private int[] pages = new int[4];
    private int pageCount;
    private int forgottenPages;

    internal KeyValueSequence(KeyValueCache cache) => this.cache = cache;

    /// <summary>Tokens whose keys and values are there, or were before <see cref="Forget"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Tokens at the beginning whose keys and values have been given back; a multiple of 64.</summary>
    public int Forgotten => forgottenPages * KeyValueCache.PageTokens;

    internal KeyValueCache Cache => cache;

    /// <summary>A page for each 64 tokens; what stands in the places of forgotten ones has no meaning.</summary>
    internal ReadOnlySpan<int> Pages => pages.AsSpan(0, pageCount);

    /// <summary>Makes sure that <paramref name="tokens"/> tokens have a place.</summary>
    /// <exception cref="InvalidOperationException">No page is free; see <see cref="TryReserve"/>.</exception>
    public void Reserve(int tokens)
    {
        if (!TryReserve(tokens)) throw new InvalidOperationException("the key/value cache has no free page");
    }

    /// <summary>Tries to make sure that <paramref name="tokens"/> tokens have a place; false when too few pages are free.</summary>
    public bool TryReserve(int tokens)
    {
        var needed = (tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
        // Looked at first: a failed attempt must not drive out pages that are kept.
        if (needed - pageCount > cache.FreePages) return false;
        while (pageCount < needed)
        {
            if (!cache.Pool.TryTake(out var page)) return false;
            Add(page);
        }
        return true;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many tokens are not there, or, above 0, the ones before have been forgotten.</exception>
    /// <exception cref="InvalidOperationException">The last page would be written again, and other sequences read it.</exception>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        if (length > 0) ArgumentOutOfRangeException.ThrowIfLessThan(length, Forgotten);
        if (length % KeyValueCache.PageTokens != 0) cache.Pool.Reopen(pages[length / KeyValueCache.PageTokens]);
        Length = length;
        var needed = (length + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
        while (pageCount > Math.Max(needed, forgottenPages)) cache.Pool.Return(pages[--pageCount]);
        if (length == 0) pageCount = forgottenPages = 0;
    }

    /// <summary>Begins with pages that are kept: as many of the given ones as are there, without a gap. They are shared, and never written.</summary>
    /// <param name="prefix">Names of the first pages, in order.</param>
    /// <returns>Tokens that need not be computed.</returns>
    /// <exception cref="InvalidOperationException">The sequence is not empty.</exception>
    public int Adopt(ReadOnlySpan<PrefixHash> prefix)
    {
        if (Length > 0 || pageCount > 0) throw new InvalidOperationException("only an empty sequence can begin with kept pages");
        foreach (var name in prefix)
        {
            if (!cache.Pool.TryHold(name, out var page)) break;
            Add(page);
            Length += KeyValueCache.PageTokens;
        }
        return Length;
    }

    /// <summary>Keeps a full page under its name, also when this sequence has ended, until its place is needed.</summary>
    /// <param name="page">Which page of the sequence, from 0; it is full and has not been forgotten.</param>
    /// <param name="name">What it holds.</param>
    public void Keep(int page, PrefixHash name)
    {
        if (page < forgottenPages || (page + 1) * KeyValueCache.PageTokens > Length)
            throw new ArgumentOutOfRangeException(nameof(page), $"page {page} of a sequence of {Length} tokens is not full, or was forgotten");
        cache.Pool.Keep(pages[page], name);
    }

    /// <summary>Gives back the pages that lie wholly before a position: with a sliding window of W tokens in every layer, nothing before
    /// <see cref="Length"/> − W + 1 is read any more.</summary>
    /// <param name="position">First position whose keys and values must stay; up to <see cref="Length"/>.</param>
    public void Forget(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, Length);
        for (; (forgottenPages + 1) * KeyValueCache.PageTokens <= position; forgottenPages++) cache.Pool.Return(pages[forgottenPages]);
    }

    /// <summary>Gives all pages back.</summary>
    public void Dispose() => Truncate(0);

    internal void Advance(int tokens) => Length += tokens;

    private void Add(int page)
    {
        if (pageCount == pages.Length) Array.Resize(ref pages, 2 * pageCount);
        pages[pageCount++] = page;
    }
}
