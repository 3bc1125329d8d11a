using System.Runtime.InteropServices;
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

    private readonly Stack<int> free;
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
        free = new Stack<int>(pages);
        for (var page = pages - 1; page >= 0; page--) free.Push(page);
    }

    /// <summary>Bytes of memory of a cache of this size.</summary>
    public static long BytesOf(int layers, int keyValueHeads, int headDimension, long pages) => checked(
        sizeof(float) * PageTokens * (headDimension + (headDimension + Tile.Columns - 1L) / Tile.Columns * Tile.Columns) * layers * keyValueHeads * pages);

    /// <summary>Pages in all.</summary>
    public int Pages { get; }

    /// <summary>Pages that no sequence holds.</summary>
    public int FreePages
    {
        get { lock (free) return free.Count; }
    }

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

    internal bool TryTake(out int page)
    {
        lock (free) return free.TryPop(out page);
    }

    internal void Return(int page)
    {
        // What a sequence leaves behind stays there: attention reads no key or value that the new owner has not written.
        lock (free) free.Push(page);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
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
        while (pageCount < needed)
        {
            if (!cache.TryTake(out var page)) return false;
            if (pageCount == pages.Length) Array.Resize(ref pages, 2 * pageCount);
            pages[pageCount++] = page;
        }
        return true;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many tokens are not there, or, above 0, the ones before have been forgotten.</exception>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        if (length > 0) ArgumentOutOfRangeException.ThrowIfLessThan(length, Forgotten);
        Length = length;
        var needed = (length + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
        while (pageCount > Math.Max(needed, forgottenPages)) cache.Return(pages[--pageCount]);
        if (length == 0) pageCount = forgottenPages = 0;
    }

    /// <summary>Gives back the pages that lie wholly before a position: with a sliding window of W tokens in every layer, nothing before
    /// <see cref="Length"/> − W + 1 is read any more.</summary>
    /// <param name="position">First position whose keys and values must stay; up to <see cref="Length"/>.</param>
    public void Forget(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, Length);
        for (; (forgottenPages + 1) * KeyValueCache.PageTokens <= position; forgottenPages++) cache.Return(pages[forgottenPages]);
    }

    /// <summary>Gives all pages back.</summary>
    public void Dispose() => Truncate(0);

    internal void Advance(int tokens) => Length += tokens;
}
